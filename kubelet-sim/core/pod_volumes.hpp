// What the files of a pod's volumes are: configMap, secret, downwardAPI and projected volumes from
// what was looked up. Pure (upstream: pkg/volume/{configmap,secret,projected,downwardapi}).
#pragma once

#include <string>
#include <vector>

#include "kubelet/pod_environment.hpp"

namespace coracle::kubelet {

struct VolumeFile {
  std::string path;  // inside the volume, no "..", no leading slash
  std::string content;
  int mode = 0644;
  friend bool operator==(const VolumeFile&, const VolumeFile&) = default;
};

// A token a projected volume asks for; the driver gets it and puts it at `path`.
struct TokenWanted {
  std::string path, audience;
  std::int64_t expiration_seconds = 3600;
  int mode = 0644;
};

struct VolumeContent {
  std::vector<VolumeFile> files;
  std::vector<TokenWanted> tokens;
};

// Does the volume hold files that are made from sources (and follow their changes)?
bool is_file_volume(const json::value& volume);
SourceNames volume_sources(const json::value& volume);

struct VolumeInput {
  const json::value& pod;
  const json::value& volume;
  const PodPlace& place;
  const NodeResources& node;
  const Sources& sources;
};
// FailedPrecondition: what follows `MountVolume.SetUp failed for volume "x" : `.
Result<VolumeContent> volume_content(const VolumeInput& input);

}  // namespace coracle::kubelet
