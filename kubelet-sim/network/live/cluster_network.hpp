// ClusterNetwork: the network of a lab: real traffic for Services and Ingresses, and the cluster's
// DNS. Watches what they are made of; what it means is decided by make_service_table, DnsZone and
// IngressTable.
//
// Driver; strand: the executor's. Changes are taken together: at most one new table every
// kSettle. The Service of the DNS, kube-system/kube-dns, is an object only: its address is answered
// here, not forwarded.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "client/events.hpp"
#include "client/informer.hpp"
#include "kubelet/pod_route.hpp"
#include "network_live/dns_server.hpp"
#include "network_live/ingress_proxy.hpp"
#include "network_live/policy_guard.hpp"
#include "network_live/service_proxy.hpp"

namespace coracle::network {

class ClusterNetwork {
 public:
  static constexpr Duration kSettle = std::chrono::milliseconds(20);

  struct Options {
    std::string dns_address;  // "": no DNS
    std::string zone = "cluster.local";
    std::string ingress_address;  // "": Ingresses are objects only
  };
  // The guard is asked before a connection goes on to a pod.
  ClusterNetwork(net::AsioExecutor& executor, client::Api& api, Rng rng, Options options,
                 PolicyGuard& guard);
  ~ClusterNetwork();

  void start();
  void stop();
  const ServiceProxy& proxy() const { return proxy_; }
  // What becomes of a pod's connection: one that no endpoint may take is dropped.
  kubelet::Route route(const Flow& flow);
  // The node that an endpoint is on, by the EndpointSlices; empty: none. O(endpoints).
  std::string node_of_endpoint(const std::string& address) const;

 private:
  void changed();
  void rebuild();
  void tell(const std::string& service, const Status& why);
  void rebuild_ingresses(const Objects& services, const Objects& slices);
  // An event for each Ingress of ours, or for those that use this Secret.
  void tell_ingresses(const std::string& reason, const std::string& message,
                      const std::string& secret = {});
  void publish_address(const client::ObjectPtr& ingress);
  void serve_dns();

  net::AsioExecutor& executor_;
  client::Api& api_;
  const Options options_;
  PolicyGuard& guard_;
  client::InformerFactory informers_;
  client::Informer &services_, &slices_, &nodes_, &ingresses_, &classes_, &certificates_;
  client::EventRecorder events_;
  DnsZone zone_;
  DnsServer dns_;
  ServiceProxy proxy_;
  IngressProxy ingress_;
  IngressProxy::BadSecrets bad_secrets_;  // told already
  std::vector<std::string> served_;       // keys of the Ingresses that are ours
  std::set<std::string> publishing_;      // Ingresses whose status is being written
  Executor::TimerId settle_ = 0, dns_retry_ = 0;
  bool dns_told_ = false;
  std::uint16_t dns_port_ = 0;  // 0: it does not listen
};

}  // namespace coracle::network
