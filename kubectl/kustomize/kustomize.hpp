// kustomize: what `kubectl kustomize DIR` makes of a kustomization.yaml and what it names, as
// kustomize v5 does it. Pure; files come through a port.
//
// Knows: resources (files and directories), namePrefix, nameSuffix, namespace, labels,
// commonLabels, commonAnnotations, configMapGenerator, secretGenerator, generatorOptions, patches
// (strategic and JSON 6902; inline and files; targets), patchesStrategicMerge, patchesJson6902,
// images, replicas, sortOptions. Any other member is an error that names it; so are remote
// resources. Bound: kDepthMax directories in each other, kFilesMax files.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::kustomize {

inline constexpr int kDepthMax = 20, kFilesMax = 10'000;

// Paths are as given, or below them. NotFound: there is no such file.
struct Files {
  std::function<Result<std::string>(const std::string& path)> read;
  std::function<bool(const std::string& path)> is_directory;
};

// In the order kubectl prints them. Failures name file and field.
Result<std::vector<json::value>> build(const std::string& directory, const Files& files);

}  // namespace coracle::kustomize
