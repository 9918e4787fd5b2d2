// YAML in: the adapter over yaml-cpp (its exceptions stop here). YAML out: as Go's sigs.k8s.io/yaml
// prints objects (keys as given, lists not indented under their key, strings quoted when they must
// be).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle {

struct YamlDocument {
  json::value value;
  int line = 1;                         // where the document starts in the text
  std::vector<std::string> duplicates;  // paths of repeated keys; the last value is kept
  std::vector<std::string> repeats;     // the same told: `line 11: key "foo" already set in map`
};

// All documents of a stream; empty ones are left out. Scalars are typed as YAML 1.1 core does what
// Kubernetes relies on: true/false/yes/no/on/off, null/~, integers (0x, 0o, leading +), floats.
// InvalidArgument: "yaml: line 3: ...".
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text);
// Exactly one document. InvalidArgument when there are none or several.
Result<json::value> parse_yaml_one(std::string_view text);
// The same of a file that is somebody's configuration: a repeated key is InvalidArgument, too.
// `lines`, if given: the line of every member and element by its path ("spec.nodes[0].name"). What
// an alias stands for has the alias's line alone.
using YamlLines = std::map<std::string, int, std::less<>>;
Result<json::value> parse_yaml_strict(std::string_view text, YamlLines* lines = nullptr);

// Ends in a newline. Members in the order of the tree: sort first (sorted_keys) to print as
// kubectl.
std::string to_yaml(const json::value& value);

}  // namespace coracle
