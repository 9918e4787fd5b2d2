// Objects out of files, as -f names them: a file, a directory, "-" for standard input; YAML or
// JSON, many documents, Lists opened. Errors name the file and the line.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "kustomize/kustomize.hpp"

namespace coracle::kubectl {

struct ManifestObject {
  std::string source;  // "web.yaml", "STDIN"
  json::value object;
  std::vector<std::string> duplicates;  // repeated keys, for strict decoding
};

struct ManifestOptions {
  std::vector<std::string> filenames;
  bool recursive = false;
  bool validates = false;  // a missing kind is told as by who checks objects before sending them
  std::string kustomize;   // a directory with a kustomization.yaml; empty: none

  bool empty() const { return filenames.empty() && kustomize.empty(); }
};

struct Manifests {
  std::vector<ManifestObject> objects;
  std::vector<Status> failures;  // of documents and files; the others were read
};
Manifests read_manifests(const ManifestOptions& options, std::istream& in);
// The documents of one text. The first failure ends it.
Result<std::vector<ManifestObject>> parse_manifest(std::string_view text,
                                                   const std::string& source);
Result<std::string> read_file(const std::string& path);
kustomize::Files files_on_disk();

}  // namespace coracle::kubectl
