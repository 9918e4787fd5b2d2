// pod_parts: the pieces of a pod's validation, one file each, joined by pod_spec.cpp.
#pragma once

#include <map>
#include <string>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

// Volumes by name; those without a usable name are left out.
using Volumes = std::map<std::string, const json::value*, std::less<>>;

// pod_spec.cpp
void pod_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors);
// {metadata, spec} of a controller.
void pod_template(const json::value& pod_template, const FieldPath& path, FieldErrors& errors);

// volume.cpp
Volumes volumes(const json::value& spec, const FieldPath& path, FieldErrors& errors);

// container.cpp
void containers(const json::value& spec, const Volumes& volumes, const FieldPath& path,
                FieldErrors& errors);
void resources(const json::value* requirements, const FieldPath& path, FieldErrors& errors);

// probe.cpp
void container_hooks(const json::value& container, const FieldPath& path, FieldErrors& errors);

// env.cpp
void environment(const json::value& container, const FieldPath& path, FieldErrors& errors);
// fieldRef of an environment variable or a downward file.
void field_ref(const json::value& selector, const std::vector<std::string>& supported,
               const FieldPath& path, FieldErrors& errors);

// scheduling.cpp
void affinity(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void tolerations(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void topology_spread(const json::value& spec, const FieldPath& path, FieldErrors& errors);
void taint_effect(std::string_view effect, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api::validation
