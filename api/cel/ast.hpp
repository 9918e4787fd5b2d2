// The tree of an expression: what the parser makes, the checker completes and the evaluator walks.
// Macros are expanded: all(), map() and their like are kFold nodes. No node is deeper than
// kDepthMax, so walking it recursively is safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/cel/value.hpp"

namespace coracle::api::cel {

struct Overload;

inline constexpr int kDepthMax = 200;
inline constexpr std::size_t kExpressionMax = 100'000;  // bytes

enum class Op : std::uint8_t {
  kLiteral,
  kIdent,   // name
  kSelect,  // kids[0].name; optional: .?name
  kHas,     // has(kids[0].name)
  kIndex,   // kids[0][kids[1]]; optional: [?..]
  kCall,    // name(kids...); member: the first kid is the receiver
  kList,    // kids; optional_kids tells which are ?x
  kMap,     // kids: key, value, key, value...
  kAnd,     // any number of kids
  kOr,
  kCond,    // kids[0] ? kids[1] : kids[2]
  kFold,    // fold, var, var2; kids: range, then what the macro was given
  kBind,    // cel.bind(var, kids[0], kids[1])
  kOptMap,  // kids[0].optMap(var, kids[1]); optional: optFlatMap
};
enum class Fold : std::uint8_t {
  kAll,
  kExists,
  kExistsOne,
  kMap,        // kids: range, transform
  kMapFilter,  // kids: range, predicate, transform
  kFilter,
  kTransformList,        // two variables; kids: range, transform
  kTransformListFilter,  // kids: range, predicate, transform
  kTransformMap,
  kTransformMapFilter,
  kTransformMapEntry,
  kTransformMapEntryFilter,
  kSortBy,
};

struct Node {
  Op op = Op::kLiteral;
  Fold fold = Fold::kAll;
  bool member = false;
  bool optional = false;
  int depth = 1;
  std::uint32_t offset = 0;  // in bytes
  std::string name, var, var2;
  Value literal;
  std::vector<std::unique_ptr<Node>> kids;
  std::vector<bool> optional_kids;
  std::vector<const Overload*> overloads;  // of a call: those its arguments may fit
};
using NodePtr = std::unique_ptr<Node>;

// InvalidArgument: `ERROR: <input>:1:5: Syntax error: ...` with the line and a mark below it.
Result<NodePtr> parse(std::string_view text);

// An error of the given place, in the form above.
std::string located(std::string_view text, std::uint32_t offset, std::string_view message);

}  // namespace coracle::api::cel
