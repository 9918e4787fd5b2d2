#include "kubelet/node_admission.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/node_selector.hpp"
#include "api/quantity.hpp"

namespace coracle::kubelet {
namespace {

using Amounts = std::map<std::string, std::int64_t>;

std::int64_t amount_of(std::string_view resource, const json::value& value) {
  const auto quantity =
      api::Quantity::parse(value.is_string() ? std::string(value.get_string()) : to_json(value));
  if (!quantity.ok()) return 0;
  return resource == "cpu" ? quantity->milli_value() : quantity->value();
}

Amounts requests_of(const json::value& container) {
  Amounts out;
  for (const char* list : {"resources.limits", "resources.requests"}) {  // the latter wins
    for (const auto& member : get_object(container, list)) {
      out[std::string(member.key())] = amount_of(member.key(), member.value());
    }
  }
  return out;
}

void add(Amounts* to, const Amounts& more) {
  for (const auto& [name, amount] : more) (*to)[name] += amount;
}

// Upstream's rule: the containers' and sidecars' sum, or an init container's with the sidecars
// before it where that is more; and the overhead.
Amounts pod_requests(const json::value& pod) {
  Amounts sum, sidecars, most;
  for (const json::value& c : get_array(pod, "spec.containers")) add(&sum, requests_of(c));
  for (const json::value& c : get_array(pod, "spec.initContainers")) {
    Amounts at_once = requests_of(c);
    if (get_string(c, "restartPolicy") == "Always") {
      add(&sum, at_once);
      add(&sidecars, at_once);
      at_once = sidecars;
    } else {
      add(&at_once, sidecars);
    }
    for (const auto& [name, amount] : at_once) most[name] = std::max(most[name], amount);
  }
  for (const auto& [name, amount] : most) sum[name] = std::max(sum[name], amount);
  for (const auto& member : get_object(pod, "spec.overhead")) {
    sum[std::string(member.key())] += amount_of(member.key(), member.value());
  }
  return sum;
}

struct HostPort {
  std::string protocol, ip;
  std::int64_t port = 0;
  std::string text() const { return fmt::format("{} {} {}", protocol, ip, port); }
};

std::vector<HostPort> host_ports(const json::value& pod) {
  std::vector<HostPort> out;
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& c : get_array(pod, list)) {
      for (const json::value& p : get_array(c, "ports")) {
        const std::int64_t port = get_int(p, "hostPort");
        if (port == 0) continue;
        out.push_back({std::string(get_string(p, "protocol", "TCP")),
                       std::string(get_string(p, "hostIP", "0.0.0.0")), port});
      }
    }
  }
  return out;
}

// What a pod may set without harm to others on its node (upstream: pkg/kubelet/sysctl, safe
// sysctls); the first part names the namespace it belongs to.
constexpr std::string_view kSafeSysctls[] = {
    "kernel.shm_rmid_forced",           "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",        "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",     "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",      "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",          "net.ipv4.tcp_wmem",
};

std::optional<Rejection> forbidden_sysctl(const json::value& pod) {
  const auto forbid = [](std::string_view name, std::string_view why) {
    return Rejection{"SysctlForbidden", fmt::format("forbidden sysctl: \"{}\" {}", name, why)};
  };
  for (const json::value& sysctl : get_array(pod, "spec.securityContext.sysctls")) {
    std::string name(get_string(sysctl, "name"));
    std::ranges::replace(name, '/', '.');
    if (std::ranges::find(kSafeSysctls, name) == std::end(kSafeSysctls)) {
      return forbid(name, "not allowlisted");
    }
    if (name.starts_with("net.") && get_bool(pod, "spec.hostNetwork")) {
      return forbid(name, "not allowed with host net enabled");
    }
    if (name.starts_with("kernel.") && get_bool(pod, "spec.hostIPC")) {
      return forbid(name, "not allowed with host ipc enabled");
    }
  }
  return std::nullopt;
}

}  // namespace

NodeLoad::Share NodeLoad::share_of(const json::value& pod) {
  Share share{pod_requests(pod), {}};
  for (const HostPort& port : host_ports(pod)) share.ports.insert(port.text());
  return share;
}

void NodeLoad::add(const std::string& uid, const json::value& pod) {
  const auto [at, fresh] = shares_.try_emplace(uid);
  if (!fresh) return;
  at->second = share_of(pod);
  kubelet::add(&total_, at->second.requests);
}

void NodeLoad::remove(const std::string& uid) {
  const auto found = shares_.find(uid);
  if (found == shares_.end()) return;
  for (const auto& [name, amount] : found->second.requests) total_[name] -= amount;
  shares_.erase(found);
}

std::optional<Rejection> Admission::refuse(const json::value& pod) const {
  const auto lacks = [](const std::string& resource, std::int64_t requested, std::int64_t used,
                        std::int64_t capacity) {
    return Rejection{"OutOf" + resource,
                     fmt::format("Node didn't have enough resource: {}, requested: {}, used: {}, "
                                 "capacity: {}",
                                 resource, requested, used, capacity)};
  };
  if (auto forbidden = forbidden_sysctl(pod)) return forbidden;
  const auto pods = static_cast<std::int64_t>(load.shares_.size());
  if (pods + 1 > facts.pods) return lacks("pods", 1, pods, facts.pods);
  const std::pair<const char*, const std::string*> known[] = {
      {"cpu", &facts.cpu},
      {"memory", &facts.memory},
      {"ephemeral-storage", &facts.ephemeral_storage}};
  const Amounts wanted = pod_requests(pod);
  for (const auto& [resource, capacity_text] : known) {
    const auto found = wanted.find(resource);
    if (found == wanted.end() || found->second == 0) continue;
    const auto used_at = load.total_.find(resource);
    const std::int64_t used = used_at == load.total_.end() ? 0 : used_at->second;
    const std::int64_t capacity = amount_of(resource, json::value(*capacity_text));
    if (used + found->second > capacity) return lacks(resource, found->second, used, capacity);
  }
  if (labels != nullptr && !api::RequiredNodes::parse(pod).matches({labels, facts.name})) {
    return Rejection{"NodeAffinity",
                     "Predicate NodeAffinity failed: node(s) didn't match Pod's node "
                     "affinity/selector"};
  }
  for (const HostPort& port : host_ports(pod)) {
    for (const auto& [uid, share] : load.shares_) {
      for (const std::string& taken : share.ports) {
        const bool any = port.ip == "0.0.0.0" || taken.find(" 0.0.0.0 ") != std::string::npos;
        const bool same = any ? taken.starts_with(port.protocol + " ") &&
                                    taken.ends_with(fmt::format(" {}", port.port))
                              : taken == port.text();
        if (!same) continue;
        return Rejection{"NodePorts",
                         "Predicate NodePorts failed: node(s) didn't have free ports for the "
                         "requested pod ports"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace coracle::kubelet
