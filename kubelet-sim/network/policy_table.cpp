#include "network/policy_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::network {
namespace {

bool has_type(const json::value& policy, std::string_view type) {
  const json::array& types = get_array(policy, "spec.policyTypes");
  // As the API server defaults it.
  if (types.empty()) return type == "Ingress" || find(policy, "spec.egress") != nullptr;
  return std::any_of(types.begin(), types.end(),
                     [&](const json::value& t) { return t.is_string() && t.get_string() == type; });
}

bool ended(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

std::optional<api::LabelSelector> selector_at(const json::value& object, const char* field) {
  const json::value* found = find(object, field);
  if (found == nullptr) return std::nullopt;
  auto parsed = api::LabelSelector::from_object(found);
  return parsed.ok() ? std::move(*parsed) : api::LabelSelector::nothing();
}

}  // namespace

std::string_view name_of(Transport transport) {
  return transport == Transport::kTcp ? "TCP" : "UDP";
}

PolicyTable PolicyTable::make(const Objects& policies, const Objects& namespaces,
                              const Objects& pods, const std::string& dns_address) {
  PolicyTable table;
  for (const client::ObjectPtr& policy : policies) {
    if (auto read_one = read(*policy)) {
      table.policies_[std::string(api::namespace_of(*policy))].push_back(std::move(*read_one));
    }
  }
  if (table.empty()) return table;
  for (const client::ObjectPtr& ns : namespaces) {
    table.namespaces_[std::string(api::name_of(*ns))] = api::labels_of(*ns);
  }
  for (const client::ObjectPtr& pod : pods) table.add_pod(*pod);
  if (!dns_address.empty()) {
    Pod dns{"kube-system/kube-dns", "kube-system", {{"k8s-app", "kube-dns"}}, {}};
    for (const char* protocol : {"UDP", "TCP"}) {
      dns.ports[{protocol == std::string_view("UDP") ? "dns" : "dns-tcp", protocol}] = 53;
    }
    table.pods_[dns_address] = std::move(dns);
  }
  return table;
}

void PolicyTable::add_pod(const json::value& pod) {
  const std::string address(get_string(pod, "status.podIP"));
  if (address.empty() || ended(pod) || get_bool(pod, "spec.hostNetwork")) return;
  Pod out{client::object_key(pod), std::string(api::namespace_of(pod)), api::labels_of(pod), {}};
  for (const char* kind : {"spec.initContainers", "spec.containers"}) {
    for (const json::value& container : get_array(pod, kind)) {
      for (const json::value& port : get_array(container, "ports")) {
        const std::string name(get_string(port, "name"));
        if (name.empty()) continue;
        out.ports[{name, std::string(get_string(port, "protocol", "TCP"))}] =
            get_int(port, "containerPort");
      }
    }
  }
  pods_[address] = std::move(out);
}

PolicyTable::Peer PolicyTable::read_peer(const json::value& peer) {
  Peer out;
  out.namespaces = selector_at(peer, "namespaceSelector");
  out.pods = selector_at(peer, "podSelector");
  if (find(peer, "ipBlock") != nullptr) {
    out.is_block = true;
    out.cidr = get_string(peer, "ipBlock.cidr");
    for (const json::value& cidr : get_array(peer, "ipBlock.except")) {
      if (cidr.is_string()) out.except.emplace_back(cidr.get_string());
    }
  }
  return out;
}

std::vector<PolicyTable::Rule> PolicyTable::read_rules(const json::value& policy, const char* rules,
                                                       const char* peers) {
  std::vector<Rule> out;
  for (const json::value& rule : get_array(policy, rules)) {
    Rule& added = out.emplace_back();
    for (const json::value& peer : get_array(rule, peers)) added.peers.push_back(read_peer(peer));
    for (const json::value& port : get_array(rule, "ports")) {
      Port& one = added.ports.emplace_back();
      one.protocol = get_string(port, "protocol", "TCP");
      one.name = get_string(port, "port");  // "" when it is a number
      one.first = get_int(port, "port");
      one.last = get_int(port, "endPort", one.first);
    }
  }
  return out;
}

std::optional<PolicyTable::Policy> PolicyTable::read(const json::value& policy) {
  Policy out;
  out.key = client::object_key(policy);
  const auto selector = selector_at(policy, "spec.podSelector");
  out.selector = selector ? *selector : api::LabelSelector::everything();
  if (out.selector.is_nothing()) return std::nullopt;
  out.ingress = has_type(policy, "Ingress");
  out.egress = has_type(policy, "Egress");
  out.in = read_rules(policy, "spec.ingress", "from");
  out.out = read_rules(policy, "spec.egress", "to");
  return out;
}

std::string PolicyTable::End::text() const {
  return pod == nullptr ? address : fmt::format("pod {}", pod->key);
}

PolicyTable::End PolicyTable::end_of(const std::string& address) const {
  const auto found = pods_.find(address);
  return {found == pods_.end() ? nullptr : &found->second, address};
}

std::string PolicyTable::address_of(std::string_view pod) const {
  for (const auto& [address, one] : pods_) {
    if (one.key == pod) return address;
  }
  return {};
}

bool PolicyTable::matches(const Policy& policy, const Peer& peer, const End& other) const {
  if (peer.is_block) {
    const auto inside = [&](const std::string& cidr) { return cidr_contains(cidr, other.address); };
    return inside(peer.cidr) && std::none_of(peer.except.begin(), peer.except.end(), inside);
  }
  if (other.pod == nullptr) return false;
  if (peer.namespaces) {
    const auto ns = namespaces_.find(other.pod->ns);
    const json::object none;
    if (!peer.namespaces->matches(ns == namespaces_.end() ? none : ns->second)) return false;
  } else if (!policy.key.starts_with(other.pod->ns + "/")) {
    return false;  // a podSelector alone means the policy's own namespace
  }
  return !peer.pods || peer.pods->matches(other.pod->labels);
}

bool PolicyTable::allows(const Policy& policy, const Rule& rule, const End& other,
                         const Pod* called, const Flow& flow) const {
  const auto fits = [&](const Port& port) {
    if (port.protocol != name_of(flow.transport)) return false;
    if (!port.name.empty()) {
      if (called == nullptr) return false;
      const auto named = called->ports.find({port.name, port.protocol});
      return named != called->ports.end() && named->second == flow.port;
    }
    return port.first == 0 || (port.first <= flow.port && flow.port <= port.last);
  };
  if (!rule.ports.empty() && std::none_of(rule.ports.begin(), rule.ports.end(), fits)) return false;
  return rule.peers.empty() ||
         std::any_of(rule.peers.begin(), rule.peers.end(),
                     [&](const Peer& peer) { return matches(policy, peer, other); });
}

std::optional<Verdict> PolicyTable::decide_at(const End& mine, const End& other, bool ingress,
                                              const Flow& flow) const {
  if (mine.pod == nullptr) return std::nullopt;
  const auto found = policies_.find(mine.pod->ns);
  if (found == policies_.end()) return std::nullopt;
  const Pod* called = ingress ? mine.pod : other.pod;
  std::vector<std::string> selecting;
  for (const Policy& policy : found->second) {
    if (!(ingress ? policy.ingress : policy.egress)) continue;
    if (!policy.selector.matches(mine.pod->labels)) continue;
    selecting.push_back(policy.key);
    for (const Rule& rule : ingress ? policy.in : policy.out) {
      if (!allows(policy, rule, other, called, flow)) continue;
      return Verdict{
          true,
          fmt::format("NetworkPolicy {} allows {}", policy.key, ingress ? "ingress" : "egress"),
          mine.pod->key};
    }
  }
  if (selecting.empty()) return std::nullopt;
  return Verdict{
      false,
      fmt::format("{} {} {} to {} port {} is not allowed by any rule of NetworkPolicy {}",
                  name_of(flow.transport), ingress ? "ingress from" : "egress from",
                  ingress ? other.text() : mine.text(), ingress ? mine.text() : other.text(),
                  flow.port, join(selecting, ", ")),
      mine.pod->key};
}

Verdict PolicyTable::decide(const Flow& flow) const {
  const End from = end_of(flow.from), to = end_of(flow.to);
  if (flow.from == flow.to && from.pod != nullptr) return {true, "a pod reaches itself", {}};
  const auto out = decide_at(from, to, false, flow);
  if (out && !out->allowed) return *out;
  const auto in = decide_at(to, from, true, flow);
  if (in && !in->allowed) return *in;
  if (!out && !in) return {true, "no NetworkPolicy selects either end", {}};
  if (out && in) return {true, out->reason + "; " + in->reason, {}};
  return {true, out ? out->reason : in->reason, {}};
}

}  // namespace coracle::network
