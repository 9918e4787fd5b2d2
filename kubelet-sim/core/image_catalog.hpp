// ImageCatalog: how images behave in the scripted runtime, from YAML (docs/formats/images.md).
// Pure. Unknown images behave like the entry named "*".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/usage_curve.hpp"

namespace coracle::kubelet {

struct ImageBehaviour {
  Duration pull = std::chrono::milliseconds(50);
  Duration start = std::chrono::milliseconds(10);
  Duration stop = std::chrono::milliseconds(20);  // from SIGTERM to its end
  std::optional<Duration> run_for;                // without a command; nothing: until it is stopped
  int exit_code = 0;
  std::optional<Duration> ready_after = Duration(0);  // after its start; nothing: never
  bool shell = false;                     // no command: a shell without input, which ends at once
  std::vector<std::string> logs;          // printed at its start
  std::vector<std::string> missing_tags;  // cannot be pulled
  UsageCurve cpu, memory, disk;           // cores, bytes, bytes of ephemeral storage
  // Users and passwords of its registry, of which a pull needs one; none: everybody may.
  std::vector<std::pair<std::string, std::string>> credentials;

  // What the process runtime makes of it (docs/formats/images.md). With none of the first two it
  // stays scripted unless its container names a command that busybox knows.
  std::vector<std::string> entrypoint, cmd;
  std::vector<std::pair<std::string, std::string>> env;
  std::string working_dir = "/";
  std::string version, version_env;  // by default, and the variable that tells it
  long long user = 0, group = 0;
  std::vector<std::pair<std::string, std::string>> programs;  // path -> program of lab-image
  std::vector<std::pair<std::string, std::string>> files;     // path -> content

  bool has_program() const { return !entrypoint.empty() || !cmd.empty(); }
  // Its environment, the version by the tag where that is one ("1.25-alpine" -> 1.25).
  std::vector<std::pair<std::string, std::string>> environment(std::string_view tag) const;
};

// "docker.io/library/nginx:1.25@sha256:.." -> name "nginx", tag "1.25" ("latest" when there is
// none).
struct ImageName {
  std::string name;  // without docker.io/ and library/
  std::string tag;
};
ImageName parse_image(std::string_view reference);

// Why an image is not there: the waiting reason of its container and the message.
struct PullFailure {
  std::string reason;  // ErrImagePull, ErrImageNeverPull, InvalidImageName
  std::string message;
  // Found out by a pull, so that its back-off counts; the others are known before.
  bool asks_registry() const { return reason == "ErrImagePull"; }
};

class ImageCatalog {
 public:
  // The entries every lab starts with.
  static ImageCatalog builtin();
  // Adds the entries of a YAML text, later ones win. InvalidArgument names the entry and field.
  Status add(std::string_view yaml);

  const ImageBehaviour& find(std::string_view reference) const;
  // Why the image cannot be pulled, in the kubelet's and containerd's words; nothing if it can.
  std::optional<PullFailure> pull_failure(std::string_view reference) const;

 private:
  std::map<std::string, ImageBehaviour> images_;
};

}  // namespace coracle::kubelet
