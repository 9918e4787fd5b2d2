// JsonBrief: trees that are read once and let go: without the members nobody reads, and in one
// piece of memory, so that the heap is asked neither for each part nor about it afterwards.
//
//   const JsonBrief brief({"metadata.managedFields", "spec.containers.env"});
//   *brief.parse(R"({"metadata":{"name":"x","managedFields":[{}]},"spec":{}})").value()
//     == {"metadata":{"name":"x"},"spec":{}}
//
// The parts live as long as the pointer: they are copied, never moved from. Of a repeated member
// the last counts. Immutable and thread-safe once made.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle {

class JsonBrief {
 public:
  // Dotted paths of what is left out, none inside another. An array on the way stands for each of
  // its elements.
  explicit JsonBrief(const std::vector<std::string>& left_out);
  // Refuses what parse_json does; of what is left out only the end is looked for.
  Result<std::shared_ptr<json::value>> parse(std::string_view text) const;

  struct Node {  // without children: left out
    std::map<std::string, Node, std::less<>> children;
  };

 private:
  Node root_;
};

}  // namespace coracle
