#include <algorithm>

#include "api/cel/authorizer.hpp"
#include "api/cel/cel.hpp"

namespace coracle::api::cel {

namespace {

constexpr std::uint64_t kListCost = 10, kMapCost = 30;  // of making one

Value spent() { return Value::error(std::string(kBudgetSpent)); }
Value no_key(std::string_view name) { return Value::error("no such key: " + std::string(name)); }

Value identifier(const Node& n, const Scope* scope) {
  for (; scope != nullptr; scope = scope->outer) {
    if (scope->name == n.name) return *scope->value;
  }
  return Value::error("no such attribute(s): " + n.name);
}

// A field by its name or what its escaped form stands for.
std::optional<Value> field(const Value& target, const std::string& name) {
  auto found = target.member(Value::text(name));
  if (found) return found;
  const auto plain = unescape_field(name);
  if (plain) found = target.member(Value::text(*plain));
  return found ? found : target.otherwise();
}

Value select(const Node& n, const Scope* scope, Budget& budget) {
  Value target = evaluate_node(*n.kids[0], scope, budget);
  if (target.is_error()) return target;
  bool optional = n.optional;
  if (target.is(Kind::kOptional)) {
    if (target.inner() == nullptr) return n.op == Op::kHas ? Value::of(false) : target;
    optional = true;
    const Value inner = *target.inner();
    target = inner;
  }
  if (target.is(Kind::kAuthorizer) && n.name == "requestResource" && n.op == Op::kSelect) {
    return request_resource(target);
  }
  if (!target.is(Kind::kMap))
    return optional && target.is(Kind::kNull) ? Value::optional(std::nullopt) : no_such_overload();
  auto found = field(target, n.name);
  if (n.op == Op::kHas) return Value::of(found.has_value());
  if (optional) return found && found->is_error() ? *found : Value::optional(std::move(found));
  return found ? *std::move(found) : no_key(n.name);
}

std::optional<Value> item(const Value& target, const Value& key, Value& error) {
  if (target.is(Kind::kMap)) {
    if (key_text(key).empty()) {
      error = no_such_overload();
      return std::nullopt;
    }
    auto found = target.member(key);
    if (!found) found = target.otherwise();
    if (!found) error = no_key(key_text(key).substr(1));
    return found;
  }
  const std::string text = key_text(key);
  if (!target.is(Kind::kList) || text.empty() || text[0] != 'i') {
    error = no_such_overload();
    return std::nullopt;
  }
  const auto at = compare(key, Value::of(static_cast<std::int64_t>(target.size())));
  if (*at >= 0 || *compare(key, Value::of(std::int64_t{0})) < 0) {
    error = Value::error("index out of bounds: " + text.substr(1));
    return std::nullopt;
  }
  return target.at(std::stoull(text.substr(1)));
}

Value index(const Node& n, const Scope* scope, Budget& budget) {
  Value target = evaluate_node(*n.kids[0], scope, budget);
  if (target.is_error()) return target;
  const Value key = evaluate_node(*n.kids[1], scope, budget);
  if (key.is_error()) return key;
  bool optional = n.optional;
  if (target.is(Kind::kOptional)) {
    if (target.inner() == nullptr) return target;
    optional = true;
    const Value inner = *target.inner();
    target = inner;
  }
  Value error = no_such_overload();
  auto found = item(target, key, error);
  if (found) return optional ? Value::optional(std::move(found)) : *std::move(found);
  const bool absent = target.is(Kind::kMap) || target.is(Kind::kList);
  return optional && absent ? Value::optional(std::nullopt) : error;
}

// What a call reads: its texts; lists for functions that go through them.
std::uint64_t argument_cost(const Node& n, Args args) {
  std::uint64_t cost = 1;
  if (n.name == "size" || n.name == "_==_" || n.name == "_!=_" || n.name == "@in") return cost;
  for (const Value& arg : args) {
    if (arg.is(Kind::kString) || arg.is(Kind::kBytes)) {
      cost += traversal_cost(arg.as_text().size());
    } else if (arg.is(Kind::kList)) {
      cost += arg.size();
    }
  }
  return cost;
}

bool fits_all(const Overload& o, Args args) {
  std::size_t i = 0;
  for (char letter : o.parameters()) {
    if (letter != '.' && !fits(letter, args[i++].kind)) return false;
  }
  return true;
}

Value call(const Node& n, const Scope* scope, Budget& budget) {
  Values args;
  args.reserve(n.kids.size());
  for (const NodePtr& kid : n.kids) {
    args.push_back(evaluate_node(*kid, scope, budget));
    if (args.back().is_error()) return args.back();
  }
  if (!budget.charge(argument_cost(n, args))) return spent();
  for (const Overload* o : n.overloads) {
    if (!fits_all(*o, args)) continue;
    Value out = o->call(args, budget);
    std::uint64_t made = 0;
    if (out.is(Kind::kString) || out.is(Kind::kBytes)) made = traversal_cost(out.as_text().size());
    if (out.is(Kind::kList)) made = out.size();
    return budget.charge(made) ? out : spent();
  }
  return no_such_overload();
}

Value list(const Node& n, const Scope* scope, Budget& budget) {
  if (!budget.charge(kListCost)) return spent();
  Values items;
  for (std::size_t i = 0; i < n.kids.size(); ++i) {
    Value next = evaluate_node(*n.kids[i], scope, budget);
    if (next.is_error()) return next;
    if (!n.optional_kids[i]) {
      items.push_back(std::move(next));
    } else if (!next.is(Kind::kOptional)) {
      return no_such_overload();
    } else if (next.inner() != nullptr) {
      items.push_back(*next.inner());
    }
  }
  return Value::list(std::move(items));
}

Value map(const Node& n, const Scope* scope, Budget& budget) {
  if (!budget.charge(kMapCost)) return spent();
  MapRep rep;
  for (std::size_t i = 0; i + 1 < n.kids.size(); i += 2) {
    Value key = evaluate_node(*n.kids[i], scope, budget);
    if (key.is_error()) return key;
    Value value = evaluate_node(*n.kids[i + 1], scope, budget);
    if (value.is_error()) return value;
    if (n.optional_kids[i / 2]) {
      if (!value.is(Kind::kOptional)) return no_such_overload();
      if (value.inner() == nullptr) continue;
      const Value inner = *value.inner();
      value = inner;
    }
    if (key_text(key).empty() || key.is(Kind::kDouble)) {
      return Value::error("unsupported key type: " + std::string(type_name(key)));
    }
    if (!rep.add(key, std::move(value))) {
      return Value::error("Failed with repeated key: " + key_text(key).substr(1));
    }
  }
  return Value::map(std::move(rep));
}

// One operand that decides hides the errors of the others.
Value logic(const Node& n, const Scope* scope, Budget& budget) {
  const bool decisive = n.op == Op::kOr;
  Value failure;
  bool failed = false;
  for (const NodePtr& kid : n.kids) {
    Value next = evaluate_node(*kid, scope, budget);
    if (budget.spent) return spent();
    if (next.is(Kind::kBool)) {
      if (next.as_bool() == decisive) return next;
    } else if (!failed) {
      failed = true;
      failure = next.is_error() ? std::move(next) : no_such_overload();
    }
  }
  return failed ? failure : Value::of(!decisive);
}

Value conditional(const Node& n, const Scope* scope, Budget& budget) {
  const Value test = evaluate_node(*n.kids[0], scope, budget);
  if (test.is_error()) return test;
  if (!test.is(Kind::kBool)) return no_such_overload();
  return evaluate_node(*n.kids[test.as_bool() ? 1 : 2], scope, budget);
}

Value bind(const Node& n, const Scope* scope, Budget& budget) {
  const Value bound = evaluate_node(*n.kids[0], scope, budget);
  if (bound.is_error()) return bound;
  const Scope inner{n.var, &bound, scope};
  return evaluate_node(*n.kids[1], &inner, budget);
}

Value opt_map(const Node& n, const Scope* scope, Budget& budget) {
  const Value target = evaluate_node(*n.kids[0], scope, budget);
  if (target.is_error()) return target;
  if (!target.is(Kind::kOptional)) return no_such_overload();
  if (target.inner() == nullptr) return target;
  const Scope inner{n.var, target.inner(), scope};
  Value out = evaluate_node(*n.kids[1], &inner, budget);
  if (out.is_error()) return out;
  if (!n.optional) return Value::optional(std::move(out));
  return out.is(Kind::kOptional) ? out : no_such_overload();
}

}  // namespace

Value evaluate_node(const Node& n, const Scope* scope, Budget& budget) {
  switch (n.op) {
    case Op::kLiteral:
      return n.literal;
    case Op::kIdent:
      return budget.charge(1) ? identifier(n, scope) : spent();
    case Op::kSelect:
    case Op::kHas:
      return n.op == Op::kHas || budget.charge(1) ? select(n, scope, budget) : spent();
    case Op::kIndex:
      return budget.charge(1) ? index(n, scope, budget) : spent();
    case Op::kCall:
      return call(n, scope, budget);
    case Op::kList:
      return list(n, scope, budget);
    case Op::kMap:
      return map(n, scope, budget);
    case Op::kAnd:
    case Op::kOr:
      return logic(n, scope, budget);
    case Op::kCond:
      return conditional(n, scope, budget);
    case Op::kFold:
      return evaluate_fold(n, scope, budget);
    case Op::kBind:
      return bind(n, scope, budget);
    case Op::kOptMap:
      return opt_map(n, scope, budget);
  }
  return no_such_overload();
}

}  // namespace coracle::api::cel
