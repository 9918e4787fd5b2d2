// ConfigMaps and Secrets that a kustomization generates, and the suffix of their names. Pure.
#pragma once

#include "kustomize/kustomize.hpp"
#include "kustomize/resource.hpp"

namespace coracle::kustomize {

// One entry of configMapGenerator (or secretGenerator), added to the resources, merged into the one
// of that name, or in its place, as its `behavior` says. `options`: generatorOptions.
Status generate(const std::string& directory, const json::value& entry, bool secret,
                const json::value& options, const Files& files, Resources* resources);
// Ten characters of the content: equal content, equal suffix.
std::string content_suffix(const json::value& object);

}  // namespace coracle::kustomize
