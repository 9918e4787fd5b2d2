// CEL, the expression language of admission policies, match conditions and validation rules of
// custom resources, with Kubernetes' libraries (docs/api/cel.md says what is covered).
//
//   Environment env;
//   env.declare("object", Type::dyn());
//   auto rule = Program::compile("object.spec.replicas <= 5", env);
//   Budget budget{kCallCost};
//   Value v = rule->evaluate({{"object", Value::from_json(tree)}}, budget);
//
// Program and Environment are immutable once made, and may be shared between threads. Evaluation is
// pure: no clock, no I/O; it ends because it is charged, and its depth is bounded by the
// expression's and the input's. A failure is a Value of Kind::kError with upstream's words.
#pragma once

#include <memory>
#include <unordered_map>

#include "api/cel/ast.hpp"
#include "api/cel/functions.hpp"
#include "api/cel/types.hpp"

namespace coracle::api::cel {

// Upstream's limits: of one expression, and of all expressions a request sets off.
inline constexpr std::uint64_t kCallCost = 1'000'000;
inline constexpr std::uint64_t kRequestCost = 10'000'000;
inline constexpr std::uint64_t kMatchConditionsCost = 2'500'000;

class Environment {
 public:
  void declare(std::string name, Type type);
  const Type* find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, Type>> variables_;
};

struct Binding {
  std::string_view name;
  Value value;
};
using Bindings = std::vector<Binding>;

class Program {
 public:
  // InvalidArgument: all errors found, one a paragraph: `ERROR: <input>:1:8: undefined field 'x'`
  // with the line and a mark below.
  static Result<Program> compile(std::string_view text, const Environment& environment);

  const Type& type() const { return type_; }
  // Never takes more than kCallCost from the budget. Inputs must outlive the result.
  Value evaluate(const Bindings& bindings, Budget& budget) const;

 private:
  Program(NodePtr tree, Type type) : tree_(std::move(tree)), type_(std::move(type)) {}
  std::shared_ptr<const Node> tree_;
  Type type_;
};

// The steps behind Program. check() resolves calls and qualified names in the tree.
// `types`: filled with what every node is.
using NodeTypes = std::unordered_map<const Node*, Type>;
Result<Type> check(Node& tree, std::string_view text, const Environment& environment,
                   NodeTypes* types = nullptr);
struct Scope {
  std::string_view name;
  const Value* value;
  const Scope* outer;
};
Value evaluate_node(const Node& node, const Scope* scope, Budget& budget);
Value evaluate_fold(const Node& node, const Scope* scope, Budget& budget);

}  // namespace coracle::api::cel
