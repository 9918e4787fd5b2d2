#include <map>

#include "api/object.hpp"
#include "api/warnings/warnings.hpp"
#include "base/strings.hpp"

namespace coracle::api::warnings {
namespace {

struct Port {
  FieldPath path;
  std::string host_ip;
  std::int64_t host_port = 0;
};

// As Go prints the struct.
std::string shown(const json::value& port) {
  return "{Name:" + std::string(get_string(port, "name")) +
         " HostPort:" + std::to_string(get_int(port, "hostPort")) +
         " ContainerPort:" + std::to_string(get_int(port, "containerPort")) +
         " Protocol:" + std::string(get_string(port, "protocol")) +
         " HostIP:" + std::string(get_string(port, "hostIP")) + "}";
}

// How the port meets another of its number and protocol; "" when it does not.
std::string_view clash(const Port& port, const Port& other) {
  if (port.host_ip == other.host_ip && port.host_port == other.host_port) return "duplicate";
  if (port.host_port == 0 || other.host_port == 0) return "overlapping";
  if (port.host_port == other.host_port && port.host_ip.empty() != other.host_ip.empty()) {
    return "dangerously ambiguous";
  }
  return {};
}

// Every port of every container, with its place.
template <class Visit>
void each_port(const json::value& spec, const FieldPath& path, const Visit& visit) {
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    std::size_t index = 0;
    for (const json::value& container : get_array(spec, list)) {
      const FieldPath here = path.child(list).index(index++).child("ports");
      std::size_t i = 0;
      for (const json::value& port : get_array(container, "ports")) visit(port, here.index(i++));
    }
  }
}

void deprecated_keys(const json::value& spec, const FieldPath& path, Texts& out) {
  for (const auto& [key, value] : get_object(spec, "nodeSelector")) {
    if (const auto text = deprecated_label(key); !text.empty()) {
      at(path.child("nodeSelector").key(key), text, out);
    }
  }
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const FieldPath affinity = path.child("affinity", "nodeAffinity");
  const std::string inside = "affinity.nodeAffinity.";
  std::size_t index = 0;
  for (const json::value& term :
       get_array(spec, inside + std::string(kRequired) + ".nodeSelectorTerms")) {
    node_term(term, false, affinity.child(kRequired, "nodeSelectorTerms").index(index++), out);
  }
  index = 0;
  for (const json::value& term : get_array(spec, inside + std::string(kPreferred))) {
    const FieldPath here = affinity.child(kPreferred).index(index++).child("preference");
    if (const json::value* preference = find(term, "preference")) {
      node_term(*preference, true, here, out);
    }
  }
}

}  // namespace

void pod_placement(const json::value& spec, const FieldPath& path, Texts& out) {
  deprecated_keys(spec, path, out);
  std::size_t index = 0;
  for (const json::value& constraint : get_array(spec, "topologySpreadConstraints")) {
    const FieldPath here = path.child("topologySpreadConstraints").index(index++);
    const std::string key(get_string(constraint, "topologyKey"));
    if (const auto text = deprecated_label(key); !text.empty()) {
      at(here.child("topologyKey"), key + " is " + std::string(text), out);
    }
    if (find(constraint, "labelSelector") == nullptr) {
      at(here.child("labelSelector"), "a null labelSelector results in matching no pod", out);
    }
  }
}

void pod_ports(const json::value& spec, const FieldPath& path, Texts& out) {
  std::map<std::string, std::vector<Port>> by_number;
  each_port(spec, path, [&](const json::value& port, const FieldPath& here) {
    const Port mine{here, std::string(get_string(port, "hostIP")), get_int(port, "hostPort")};
    if (!mine.host_ip.empty() && mine.host_port == 0) {
      at(here, "hostIP set without hostPort: " + shown(port), out);
    }
    std::vector<Port>& others = by_number[std::to_string(get_int(port, "containerPort")) + "/" +
                                          std::string(get_string(port, "protocol"))];
    for (const Port& other : others) {
      if (const auto how = clash(mine, other); !how.empty()) {
        at(here, std::string(how) + " port definition with " + other.path.text(), out);
      }
    }
    others.push_back(mine);
  });
  std::map<std::string, std::string> by_name;
  each_port(spec, path, [&](const json::value& port, const FieldPath& here) {
    const std::string name(get_string(port, "name"));
    if (name.empty()) return;
    const auto [other, fresh] = by_name.emplace(name, here.text());
    if (!fresh) {
      at(here,
         "duplicate port name " + quoted(name) + " with " + other->second +
             ", services and probes that select ports by name will use " + other->second,
         out);
    }
  });
}

}  // namespace coracle::api::warnings
