#include "api/object.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"

namespace coracle::kubectl {
namespace {

constexpr size_t kEndpointsShown = 3;

std::string joined(const json::value& object, std::string_view path) {
  std::vector<std::string> parts;
  for (const json::value& item : get_array(object, path)) {
    if (item.is_string()) parts.emplace_back(item.as_string());
  }
  return or_none(join(parts, ","));
}

void write_ports(DescribeWriter& out, const DescribeContext& context) {
  const auto slices =
      context.list("endpointslices.discovery.k8s.io", context.target.ns,
                   {{"labelSelector",
                     "kubernetes.io/service-name=" + std::string(api::name_of(context.object))}});
  for (const json::value& port : get_array(context.object, "spec.ports")) {
    std::string name = text_at(port, "name");
    const std::string protocol = text_at(port, "protocol");
    const std::string endpoints = endpoints_text(slices, name);
    if (name.empty()) name = "<unset>";
    out.field(0, "Port", name + "\t" + text_at(port, "port") + "/" + protocol);
    out.field(0, "TargetPort", text_at(port, "targetPort") + "/" + protocol);
    if (get_int(port, "nodePort") != 0) {
      out.field(0, "NodePort", name + "\t" + text_at(port, "nodePort") + "/" + protocol);
    }
    out.field(0, "Endpoints", endpoints);
  }
}

void write_load_balancer(DescribeWriter& out, const json::value& service) {
  std::vector<std::string> shown;
  for (const json::value& at : get_array(service, "status.loadBalancer.ingress")) {
    const std::string ip = text_at(at, "ip"), mode = text_at(at, "ipMode");
    shown.push_back(ip.empty()     ? text_at(at, "hostname")
                    : mode.empty() ? ip
                                   : ip + " (" + mode + ")");
  }
  if (!shown.empty()) out.field(0, "LoadBalancer Ingress", join(shown, ", "));
}

void write_optional(DescribeWriter& out, const json::value& service, const char* title,
                    const char* path) {
  const std::string text = text_at(service, path);
  if (!text.empty()) out.field(0, title, text);
}

}  // namespace

std::string endpoints_text(const std::vector<json::value>& slices, const std::string& port_name) {
  std::vector<std::string> shown;
  size_t count = 0;
  for (const json::value& slice : slices) {
    for (const json::value& port : get_array(slice, "ports")) {
      if (text_at(port, "name") != port_name) continue;
      for (const json::value& endpoint : get_array(slice, "endpoints")) {
        const json::value* ready = find(endpoint, "conditions.ready");
        if (ready && ready->is_bool() && !ready->as_bool()) continue;
        for (const json::value& address : get_array(endpoint, "addresses")) {
          if (++count > kEndpointsShown) continue;
          shown.push_back(std::string(address.as_string()) + ":" + text_at(port, "port"));
        }
      }
    }
  }
  if (shown.empty()) return "";
  std::string out = join(shown, ",");
  if (count > shown.size()) {
    out += " + " + std::to_string(count - shown.size()) + " more...";
  }
  return out;
}

void describe_service(DescribeWriter& out, const DescribeContext& context) {
  const json::value& service = context.object;
  write_head(out, service);
  out.field(0, "Selector", labels_line(get_object(service, "spec.selector")));
  out.field(0, "Type", text_at(service, "spec.type"));
  write_optional(out, service, "IP Family Policy", "spec.ipFamilyPolicy");
  out.field(0, "IP Families", joined(service, "spec.ipFamilies"));
  out.field(0, "IP", text_at(service, "spec.clusterIP"));
  out.field(0, "IPs", joined(service, "spec.clusterIPs"));
  if (!get_array(service, "spec.externalIPs").empty()) {
    out.field(0, "External IPs", joined(service, "spec.externalIPs"));
  }
  write_optional(out, service, "Desired LoadBalancer IP", "spec.loadBalancerIP");
  write_optional(out, service, "External Name", "spec.externalName");
  write_load_balancer(out, service);
  write_ports(out, context);
  out.field(0, "Session Affinity", text_at(service, "spec.sessionAffinity"));
  write_optional(out, service, "External Traffic Policy", "spec.externalTrafficPolicy");
  write_optional(out, service, "Internal Traffic Policy", "spec.internalTrafficPolicy");
}

}  // namespace coracle::kubectl
