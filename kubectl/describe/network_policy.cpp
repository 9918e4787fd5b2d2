// NetworkPolicy
#include <algorithm>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"

namespace coracle::kubectl {
namespace {

void write_port(DescribeWriter& out, const json::value& port) {
  std::string protocol = text_at(port, "protocol");
  if (protocol.empty()) protocol = "TCP";
  const std::string end = text_at(port, "endPort"), number = text_at(port, "port");
  if (end.empty()) {
    out.line(2, "To Port: " + number + "/" + protocol);
  } else {
    out.line(2, "To Port Range: " + number + "-" + end + "/" + protocol);
  }
}

void write_peer(DescribeWriter& out, const json::value& peer, const std::string& title) {
  out.line(2, title + ":");
  for (const auto& [field, name] : {std::pair{"namespaceSelector", "NamespaceSelector: "},
                                    std::pair{"podSelector", "PodSelector: "}}) {
    const json::value* selector = find(peer, field);
    if (selector) out.line(3, name + api::format_label_selector(selector));
  }
  if (!find(peer, "ipBlock")) return;
  out.line(3, "IPBlock:");
  out.line(4, "CIDR: " + text_at(peer, "ipBlock.cidr"));
  std::vector<std::string> except;
  for (const json::value& cidr : get_array(peer, "ipBlock.except")) {
    if (cidr.is_string()) except.emplace_back(cidr.as_string());
  }
  out.line(4, "Except: " + join(except, ", "));
}

struct Direction {
  const char *type, *rules, *peers, *word, *title, *unrestricted;
};
constexpr Direction kIngress{"Ingress", "spec.ingress", "from", "ingress", "From", "source"};
constexpr Direction kEgress{"Egress", "spec.egress", "to", "egress", "To", "destination"};

void write_rules(DescribeWriter& out, const json::value& policy, const Direction& d) {
  const json::array& rules = get_array(policy, d.rules);
  if (rules.empty()) {
    out.line(2, std::string("<none> (Selected pods are isolated for ") + d.word + " connectivity)");
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    const json::array& ports = get_array(rules[i], "ports");
    if (ports.empty()) out.line(2, "To Port: <any> (traffic allowed to all ports)");
    for (const json::value& port : ports) write_port(out, port);
    const json::array& peers = get_array(rules[i], d.peers);
    if (peers.empty()) {
      out.line(2,
               std::string(d.title) + ": <any> (traffic not restricted by " + d.unrestricted + ")");
    }
    for (const json::value& peer : peers) write_peer(out, peer, d.title);
    if (i + 1 < rules.size()) out.line(2, "----------");
  }
}

}  // namespace

void describe_network_policy(DescribeWriter& out, const DescribeContext& context) {
  const json::value& policy = context.object;
  std::vector<std::string> types;
  for (const json::value& type : get_array(policy, "spec.policyTypes")) {
    if (type.is_string()) types.emplace_back(type.as_string());
  }
  std::string created = text_at(policy, "metadata.creationTimestamp");
  if (created.size() == 20)
    created = created.substr(0, 10) + " " + created.substr(11, 8) + " +0000 UTC";
  out.field(0, "Name", api::name_of(policy));
  out.field(0, "Namespace", api::namespace_of(policy));
  out.field(0, "Created on", created);
  write_labels(out, "Labels", get_object(policy, "metadata.labels"));
  write_annotations(out, "Annotations", get_object(policy, "metadata.annotations"));
  out.flush();
  out.line(0, "Spec:");
  const json::value* selector = find(policy, "spec.podSelector");
  const bool all = !selector || selector->as_object().empty();
  out.line(1, "PodSelector:     " +
                  (all ? "<none> (Allowing the specific traffic to all pods in this namespace)"
                       : api::format_label_selector(selector)));
  for (const Direction& d : {kIngress, kEgress}) {
    if (std::find(types.begin(), types.end(), d.type) == types.end()) {
      out.line(1, std::string("Not affecting ") + d.word + " traffic");
      continue;
    }
    out.line(1, std::string("Allowing ") + d.word + " traffic:");
    write_rules(out, policy, d);
  }
  out.line(1, "Policy Types: " + join(types, ", "));
}

}  // namespace coracle::kubectl
