#include "api/cel/cel.hpp"

#include <algorithm>

namespace coracle::api::cel {

void Environment::declare(std::string name, Type type) {
  variables_.emplace_back(std::move(name), std::move(type));
}

const Type* Environment::find(std::string_view name) const {
  for (const auto& [known, type] : variables_) {
    if (known == name) return &type;
  }
  return nullptr;
}

Result<Program> Program::compile(std::string_view text, const Environment& environment) {
  ASSIGN_OR_RETURN(NodePtr tree, parse(text));
  ASSIGN_OR_RETURN(Type type, check(*tree, text, environment));
  return Program(std::move(tree), std::move(type));
}

Value Program::evaluate(const Bindings& bindings, Budget& budget) const {
  std::vector<Scope> scopes;
  scopes.reserve(bindings.size());
  const Scope* inner = nullptr;
  for (const Binding& binding : bindings) {
    scopes.push_back({binding.name, &binding.value, inner});
    inner = &scopes.back();
  }
  Budget own{std::min(budget.left, kCallCost)};
  const std::uint64_t before = own.left;
  Value out = evaluate_node(*tree_, inner, own);
  const bool all_of_it = before == budget.left;
  budget.charge(before - own.left);
  if (!own.spent) return out;
  if (all_of_it) budget.spent = true;
  return Value::error(std::string(kBudgetSpent));
}

}  // namespace coracle::api::cel
