// JsonParts: reads some members of many documents without building the rest of their trees. The
// whole text is checked all the same, as parse_json does.
//
//   const JsonParts parts({"metadata.labels", "spec.nodeName"});
//   parts.parse(R"({"metadata":{"name":"x","labels":{"a":"b"}},"spec":{"nodeName":"n","z":[1]}})")
//     == {"metadata":{"labels":{"a":"b"}},"spec":{"nodeName":"n"}}
//
// What is found by find() under one of the paths in the whole tree is found in the parts.
// Immutable and thread-safe once made.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle {

class JsonParts {
 public:
  // Dotted, as find() takes them. None: everything is wanted.
  explicit JsonParts(const std::vector<std::string>& paths);
  Result<json::value> parse(std::string_view text) const;

  struct Node {  // without children: everything below is wanted
    std::map<std::string, Node, std::less<>> children;
  };

 private:
  Node root_;
};

}  // namespace coracle
