// Ingress, IngressClass and NetworkPolicy.
#include <algorithm>
#include <string>

#include "api/addresses.hpp"
#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/network_parts.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

// A member that may be part of a path of the API.
void segment(const json::value& object, std::string_view key, const FieldPath& path,
             FieldErrors& errors) {
  if (checks::required_text(object, key, path, errors)) {
    errors.invalid_each(path.child(key), text_of(object, key),
                        check_path_segment_name(text_of(object, key)));
  }
}

void typed_reference(const json::value& reference, const FieldPath& path, FieldErrors& errors) {
  if (member(reference, "apiGroup") != nullptr) {
    checks::dns_subdomain(text_of(reference, "apiGroup"), path.child("apiGroup"), errors);
  }
  segment(reference, "kind", path, errors);
  segment(reference, "name", path, errors);
}

void service_backend(const json::value& service, const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("service");
  if (checks::required_text(service, "name", at, errors)) {
    const std::string_view name = text_of(service, "name");
    errors.invalid_each(at.child("name"), name, check_dns1035_label(name));
  }
  const json::value& port = child_or_empty(service, "port");
  const std::string_view name = text_of(port, "name");
  const std::int64_t number = get_int(port, "number");
  if (!name.empty() && number != 0) {
    errors.invalid(path, "", "cannot set both port name & port number");
  } else if (!name.empty()) {
    errors.invalid_each(at.child("port").child("name"), name, check_port_name(name));
  } else if (number != 0) {
    checks::port_number(member(port, "number"), at.child("port").child("number"), errors);
  } else {
    errors.required(path, "port name or number is required");
  }
}

void backend(const json::value& backend, const FieldPath& path, FieldErrors& errors) {
  const json::value* service = member(backend, "service");
  const json::value* resource = member(backend, "resource");
  if (service != nullptr && resource != nullptr) {
    errors.invalid(path, "", "cannot set both resource and service backends");
  } else if (resource != nullptr) {
    typed_reference(*resource, path.child("resource"), errors);
  } else if (service != nullptr) {
    service_backend(*service, path, errors);
  } else {
    errors.invalid(path, "", "resource or service backend is required");
  }
}

void path_text(std::string_view text, bool exact, const FieldPath& path, FieldErrors& errors) {
  if (!text.starts_with('/') && (exact || !text.empty())) {
    errors.invalid(path, text, "must be an absolute path");
  }
  if (!exact) return;
  for (const std::string_view part : {"//", "/./", "/../", "%2f", "%2F"}) {
    if (text.find(part) != std::string_view::npos) {
      errors.invalid(path, text, "must not contain '" + std::string(part) + "'");
    }
  }
  for (const std::string_view part : {"/..", "/."}) {
    if (text.ends_with(part)) {
      errors.invalid(path, text, "cannot end with '" + std::string(part) + "'");
    }
  }
}

void ingress_path(const json::value& entry, const FieldPath& path, FieldErrors& errors) {
  const json::value* type = member(entry, "pathType");
  if (type == nullptr) {
    errors.required(path.child("pathType"), "pathType must be specified");
    return;
  }
  const std::string_view kind = text_of(entry, "pathType");
  if (kind == "Exact" || kind == "Prefix" || kind == "ImplementationSpecific") {
    path_text(text_of(entry, "path"), kind != "ImplementationSpecific", path.child("path"), errors);
  } else {
    errors.not_supported(path.child("pathType"), *type,
                         {"Exact", "ImplementationSpecific", "Prefix"});
  }
  backend(child_or_empty(entry, "backend"), path.child("backend"), errors);
}

void ingress_rule(const json::value& rule, const FieldPath& path, FieldErrors& errors) {
  const std::string_view host = text_of(rule, "host");
  if (!host.empty()) {
    if (parse_ip(host)) {
      errors.invalid(path.child("host"), host, "must be a DNS name, not an IP address");
    }
    if (host.find('*') != std::string_view::npos) {
      checks::wildcard_host(host, path.child("host"), errors);
    } else {
      checks::dns_subdomain(host, path.child("host"), errors);
    }
  }
  const json::value* http = member(rule, "http");
  if (http == nullptr) return;
  const FieldPath at = path.child("http").child("paths");
  const json::array& paths = get_array(*http, "paths");
  if (paths.empty()) errors.required(at);
  std::size_t index = 0;
  for (const json::value& entry : paths) ingress_path(entry, at.index(index++), errors);
}

