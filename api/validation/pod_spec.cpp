#include <algorithm>
#include <limits>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

void dns(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  checks::one_of(spec, "dnsPolicy", path,
                 {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"}, errors);
  const bool has_servers = !get_array(spec, "dnsConfig.nameservers").empty();
  if (text_of(spec, "dnsPolicy") == "None" && !has_servers) {
    errors.required(path.child("dnsConfig").child("nameservers"),
                    "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
  std::size_t index = 0;
  for (const json::value& server : get_array(spec, "dnsConfig.nameservers")) {
    const FieldPath at = path.child("dnsConfig").child("nameservers").index(index++);
    if (server.is_string()) {
      errors.invalid_each(at, server, check_ip(server.get_string()));
    }
  }
}

void names(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view key : {"serviceAccountName", "nodeName"}) {
    if (const std::string_view name = text_of(spec, key); !name.empty()) {
      checks::dns_subdomain(name, path.child(key), errors);
    }
  }
}

void gates(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& gate : get_array(spec, "readinessGates")) {
    checks::label_name(text_of(gate, "conditionType"),
                       path.child("readinessGates").index(index++).child("conditionType"), errors);
  }
  index = 0;
  std::vector<std::string_view> seen;
  for (const json::value& gate : get_array(spec, "schedulingGates")) {
    const FieldPath at = path.child("schedulingGates").index(index++);
    const std::string_view name = text_of(gate, "name");
    checks::label_name(name, at, errors);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      errors.duplicate(at, checks::text_value(name));
    }
    seen.push_back(name);
  }
}

void security_context(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* context = member(spec, "securityContext");
  if (context == nullptr) {
    return;
  }
  const FieldPath at = path.child("securityContext");
  checks::non_negative(*context, {"fsGroup", "runAsUser", "runAsGroup"}, at, errors);
  std::size_t index = 0;
  for (const json::value& group : get_array(*context, "supplementalGroups")) {
    checks::in_range(&group, 0, std::numeric_limits<std::int32_t>::max(),
                     at.child("supplementalGroups").index(index++), errors);
  }
}

void host_aliases(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& alias : get_array(spec, "hostAliases")) {
    const FieldPath at = path.child("hostAliases").index(index++);
    errors.invalid_each(at.child("ip"), checks::text_value(text_of(alias, "ip")),
                        check_ip(text_of(alias, "ip")));
    for (const json::value& host : get_array(alias, "hostnames")) {
      if (host.is_string()) {
        checks::dns_subdomain(host.get_string(), at.child("hostnames"), errors);
      }
    }
  }
}

}  // namespace

void pod_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const Volumes known = volumes(spec, path, errors);
  containers(spec, known, path, errors);
  checks::one_of(spec, "restartPolicy", path, {"Always", "OnFailure", "Never"}, errors);
  dns(spec, path, errors);
  validate_labels(member(spec, "nodeSelector"), path.child("nodeSelector"), errors);
  security_context(spec, path, errors);
  affinity(spec, path, errors);
  gates(spec, path, errors);
  topology_spread(spec, path, errors);
  names(spec, path, errors);
  checks::in_range(member(spec, "activeDeadlineSeconds"), 1,
                   std::numeric_limits<std::int32_t>::max(), path.child("activeDeadlineSeconds"),
                   errors);
  for (const std::string_view key : {"hostname", "subdomain"}) {
    if (const std::string_view name = text_of(spec, key); !name.empty()) {
      checks::dns_label(name, path.child(key), errors);
    }
  }
  tolerations(spec, path, errors);
  host_aliases(spec, path, errors);
  for (const std::string_view key : {"priorityClassName", "runtimeClassName"}) {
    if (const std::string_view name = text_of(spec, key); !name.empty()) {
      checks::dns_subdomain(name, path.child(key), errors);
    }
  }
  checks::one_of_if_set(spec, "preemptionPolicy", path, {"PreemptLowerPriority", "Never"}, errors);
  checks::non_negative(spec, {"terminationGracePeriodSeconds"}, path, errors);
}

void pod_template(const json::value& pod_template, const FieldPath& path, FieldErrors& errors) {
  const FieldPath metadata = path.child("metadata");
  validate_labels(find(pod_template, "metadata.labels"), metadata.child("labels"), errors);
  validate_annotations(find(pod_template, "metadata.annotations"), metadata.child("annotations"),
                       errors);
  static const json::value kNothing = json::object();
  const json::value* spec = member(pod_template, "spec");
  pod_spec(spec == nullptr ? kNothing : *spec, path.child("spec"), errors);
  if (!get_array(pod_template, "spec.ephemeralContainers").empty()) {
    errors.forbidden(path.child("spec").child("ephemeralContainers"),
                     "ephemeral containers not allowed in pod template");
  }
}

void pod_template_kind(const json::value& object, const json::value*, FieldErrors& errors) {
  static const json::value kNothing = json::object();
  const json::value* inner = member(object, "template");
  pod_template(inner == nullptr ? kNothing : *inner, FieldPath("template"), errors);
}

}  // namespace coracle::api::validation
