#include "network_live/cluster_network.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace coracle::network {
namespace {

const client::Gvr kServices{"", "v1", "services", true};
const client::Gvr kNodes{"", "v1", "nodes", false};
const client::Gvr kSlices{"discovery.k8s.io", "v1", "endpointslices", true};
constexpr std::uint16_t kDnsPort = 53;
constexpr Duration kDnsRetry = std::chrono::seconds(10);

client::InformerOptions slim(const client::Gvr& gvr) {
  return {.gvr = gvr, .transform = [](json::value& object) {
            erase_key(make_object(object, "metadata"), "managedFields");
          }};
}

// Ports under 1024 are for those who may.
std::string advice(const Status& why) {
  if (why.message().find("permission denied") == std::string::npos) return why.message();
  return why.message() +
         "; as root: sysctl net.ipv4.ip_unprivileged_port_start=0 lets everybody listen there";
}

}  // namespace

ClusterNetwork::ClusterNetwork(net::AsioExecutor& executor, client::Api& api, Rng rng,
                               Options options)
    : executor_(executor),
      options_(std::move(options)),
      informers_(executor, api, rng),
      services_(informers_.get(slim(kServices))),
      slices_(informers_.get(slim(kSlices))),
      nodes_(informers_.get(slim(kNodes))),
      events_(executor, api, {"kube-proxy", ""}),
      zone_(options_.zone),
      dns_(executor, zone_),
      proxy_(executor,
             [this](const std::string& service, const Status& why) { tell(service, why); }) {}

ClusterNetwork::~ClusterNetwork() { stop(); }

void ClusterNetwork::start() {
  for (client::Informer* informer : {&services_, &slices_, &nodes_}) {
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

void ClusterNetwork::serve_dns() {
  const Status status = dns_.listen(options_.dns_address, kDnsPort);
  if (status.ok()) return log::info("DNS for {} on {}", options_.zone, options_.dns_address);
  if (!std::exchange(dns_told_, true)) log::warn("no DNS: {}", advice(status));
  dns_retry_ = executor_.after(kDnsRetry, [this] { serve_dns(); });
}

}  // namespace coracle::network
