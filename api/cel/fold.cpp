// The macros that go through a list or map.
#include <algorithm>

#include "api/cel/cel.hpp"

namespace coracle::api::cel {

namespace {

Value spent() { return Value::error(std::string(kBudgetSpent)); }

// One run of a macro: what has been gathered so far, and whether it is over.
class Folder {
 public:
  Folder(const Node& n, const Scope* scope, Budget& budget)
      : n_(n), scope_(scope), budget_(budget) {}

  // False: the result stands.
  bool step(const Value& first, const Value& second) {
    if (!budget_.charge(1)) return stop(spent());
    const Scope one{n_.var, &first, scope_};
    const Scope two{n_.var2, &second, &one};
    const Scope* inner = n_.var2.empty() ? &one : &two;
    switch (n_.fold) {
      case Fold::kAll:
      case Fold::kExists:
      case Fold::kExistsOne:
        return quantify(run(1, inner));
      case Fold::kMap:
      case Fold::kTransformList:
        return gather(run(1, inner));
      case Fold::kMapFilter:
      case Fold::kTransformListFilter:
        return when(run(1, inner), [&] { return gather(run(2, inner)); });
      case Fold::kFilter:
        return when(run(1, inner), [&] { return gather(first); });
      case Fold::kSortBy:
        return sort_key(first, run(1, inner));
      case Fold::kTransformMap:
        return entry(first, run(1, inner));
      case Fold::kTransformMapFilter:
        return when(run(1, inner), [&] { return entry(first, run(2, inner)); });
      case Fold::kTransformMapEntry:
        return entries(run(1, inner));
      case Fold::kTransformMapEntryFilter:
        return when(run(1, inner), [&] { return entries(run(2, inner)); });
    }
    return true;
  }

  Value finish() {
    if (result_) return *std::move(result_);
    switch (n_.fold) {
      case Fold::kAll:
        return failure_ ? *failure_ : Value::of(true);
      case Fold::kExists:
        return failure_ ? *failure_ : Value::of(false);
      case Fold::kExistsOne:
        return Value::of(matches_ == 1);
      case Fold::kTransformMap:
      case Fold::kTransformMapFilter:
      case Fold::kTransformMapEntry:
      case Fold::kTransformMapEntryFilter:
        return Value::map(std::move(map_));
      case Fold::kSortBy:
        return sorted();
      default:
        return Value::list(std::move(list_));
    }
  }

 private:
  Value run(std::size_t kid, const Scope* scope) {
    return evaluate_node(*n_.kids[kid], scope, budget_);
  }
  bool stop(Value result) {
    result_ = std::move(result);
    return false;
  }
  bool quantify(Value test) {
    if (budget_.spent) return stop(spent());
    if (!test.is(Kind::kBool)) {
      Value why = test.is_error() ? std::move(test) : no_such_overload();
      if (n_.fold == Fold::kExistsOne) return stop(std::move(why));
      if (!failure_) failure_ = std::move(why);
      return true;
    }
    if (n_.fold == Fold::kExistsOne) {
      matches_ += test.as_bool();
      return true;
    }
    const bool decisive = n_.fold == Fold::kExists;
    return test.as_bool() == decisive ? stop(Value::of(decisive)) : true;
  }
  template <class F>
  bool when(Value test, F then) {
    if (test.is_error()) return stop(std::move(test));
    if (!test.is(Kind::kBool)) return stop(no_such_overload());
    return test.as_bool() ? then() : true;
  }
  bool gather(Value item) {
    if (item.is_error()) return stop(std::move(item));
    list_.push_back(std::move(item));
    return true;
  }
  bool entry(const Value& key, Value value) {
    if (value.is_error()) return stop(std::move(value));
    if (map_.add(key, std::move(value))) return true;
    return stop(Value::error("insert failed: key " + key_text(key) + " already exists"));
  }
  bool entries(const Value& made) {
    if (made.is_error()) return stop(made);
    if (!made.is(Kind::kMap)) return stop(no_such_overload());
    for (auto& [key, value] : made.entries()) {
      if (!entry(key, value)) return false;
    }
    return true;
  }
  bool sort_key(const Value& item, Value key) {
    if (key.is_error()) return stop(std::move(key));
    const bool nan = key.is(Kind::kDouble) && key.as_double() != key.as_double();
    const bool alike = keyed_.empty() || keyed_[0].first.kind == key.kind;
    if (nan || !alike || !compare(key, key)) return stop(no_such_overload());
    keyed_.emplace_back(std::move(key), item);
    return true;
  }
  Value sorted() {
    std::ranges::stable_sort(
        keyed_, [](const auto& a, const auto& b) { return *compare(a.first, b.first) < 0; });
    for (auto& [key, item] : keyed_) list_.push_back(std::move(item));
    return Value::list(std::move(list_));
  }

  const Node& n_;
  const Scope* scope_;
  Budget& budget_;
  std::optional<Value> result_, failure_;
  int matches_ = 0;
  Values list_;
  MapRep map_;
  std::vector<std::pair<Value, Value>> keyed_;
};

}  // namespace

Value evaluate_fold(const Node& n, const Scope* scope, Budget& budget) {
  const Value range = evaluate_node(*n.kids[0], scope, budget);
  if (range.is_error()) return range;
  Folder folder(n, scope, budget);
  if (range.is(Kind::kList)) {
    for (std::size_t i = 0; i < range.size(); ++i) {
      const Value item = range.at(i);
      const bool two = !n.var2.empty();
      const Value at = two ? Value::of(static_cast<std::int64_t>(i)) : item;
      if (!folder.step(at, item)) break;
    }
  } else if (range.is(Kind::kMap)) {
    for (const auto& [key, value] : range.entries()) {
      if (!folder.step(key, value)) break;
    }
  } else {
    return no_such_overload();
  }
  return folder.finish();
}

}  // namespace coracle::api::cel
