#include <set>

#include "api/object.hpp"
#include "api/warnings/warnings.hpp"
#include "base/strings.hpp"

namespace coracle::api::warnings {
namespace {

void annotations(const json::value& pod, const FieldPath& path, Texts& out) {
  struct Old {
    std::string_view key, text;
  };
  static constexpr Old kOld[] = {
      {"scheduler.alpha.kubernetes.io/critical-pod",
       R"(non-functional in v1.16+; use the "priorityClassName" field instead)"},
      {"security.alpha.kubernetes.io/sysctls",
       R"(non-functional in v1.11+; use the "sysctls" field instead)"},
      {"security.alpha.kubernetes.io/unsafe-sysctls",
       R"(non-functional in v1.11+; use the "sysctls" field instead)"},
  };
  const json::object& given = get_object(pod, "metadata.annotations");
  for (const Old& old : kOld) {
    if (given.contains(old.key)) {
      at(path.child("metadata", "annotations").key(old.key), old.text, out);
    }
  }
}

// Of a list whose items should differ in {key}.
void repeated(const json::value& spec, std::string_view list, std::string_view key,
              const FieldPath& path, Texts& out) {
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& item : get_array(spec, list)) {
    const FieldPath here = path.child(list).index(index++).child(key);
    const std::string_view text = get_string(item, key);
    if (!seen.emplace(text).second) {
      at(here, "duplicate " + std::string(key) + " " + quoted(text), out);
    }
  }
}

void environment(const json::value& container, const FieldPath& path, Texts& out) {
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& item : get_array(container, "env")) {
    const FieldPath here = path.child("env").index(index++);
    const std::string name(get_string(item, "name"));
    if (seen.insert(name).second) continue;
    // A value that is made from the one before it is meant.
    const std::string reference = "$(" + name + ")";
    const std::string_view value = get_string(item, "value");
    if (find_member(item, "valueFrom") != nullptr || value == reference ||
        value.find(reference) == std::string_view::npos) {
      at(here,
         "hides previous definition of " + quoted(name) + ", which may be dropped when using apply",
         out);
    }
  }
}

// An annotation of old that a field has replaced: {prefix}{container's name}.
void old_profile(const json::value& pod, const json::value& container, std::string_view prefix,
                 std::string_view field, std::string_view text, const FieldPath& path, Texts& out) {
  const std::string key = std::string(prefix) + std::string(get_string(container, "name"));
  if (find(container, "securityContext." + std::string(field)) == nullptr &&
      get_object(pod, "metadata.annotations").contains(key)) {
    at(path.child("metadata", "annotations").key(key), text, out);
  }
}

void container(const json::value& pod, const json::value& container, const FieldPath& path,
               const FieldPath& here, Texts& out) {
  old_profile(pod, container, "container.seccomp.security.alpha.kubernetes.io/", "seccompProfile",
              R"(non-functional in v1.27+; use the "seccompProfile" field instead)", path, out);
  old_profile(pod, container, "container.apparmor.security.beta.kubernetes.io/", "appArmorProfile",
              R"(deprecated since v1.30; use the "appArmorProfile" field instead)", path, out);
  const json::value* resources = find_member(container, "resources");
  if (resources != nullptr) {
    for (const std::string_view name : {"memory", "ephemeral-storage"}) {
      for (const std::string_view list : {"limits", "requests"}) {
        if (const json::value* amounts = find_member(*resources, list)) {
          whole_bytes(*amounts, name, here.child("resources", list), out);
        }
      }
    }
  }
  environment(container, here, out);
}

void metadata_and_containers(const json::value& pod, const json::value& spec, const FieldPath& path,
                             Texts& out) {
  constexpr std::string_view kSeccomp = "seccomp.security.alpha.kubernetes.io/pod";
  if (find(spec, "securityContext.seccompProfile") == nullptr &&
      get_object(pod, "metadata.annotations").contains(kSeccomp)) {
    at(path.child("metadata", "annotations").key(kSeccomp),
       R"(non-functional in v1.27+; use the "seccompProfile" field instead)", out);
  }
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    std::size_t index = 0;
    for (const json::value& one : get_array(spec, list)) {
      container(pod, one, path, path.child("spec", list).index(index++), out);
    }
  }
}

}  // namespace

void pod_parts(const json::value& pod, const FieldPath& path, Texts& out) {
  static const json::value kNothing = json::object();
  const json::value* found = find_member(pod, "spec");
  const json::value& spec = found == nullptr ? kNothing : *found;
  const FieldPath at_spec = path.child("spec");
  pod_placement(spec, at_spec, out);
  annotations(pod, path, out);
  pod_volumes(spec, at_spec, out);
  repeated(spec, "hostAliases", "ip", at_spec, out);
  repeated(spec, "imagePullSecrets", "name", at_spec, out);
  std::size_t index = 0;
  for (const json::value& item : get_array(spec, "imagePullSecrets")) {
    const FieldPath here = at_spec.child("imagePullSecrets").index(index++).child("name");
    if (get_string(item, "name").empty()) at(here, R"(invalid empty name "")", out);
  }
  if (const json::value* overhead = find_member(spec, "overhead")) {
    for (const std::string_view name : {"memory", "ephemeral-storage"}) {
      whole_bytes(*overhead, name, at_spec.child("overhead"), out);
    }
  }
  metadata_and_containers(pod, spec, path, out);
  pod_ports(spec, at_spec, out);
  if (get_int(spec, "terminationGracePeriodSeconds") < 0) {
    at(at_spec.child("terminationGracePeriodSeconds"),
       "must be >= 0; negative values are invalid and will be treated as 1", out);
  }
  for (const std::string_view key : {"podAffinity", "podAntiAffinity"}) {
    const FieldPath here = at_spec.child("affinity", key);
    for (const std::string_view when : {"requiredDuringSchedulingIgnoredDuringExecution",
                                        "preferredDuringSchedulingIgnoredDuringExecution"}) {
      const bool weighted = when.starts_with("preferred");
      index = 0;
      for (const json::value& term :
           get_array(spec, "affinity." + std::string(key) + "." + std::string(when))) {
        FieldPath place = here.child(when).index(index++);
        if (weighted) place = place.child("podAffinityTerm");
        if (find(term, weighted ? "podAffinityTerm.labelSelector" : "labelSelector") == nullptr) {
          at(place.child("labelSelector"), "a null labelSelector results in matching no pod", out);
        }
      }
    }
  }
  index = 0;
  for (const json::value& server : get_array(spec, "dnsConfig.nameservers")) {
    const FieldPath here = at_spec.child("dnsConfig", "nameservers").index(index++);
    if (server.is_string()) ip(here, server.get_string(), out);
  }
  index = 0;
  for (const json::value& alias : get_array(spec, "hostAliases")) {
    ip(at_spec.child("hostAliases").index(index++).child("ip"), get_string(alias, "ip"), out);
  }
}

}  // namespace coracle::api::warnings
