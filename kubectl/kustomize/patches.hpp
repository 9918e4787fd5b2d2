// Patches of a kustomization: strategic ones that name their target themselves, and ones with a
// target. Pure.
#pragma once

#include "kustomize/resource.hpp"

namespace coracle::kustomize {

// `text`: YAML or JSON, of one patch or several (strategic) documents. `target`: {group, version,
// kind, name, namespace, labelSelector, annotationSelector}, names as anchored expressions; null:
// as the patch says. NotFound: nothing to patch.
Status apply_patch(const std::string& text, const json::value* target, Resources* resources);

}  // namespace coracle::kustomize
