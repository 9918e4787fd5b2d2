// pod_parts: the pieces of a pod's validation, one file each, joined by pod_spec.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// Volumes by name; those that were found bad are left out.
using Volumes = std::map<std::string, const json::value*, std::less<>>;

// A pod's own rules are stricter than those of a template it may come from.
enum class PodRole { kPod, kTemplate };

// What checks of a container ask about the pod around it.
struct PodAround {
  const json::value& spec;
  const Volumes& volumes;
  PodRole role;
  std::optional<std::int64_t> grace_seconds;
  bool host_users = true;
};

// pod_spec.cpp
void pod_spec(const json::value& spec, PodRole role, const FieldPath& path, FieldErrors& errors);
// {metadata, spec} of a controller.
void pod_template(const json::value& pod_template, const FieldPath& path, FieldErrors& errors);
// Annotations that mean something for a pod or a template with this spec.
void pod_annotations(const json::value& object, const FieldPath& path, FieldErrors& errors);

// volume.cpp
Volumes volumes(const json::value& spec, PodRole role, const FieldPath& path, FieldErrors& errors);
// volume_source.cpp: what is inside {path}, which is the source's own member.
void volume_source(std::string_view kind, const json::value& source, PodRole role,
                   const FieldPath& path, FieldErrors& errors);

// device_claims.cpp
// spec.resourceClaims and status.resourceClaimStatuses.
void pod_device_claims(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void device_claim_statuses(const json::value& pod, FieldErrors& errors);

// container.cpp
void containers(const PodAround& pod, const FieldPath& path, FieldErrors& errors);
// mounts.cpp
void volume_mounts(const json::value& container, const Volumes& volumes, const FieldPath& path,
                   FieldErrors& errors);
void volume_devices(const json::value& container, const Volumes& volumes, const FieldPath& path,
                    FieldErrors& errors);

// security.cpp
void pod_security_context(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void container_security_context(const json::value& container, bool host_users,
                                const FieldPath& path, FieldErrors& errors);
// What spec.os forbids.
void operating_system(const json::value& spec, const FieldPath& path, FieldErrors& errors);

// probe.cpp
void container_hooks(const json::value& container, const PodAround& pod, const FieldPath& path,
                     FieldErrors& errors);

// env.cpp
void environment(const json::value& container, const FieldPath& path, FieldErrors& errors);
// fieldRef of an environment variable or a downward file.
void field_ref(const json::value& selector, const std::vector<std::string>& supported,
               const FieldPath& path, FieldErrors& errors);
// resourceFieldRef; a downward file must name the container.
void resource_ref(const json::value& selector, bool in_volume, const FieldPath& path,
                  FieldErrors& errors);

// scheduling.cpp
void affinity(const json::value& spec, const FieldPath& path, FieldErrors& errors);
// {nodeSelectorTerms}, with good values or, where upstream is lenient, any.
void node_selector(const json::value& selector, const FieldPath& path, FieldErrors& errors);
void tolerations(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void topology_spread(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void taint_effect(std::string_view effect, const FieldPath& path, FieldErrors& errors);

// storage_claim.cpp: the spec of a claim, or of the template of one.
void claim_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors);
// {metadata, spec} of a claim that a pod or a StatefulSet makes.
void claim_template(const json::value& claim, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api::validation
