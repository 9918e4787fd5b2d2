// jsonpath_node: the parsed form of a JSONPath template. Internal to api.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

struct JsonPathNode;
using JsonPathNodes = std::vector<std::unique_ptr<JsonPathNode>>;

struct JsonPathNode {
  enum class Kind {
    kLiteral,    // literal: a text outside braces or in quotes, a number, a boolean
    kAction,     // children: steps of one {...}
    kRange,      // children: steps; body: actions up to {end}
    kField,      // name; "" is the value itself
    kSlice,      // bounds: from, to, step
    kUnion,      // alternatives: lists of steps
    kWildcard,   // every member or element
    kRecursive,  // every container below
    kFilter,     // alternatives[0] op alternatives[1]
  };
  Kind kind = Kind::kLiteral;
  std::string name;  // field, or operator of a filter ("exists" when there is none)
  json::value literal;
  std::array<std::optional<int>, 3> bounds;
  bool single = false;  // a slice written as one index
  JsonPathNodes children;
  JsonPathNodes body;
  std::vector<JsonPathNodes> alternatives;
};

// InvalidArgument with kubectl's texts.
Result<JsonPathNodes> parse_jsonpath(std::string_view text);

}  // namespace coracle::api
