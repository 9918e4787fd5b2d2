// Ingress, IngressClass
#include "api/object.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"

namespace coracle::kubectl {
namespace {

// "web:80 (127.128.0.5:8080)"
std::string backend_text(const DescribeContext& context, const json::value& backend) {
  if (find(backend, "resource")) {
    return "APIGroup: " + or_none(text_at(backend, "resource.apiGroup")) +
           ", Kind: " + text_at(backend, "resource.kind") +
           ", Name: " + text_at(backend, "resource.name");
  }
  const std::string name = text_at(backend, "service.name");
  if (name.empty()) return "";
  const std::string number = text_at(backend, "service.port.number");
  const std::string port = number.empty() ? text_at(backend, "service.port.name") : number;
  const auto services =
      context.list("services", context.target.ns, {{"fieldSelector", "metadata.name=" + name}});
  if (services.empty()) {
    return name + ":" + port + " (<error: services \"" + name + "\" not found>)";
  }
  std::string port_name;
  for (const json::value& p : get_array(services[0], "spec.ports")) {
    if (text_at(p, "port") == port || text_at(p, "name") == port) port_name = text_at(p, "name");
  }
  const auto slices = context.list("endpointslices.discovery.k8s.io", context.target.ns,
                                   {{"labelSelector", "kubernetes.io/service-name=" + name}});
  return name + ":" + port + " (" + endpoints_text(slices, port_name) + ")";
}

std::string addresses_of(const json::value& ingress) {
  std::vector<std::string> found;
  for (const json::value& at : get_array(ingress, "status.loadBalancer.ingress")) {
    const std::string ip = text_at(at, "ip");
    found.push_back(ip.empty() ? text_at(at, "hostname") : ip);
  }
  return join(found, ",");
}

void write_tls(DescribeWriter& out, const json::value& ingress) {
  if (get_array(ingress, "spec.tls").empty()) return;
  out.line(0, "TLS:");
  for (const json::value& tls : get_array(ingress, "spec.tls")) {
    std::vector<std::string> hosts;
    for (const json::value& host : get_array(tls, "hosts")) {
      if (host.is_string()) hosts.emplace_back(host.as_string());
    }
    const std::string secret = text_at(tls, "secretName");
    out.line(1, (secret.empty() ? "SNI routes " : secret + " terminates ") + join(hosts, ","));
  }
}

}  // namespace

void describe_ingress(DescribeWriter& out, const DescribeContext& context) {
  const json::value& ingress = context.object;
  const json::value* fallback = find(ingress, "spec.defaultBackend");
  const std::string fallback_text = fallback ? backend_text(context, *fallback) : "<default>";
  out.field(0, "Name", api::name_of(ingress));
  write_labels(out, "Labels", get_object(ingress, "metadata.labels"));
  out.field(0, "Namespace", api::namespace_of(ingress));
  out.field(0, "Address", addresses_of(ingress));
  out.field(0, "Ingress Class", or_none(text_at(ingress, "spec.ingressClassName")));
  out.field(0, "Default backend", fallback_text);
  write_tls(out, ingress);
  out.line(0, "Rules:");
  out.line(1, "Host\tPath\tBackends");
  out.line(1, "----\t----\t--------");
  bool any = false;
  for (const json::value& rule : get_array(ingress, "spec.rules")) {
    if (!find(rule, "http")) continue;
    any = true;
    const std::string host = text_at(rule, "host");
    out.line(1, (host.empty() ? "*" : host) + "\t");
    for (const json::value& path : get_array(rule, "http.paths")) {
      const json::value* backend = find(path, "backend");
      out.line(2, "\t" + text_at(path, "path") + " \t" +
                      (backend ? backend_text(context, *backend) : ""));
    }
  }
  if (!any) out.line(1, "*\t*\t" + fallback_text);
  write_annotations(out, "Annotations", get_object(ingress, "metadata.annotations"));
}

void describe_ingress_class(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  out.field(0, "Name", api::name_of(object));
  write_labels(out, "Labels", get_object(object, "metadata.labels"));
  write_annotations(out, "Annotations", get_object(object, "metadata.annotations"));
  out.field(0, "Controller", text_at(object, "spec.controller"));
  if (!find(object, "spec.parameters")) return;
  out.line(0, "Parameters:");
  if (find(object, "spec.parameters.apiGroup")) {
    out.field(1, "APIGroup", text_at(object, "spec.parameters.apiGroup"));
  }
  out.field(1, "Kind", text_at(object, "spec.parameters.kind"));
  out.field(1, "Name", text_at(object, "spec.parameters.name"));
}

}  // namespace coracle::kubectl
