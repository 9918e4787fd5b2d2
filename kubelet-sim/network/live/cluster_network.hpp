// ClusterNetwork: the network of a lab: real traffic for Services, and the cluster's DNS. Watches
// Services, EndpointSlices and Nodes; what they mean is decided by make_service_table and DnsZone.
//
// Driver; strand: the executor's. Changes are taken together: at most one new table every
// kSettle. The Service of the DNS, kube-system/kube-dns, is an object only: its address is answered
// here, not forwarded.
#pragma once

#include <memory>
#include <string>

#include "client/events.hpp"
#include "client/informer.hpp"
#include "network_live/dns_server.hpp"
#include "network_live/service_proxy.hpp"

namespace coracle::network {

class ClusterNetwork {
 public:
  static constexpr Duration kSettle = std::chrono::milliseconds(20);

  struct Options {
    std::string dns_address;  // "": no DNS
    std::string zone = "cluster.local";
  };
  ClusterNetwork(net::AsioExecutor& executor, client::Api& api, Rng rng, Options options);
  ~ClusterNetwork();

  void start();
  void stop();
  const ServiceProxy& proxy() const { return proxy_; }

 private:
  void changed();
  void rebuild();
  void tell(const std::string& service, const Status& why);
  void serve_dns();

  net::AsioExecutor& executor_;
  const Options options_;
  client::InformerFactory informers_;
  client::Informer &services_, &slices_, &nodes_;
  client::EventRecorder events_;
  DnsZone zone_;
  DnsServer dns_;
  ServiceProxy proxy_;
  Executor::TimerId settle_ = 0, dns_retry_ = 0;
  bool dns_told_ = false;
};

}  // namespace coracle::network