// Names of Secrets that were let in once may stay.
bool had_bad_secrets(const json::value* old) {
  if (old == nullptr) return false;
  for (const json::value& tls : get_array(*old, "spec.tls")) {
    const std::string_view name = text_of(tls, "secretName");
    if (!name.empty() && !check_dns1123_subdomain(name).empty()) return true;
  }
  return false;
}

void ingress_tls(const json::value& spec, const json::value* old, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& tls : get_array(spec, "tls")) {
    const FieldPath at = FieldPath("spec").child("tls").index(index++);
    std::size_t i = 0;
    for (const json::value& host : get_array(tls, "hosts")) {
      const FieldPath place = at.child("hosts").index(i++);
      if (!host.is_string()) continue;
      const std::string_view text = host.get_string();
      if (text.find('*') != std::string_view::npos) {
        checks::wildcard_host(text, place, errors);
      } else {
        checks::dns_subdomain(text, place, errors);
      }
    }
    const std::string_view name = text_of(tls, "secretName");
    if (!name.empty() && !had_bad_secrets(old)) {
      checks::dns_subdomain(name, at.child("secretName"), errors);
    }
  }
}

void ip_block(const json::value& block, const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = text_of(block, "cidr");
  if (text.empty()) {
    errors.required(path.child("cidr"));
    return;
  }
  legacy_network(path.child("cidr"), text, errors);
  const auto network = parse_network(text);
  if (!network) return;
  std::size_t index = 0;
  for (const json::value& hole : get_array(block, "except")) {
    const FieldPath at = path.child("except").index(index++);
    const std::string_view inside = hole.is_string() ? std::string_view(hole.get_string()) : "";
    if (!legacy_network(at, inside, errors)) continue;
    const auto inner = parse_network(inside)->masked();
    if (!network->contains(inner.address) || network->prefix >= inner.prefix) {
      errors.invalid(at, hole, "must be a strict subset of `cidr`");
    }
  }
}

void policy_port(const json::value& port, const FieldPath& path, FieldErrors& errors) {
  checks::one_of_if_set(port, "protocol", path, {"TCP", "UDP", "SCTP"}, errors);
  const json::value* number = member(port, "port");
  const json::value* end = member(port, "endPort");
  const auto no_end = [&](std::string_view why) {
    if (end != nullptr) {
      errors.invalid(path.child("endPort"), *end,
                     "may not be specified when `port` is " + std::string(why));
    }
  };
  if (number == nullptr) {
    no_end("not specified");
    return;
  }
  if (number->is_string()) no_end("non-numeric");
  checks::port_number_or_name(number, path.child("port"), errors);
  if (end == nullptr || !number->is_int64() || !end->is_int64()) return;
  if (end->get_int64() < number->get_int64()) {
    errors.invalid(path.child("endPort"), *end, "must be greater than or equal to `port`");
  }
  checks::port_number(end, path.child("endPort"), errors);
}

void policy_peer(const json::value& peer, const FieldPath& path, FieldErrors& errors) {
  int kinds = 0;
  for (const std::string_view key : {"podSelector", "namespaceSelector"}) {
    if (const json::value* selector = member(peer, key)) {
      ++kinds;
      validate_label_selector(selector, path.child(key), errors);
    }
  }
  const json::value* block = member(peer, "ipBlock");
  if (block != nullptr) ip_block(*block, path.child("ipBlock"), errors);
  if (block != nullptr && kinds > 0) {
    errors.forbidden(path, "may not specify both ipBlock and another peer");
  } else if (block == nullptr && kinds == 0) {
    errors.required(path, "must specify a peer");
  }
}

