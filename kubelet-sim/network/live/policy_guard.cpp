#include "network_live/policy_guard.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::network {
namespace {

const client::Gvr kPolicies{"networking.k8s.io", "v1", "networkpolicies", true};
const client::Gvr kPods{"", "v1", "pods", true};
const client::Gvr kNamespaces{"", "v1", "namespaces", false};

// Of every pod of the cluster only what policies look at.
void keep_what_counts(json::value& pod) {
  json::value slim = json::object();
  for (const char* path :
       {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels",
        "metadata.resourceVersion", "status.podIP", "status.phase", "spec.hostNetwork"}) {
    const json::value* found = find(pod, path);
    if (found == nullptr) continue;
    set_path(slim, path, *found);
  }
  json::array containers;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    containers.push_back(json::object{{"ports", get_array(container, "ports")}});
  }
  set_path(slim, "spec.containers", std::move(containers));
  pod = std::move(slim);
}

}  // namespace

PolicyGuard::PolicyGuard(net::AsioExecutor& executor, client::Api& api, Rng rng,
                         std::string dns_address)
    : executor_(executor),
      dns_address_(std::move(dns_address)),
      policy_informers_(executor, api, rng.split()),
      peer_informers_(executor, api, rng.split()),
      policies_(policy_informers_.get(kPolicies)),
      pods_(peer_informers_.get({.gvr = kPods, .transform = keep_what_counts})),
      namespaces_(peer_informers_.get(kNamespaces)),
      events_(executor, api, {"network-policy", ""}) {}

PolicyGuard::~PolicyGuard() { stop(); }

void PolicyGuard::start() {
  for (client::Informer* informer : {&policies_, &pods_, &namespaces_}) {
    informer->add_handler({[this](const auto&, bool) { changed(); },
                           [this](const auto&, const auto&) { changed(); },
                           [this](const auto&, bool) { changed(); }});
  }
  policy_informers_.start();
  policy_informers_.when_synced([this] { changed(); });
}

void PolicyGuard::stop() {
  executor_.cancel(settle_);
  policy_informers_.stop();
  if (watches_peers_) peer_informers_.stop();
}

void PolicyGuard::changed() {
  if (settle_ != 0 || !policy_informers_.has_synced()) return;
  settle_ = executor_.after(kSettle, [this] {
    settle_ = 0;
    rebuild();
  });
}

void PolicyGuard::rebuild() {
  const Objects policies = policies_.cache().all();
  if (policies.empty()) {
    table_ = {};
    return;
  }
  if (!std::exchange(watches_peers_, true)) {
    peer_informers_.start();
    peer_informers_.when_synced([this] { changed(); });
  }
  if (!peer_informers_.has_synced()) return;
  table_ =
      PolicyTable::make(policies, namespaces_.cache().all(), pods_.cache().all(), dns_address_);
}

bool PolicyGuard::may(const Flow& flow) {
  if (!passes(flow.from, flow.to)) return false;
  if (table_.empty()) return true;
  const Verdict verdict = table_.decide(flow);
  if (!verdict.allowed) tell(verdict);
  return verdict.allowed;
}

void PolicyGuard::tell(const Verdict& verdict) {
  log::info("dropped: {}", verdict.reason);
  const client::ObjectPtr pod = pods_.cache().get(verdict.pod);
  if (!pod) return;
  json::value named = *pod;
  named.as_object()["kind"] = "Pod";
  named.as_object()["apiVersion"] = "v1";
  events_.warning(named, "NetworkPolicyDrop", verdict.reason);
}

Result<std::string> PolicyGuard::explain(const net::Query& asked) const {
  Flow flow;
  for (const auto& [name, slot] : {std::pair{"from", &flow.from}, std::pair{"to", &flow.to}}) {
    const std::string text(asked.get(name));
    *slot = text.find('/') == text.npos ? text : table_.address_of(text);
    if (slot->empty()) {
      return invalid_argument(fmt::format(
          "{}: \"{}\" is neither an address nor the NAMESPACE/POD of a pod that runs", name, text));
    }
  }
  long long port = 0;
  if (!parse_int(asked.get("port"), &port) || port < 1 || port > 65535) {
    return invalid_argument("port: a number from 1 to 65535");
  }
  flow.port = static_cast<std::uint16_t>(port);
  if (to_lower(asked.get("protocol")) == "udp") flow.transport = Transport::kUdp;
  const Verdict verdict = table_.decide(flow);
  return to_json(json::object{{"allowed", verdict.allowed}, {"reason", verdict.reason}}) + "\n";
}

}  // namespace coracle::network
