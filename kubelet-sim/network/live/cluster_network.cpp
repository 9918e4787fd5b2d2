#include "network_live/cluster_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "kubelet/low_ports.hpp"

namespace coracle::network {
namespace {

const client::Gvr kServices{"", "v1", "services", true};
const client::Gvr kNodes{"", "v1", "nodes", false};
const client::Gvr kSlices{"discovery.k8s.io", "v1", "endpointslices", true};
const client::Gvr kSecrets{"", "v1", "secrets", true};
const client::Gvr kIngresses{"networking.k8s.io", "v1", "ingresses", true};
const client::Gvr kIngressClasses{"networking.k8s.io", "v1", "ingressclasses", false};
constexpr std::uint16_t kDnsPort = 53;
constexpr Duration kDnsRetry = std::chrono::seconds(10);

// Ports under 1024 are for those who may.
std::string advice(const Status& why) {
  if (why.message().find("permission denied") == std::string::npos) return why.message();
  return why.message() +
         "; as root: sysctl net.ipv4.ip_unprivileged_port_start=0 lets everybody listen there";
}

bool uses_secret(const json::value& ingress, const std::string& key) {
  const std::string ns(get_string(ingress, "metadata.namespace"));
  for (const json::value& tls : get_array(ingress, "spec.tls")) {
    if (ns + "/" + std::string(get_string(tls, "secretName")) == key) return true;
  }
  return false;
}

}  // namespace

ClusterNetwork::ClusterNetwork(net::AsioExecutor& executor, client::Api& api, Rng rng,
                               Options options, PolicyGuard& guard)
    : executor_(executor),
      api_(api),
      options_(std::move(options)),
      guard_(guard),
      informers_(executor, api, rng),
      services_(informers_.get(kServices)),
      slices_(informers_.get(kSlices)),
      nodes_(informers_.get(kNodes)),
      ingresses_(informers_.get(kIngresses)),
      classes_(informers_.get(kIngressClasses)),
      certificates_(informers_.get({.gvr = kSecrets, .field_selector = "type=kubernetes.io/tls"})),
      events_(executor, api, {"kube-proxy", ""}),
      zone_(options_.zone),
      dns_(executor, zone_),
      proxy_(
          executor, [this](const std::string& service, const Status& why) { tell(service, why); },
          [this](const Flow& flow) { return guard_.may(flow); },
          [this](const std::string& from, const std::string& to) {
            return guard_.passes(from, to);
          }),
      ingress_(executor, {.address = options_.ingress_address},
               {[this](const Status& why) { tell_ingresses("FailedToListen", advice(why)); },
                [this](const Flow& flow) { return guard_.may(flow); }}) {
  dns_.ask_first([this](const std::string& client, Transport transport) {
    return guard_.may({client, options_.dns_address, kDnsPort, transport});
  });
}

ClusterNetwork::~ClusterNetwork() { stop(); }

void ClusterNetwork::start() {
  for (client::Informer* informer :
       {&services_, &slices_, &nodes_, &ingresses_, &classes_, &certificates_}) {
    informer->add_handler({[this](const auto&, bool) { changed(); },
                           [this](const auto&, const auto&) { changed(); },
                           [this](const auto&, bool) { changed(); }});
  }
  informers_.start();
  informers_.when_synced([this] {
    changed();
    if (!options_.dns_address.empty()) serve_dns();
  });
}

void ClusterNetwork::stop() {
  executor_.cancel(settle_);
  executor_.cancel(dns_retry_);
  informers_.stop();
}

void ClusterNetwork::changed() {
  if (settle_ != 0 || !informers_.has_synced()) return;
  settle_ = executor_.after(kSettle, [this] {
    settle_ = 0;
    rebuild();
  });
}

std::string ClusterNetwork::node_of_endpoint(const std::string& address) const {
  for (const client::ObjectPtr& slice : slices_.cache().all()) {
    for (const json::value& endpoint : get_array(*slice, "endpoints")) {
      for (const json::value& at : get_array(endpoint, "addresses")) {
        if (at == json::string_view(address)) return std::string(get_string(endpoint, "nodeName"));
      }
    }
  }
  return {};
}

void ClusterNetwork::rebuild() {
  const Objects services = services_.cache().all(), slices = slices_.cache().all();
  zone_.update(services, slices);
  ServiceTable table = make_service_table(services, slices, nodes_.cache().all());
  if (!options_.dns_address.empty()) {
    std::erase_if(table, [&](const auto& entry) {
      return entry.first.address == options_.dns_address && entry.first.port == kDnsPort;
    });
  }
  proxy_.apply(std::move(table));
  if (!options_.ingress_address.empty()) rebuild_ingresses(services, slices);
}

void ClusterNetwork::rebuild_ingresses(const Objects& services, const Objects& slices) {
  IngressTable table =
      IngressTable::make(ingresses_.cache().all(), classes_.cache().all(), services, slices);
  served_ = table.served();
  auto bad = ingress_.apply(
      std::move(table), [this](const std::string& key) { return certificates_.cache().get(key); });
  for (const auto& [key, why] : bad) {
    if (bad_secrets_[key] != why) {
      tell_ingresses("BadCertificate", fmt::format("Secret {}: {}", key, why), key);
    }
  }
  bad_secrets_ = std::move(bad);
  for (const std::string& key : served_) publish_address(ingresses_.cache().get(key));
}

void ClusterNetwork::tell_ingresses(const std::string& reason, const std::string& message,
                                    const std::string& secret) {
  log::warn("Ingress: {}", message);
  for (const std::string& key : served_) {
    json::value named = *ingresses_.cache().get(key);
    if (!secret.empty() && !uses_secret(named, secret)) continue;
    named.as_object()["kind"] = "Ingress";
    named.as_object()["apiVersion"] = "networking.k8s.io/v1";
    events_.warning(named, reason, message);
  }
}

void ClusterNetwork::publish_address(const client::ObjectPtr& ingress) {
  const std::string key = client::object_key(*ingress);
  const json::array& shown = get_array(*ingress, "status.loadBalancer.ingress");
  const bool right = shown.size() == 1 && get_string(shown[0], "ip") == options_.ingress_address;
  if (right || !publishing_.insert(key).second) return;
  const auto patch =
      parse_json(fmt::format(R"({{"status":{{"loadBalancer":{{"ingress":[{{"ip":"{}"}}]}}}}}})",
                             options_.ingress_address));
  CHECK(patch.ok());
  const client::ResourceClient api(api_, kIngresses);
  // A refusal is no matter: the next change of anything tries again.
  spawn<client::ApiResult<json::value>>(
      api.patch(std::string(get_string(*ingress, "metadata.namespace")),
                std::string(get_string(*ingress, "metadata.name")), client::PatchType::kMerge,
                *patch, {.field_manager = "ingress-controller"}, "status"),
      [this, key](const auto&) { publishing_.erase(key); });
}

void ClusterNetwork::tell(const std::string& service, const Status& why) {
  log::warn("Service {}: {}", service, advice(why));
  const client::ObjectPtr found = services_.cache().get(service);
  if (!found) return;
  json::value named = *found;
  named.as_object()["kind"] = "Service";
  named.as_object()["apiVersion"] = "v1";
  events_.warning(named, "FailedToListen", advice(why));
}

kubelet::Route ClusterNetwork::route(const Flow& flow) {
  if (flow.to == options_.dns_address && flow.port == kDnsPort) {
    return {!guard_.may(flow), dns_port_ == 0 ? kDnsPort : dns_port_};
  }
  std::uint16_t port = flow.port;
  const Frontend* behind = proxy_.find({flow.to, flow.port, flow.transport}, &port);
  if (behind == nullptr) behind = proxy_.find({"", flow.port, flow.transport}, &port);
  if (behind == nullptr || behind->endpoints.empty()) return {!guard_.may(flow), flow.port};
  const auto to = [&](const Endpoint& e) {
    return Flow{flow.from, e.address, e.port, flow.transport};
  };
  const bool any = std::any_of(behind->endpoints.begin(), behind->endpoints.end(),
                               [&](const Endpoint& e) { return guard_.allows(to(e)); });
  // One refusal is told for all.
  return {!any && !guard_.may(to(behind->endpoints.front())), port};
}

// Where port 53 is not for this user, pods are led to another one.
void ClusterNetwork::serve_dns() {
  const Status status = dns_.listen(options_.dns_address, kDnsPort);
  if (status.ok()) {
    dns_port_ = kDnsPort;
    return log::info("DNS for {} on {}", options_.zone, options_.dns_address);
  }
  const std::uint16_t moved = kubelet::moved_port(kDnsPort);
  if (dns_.listen(options_.dns_address, moved).ok()) {
    dns_port_ = moved;
    return log::warn("DNS for pods on {}:{}, not on port 53: {}", options_.dns_address, moved,
                     advice(status));
  }
  if (!std::exchange(dns_told_, true)) log::warn("no DNS: {}", advice(status));
  dns_retry_ = executor_.after(kDnsRetry, [this] { serve_dns(); });
}

}  // namespace coracle::network