void class_parameters(const json::value& parameters, const FieldPath& path, FieldErrors& errors) {
  typed_reference(parameters, path, errors);
  if (member(parameters, "scope") == nullptr) {
    errors.required(path.child("scope"));
    return;
  }
  const std::string_view scope = text_of(parameters, "scope");
  const json::value* inside = member(parameters, "namespace");
  checks::one_of_if_set(parameters, "scope", path, {"Cluster", "Namespace"}, errors);
  if (scope == "Namespace" && inside == nullptr) {
    errors.required(path.child("namespace"), "`parameters.scope` is set to 'Namespace'");
  } else if (scope == "Namespace") {
    checks::dns_label(text_of(parameters, "namespace"), path.child("namespace"), errors);
  } else if (scope == "Cluster" && inside != nullptr) {
    errors.forbidden(path.child("namespace"), "`parameters.scope` is set to 'Cluster'");
  }
}

}  // namespace

void ingress(const json::value& object, const json::value* old, FieldErrors& errors) {
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const json::array& rules = get_array(spec, "rules");
  const json::value* fallback = member(spec, "defaultBackend");
  if (rules.empty() && fallback == nullptr) {
    errors.invalid(path, checks::value_or_null(member(spec, "rules")),
                   "either `defaultBackend` or `rules` must be specified");
  }
  if (fallback != nullptr) backend(*fallback, path.child("defaultBackend"), errors);
  std::size_t index = 0;
  for (const json::value& rule : rules) {
    ingress_rule(rule, path.child("rules").index(index++), errors);
  }
  ingress_tls(spec, old, errors);
  const json::value* name = member(spec, "ingressClassName");
  if (name != nullptr) {
    checks::dns_subdomain(text_of(spec, "ingressClassName"), path.child("ingressClassName"),
                          errors);
  }
  if (old == nullptr && name != nullptr && annotations_of(object).contains(kClass) &&
      annotation_of(object, kClass) != text_of(spec, "ingressClassName")) {
    errors.invalid(FieldPath("annotations").child(kClass), annotation_of(object, kClass),
                   "must match `ingressClassName` when both are specified");
  }
}

void ingress_status(const json::value& object, const json::value&, FieldErrors& errors) {
  const FieldPath path = FieldPath("status").child("loadBalancer", "ingress");
  std::size_t index = 0;
  for (const json::value& one : get_array(object, "status.loadBalancer.ingress")) {
    const FieldPath at = path.index(index++);
    if (const auto ip = text_of(one, "ip"); !ip.empty()) legacy_ip(at.child("ip"), ip, errors);
    host_name(at.child("hostname"), text_of(one, "hostname"), errors);
  }
}

void ingress_class(const json::value& object, const json::value* old, FieldErrors& errors) {
  constexpr int kMax = 250;
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path = FieldPath("spec").child("controller");
  const std::string_view controller = text_of(spec, "controller");
  if (old != nullptr && controller != get_string(*old, "spec.controller")) {
    errors.invalid(path, controller, checks::kImmutable);
  }
  if (controller.size() > kMax) errors.too_long(path, kMax);
  checks::domain_prefixed_path(controller, path, errors);
  if (const json::value* parameters = member(spec, "parameters")) {
    class_parameters(*parameters, FieldPath("spec").child("parameters"), errors);
  }
}

void network_policy(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  validate_label_selector(member(spec, "podSelector"), path.child("podSelector"), errors);
  for (const auto& [direction, peers] : {std::pair{"ingress", "from"}, std::pair{"egress", "to"}}) {
    std::size_t index = 0;
    for (const json::value& rule : get_array(spec, direction)) {
      const FieldPath at = path.child(direction).index(index++);
      std::size_t i = 0;
      for (const json::value& port : get_array(rule, "ports")) {
        policy_port(port, at.child("ports").index(i++), errors);
      }
      i = 0;
      for (const json::value& peer : get_array(rule, peers)) {
        policy_peer(peer, at.child(peers).index(i++), errors);
      }
    }
  }
  const json::array& types = get_array(spec, "policyTypes");
  if (types.size() > 2) {
    errors.invalid(path.child("policyTypes"), types, "may not specify more than two policyTypes");
    return;
  }
  std::size_t index = 0;
  for (const json::value& type : types) {
    const FieldPath at = path.child("policyTypes").index(index++);
    if (type != json::value("Ingress") && type != json::value("Egress")) {
      errors.not_supported(at, type, {"Ingress", "Egress"});
    }
  }
}

}  // namespace coracle::api::validation
