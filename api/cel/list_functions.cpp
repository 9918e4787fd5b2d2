// Functions of lists and maps: size, Kubernetes' lists library, sets, and CEL's extended lists.
#include <algorithm>

#include "api/cel/functions.hpp"

namespace coracle::api::cel {

namespace {

Value spent() { return Value::error(std::string(kBudgetSpent)); }

Values items_of(const Value& list) {
  Values out;
  out.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) out.push_back(list.at(i));
  return out;
}

Value is_sorted(Args a, Budget&) {
  const Values items = items_of(a[0]);
  for (std::size_t i = 1; i < items.size(); ++i) {
    const auto order = compare(items[i - 1], items[i]);
    if (!order) return no_such_overload();
    if (*order > 0) return Value::of(false);
  }
  return Value::of(true);
}

Value sum(Args a, Budget& budget) {
  const Values items = items_of(a[0]);
  if (items.empty()) return Value::of(std::int64_t{0});
  Value total = items[0];
  for (std::size_t i = 1; i < items.size(); ++i) {
    Value next = no_such_overload();
    for (const Overload& o : find_overloads("_+_")) {
      const bool number = total.is(Kind::kInt) || total.is(Kind::kUint) ||
                          total.is(Kind::kDouble) || total.is(Kind::kDuration);
      if (!number || !fits(o.signature[0], total.kind) || !fits(o.signature[1], items[i].kind)) {
        continue;
      }
      const Value pair[] = {total, items[i]};
      next = o.call(pair, budget);
      break;
    }
    if (next.is_error()) return next;
    total = next;
  }
  return total;
}

// Sign 1: the least, -1: the greatest.
template <int Sign>
Value extreme(Args a, Budget&) {
  const Values items = items_of(a[0]);
  if (items.empty()) {
    return Value::error(std::string(Sign > 0 ? "min" : "max") + " called on empty list");
  }
  Value best = items[0];
  for (const Value& item : items) {
    const auto order = compare(item, best);
    if (!order) return no_such_overload();
    if (*order * Sign < 0) best = item;
  }
  return best;
}

Value index_of(Args a, Budget&) {
  for (std::size_t i = 0; i < a[0].size(); ++i) {
    if (equal(a[0].at(i), a[1])) return Value::of(static_cast<std::int64_t>(i));
  }
  return Value::of(std::int64_t{-1});
}
Value last_index_of(Args a, Budget&) {
  for (std::size_t i = a[0].size(); i > 0; --i) {
    if (equal(a[0].at(i - 1), a[1])) return Value::of(static_cast<std::int64_t>(i - 1));
  }
  return Value::of(std::int64_t{-1});
}

bool holds(const Value& list, const Value& item) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (equal(list.at(i), item)) return true;
  }
  return false;
}
// Whether every item of `part` is in `whole`.
bool subset(const Value& part, const Value& whole) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (!holds(whole, part.at(i))) return false;
  }
  return true;
}
bool charge_product(Args a, Budget& budget) {
  return budget.charge((a[0].size() + 1) * (a[1].size() + 1));
}
Value sets_contains(Args a, Budget& budget) {
  return charge_product(a, budget) ? Value::of(subset(a[1], a[0])) : spent();
}
Value sets_equivalent(Args a, Budget& budget) {
  if (!charge_product(a, budget) || !charge_product(a, budget)) return spent();
  return Value::of(subset(a[0], a[1]) && subset(a[1], a[0]));
}
Value sets_intersects(Args a, Budget& budget) {
  if (!charge_product(a, budget)) return spent();
  for (std::size_t i = 0; i < a[0].size(); ++i) {
    if (holds(a[1], a[0].at(i))) return Value::of(true);
  }
  return Value::of(false);
}

Value slice(Args a, Budget&) {
  const std::int64_t from = a[1].as_int(), to = a[2].as_int();
  if (from < 0 || to < from || to > static_cast<std::int64_t>(a[0].size())) {
    return Value::error("cannot slice(" + std::to_string(from) + ", " + std::to_string(to) +
                        "), list is length " + std::to_string(a[0].size()));
  }
  const Values items = items_of(a[0]);
  return Value::list(Values(items.begin() + from, items.begin() + to));
}

bool flatten_into(const Value& list, std::int64_t depth, Values& out, Budget& budget) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!budget.charge(1)) return false;
    const Value item = list.at(i);
    if (!item.is(Kind::kList) || depth == 0) {
      out.push_back(item);
    } else if (!flatten_into(item, depth - 1, out, budget)) {
      return false;
    }
  }
  return true;
}
Value flatten(Args a, Budget& budget) {
  const std::int64_t depth = a.size() == 2 ? a[1].as_int() : 1;
  if (depth < 0) return Value::error("level must be non-negative");
  Values out;
  return flatten_into(a[0], depth, out, budget) ? Value::list(std::move(out)) : spent();
}

Value reverse(Args a, Budget&) {
  Values items = items_of(a[0]);
  std::ranges::reverse(items);
  return Value::list(std::move(items));
}

Value distinct(Args a, Budget& budget) {
  Values out;
  for (const Value& item : items_of(a[0])) {
    if (!budget.charge(out.size())) return spent();
    if (std::ranges::none_of(out, [&](const Value& seen) { return equal(seen, item); })) {
      out.push_back(item);
    }
  }
  return Value::list(std::move(out));
}

Value sort(Args a, Budget&) {
  Values items = items_of(a[0]);
  for (const Value& item :
       items) {  // all of one comparable kind, so that the order is a strict one
    const bool nan = item.is(Kind::kDouble) && item.as_double() != item.as_double();
    if (item.kind != items[0].kind || nan || !compare(item, items[0])) return no_such_overload();
  }
  std::ranges::stable_sort(items,
                           [](const Value& x, const Value& y) { return *compare(x, y) < 0; });
  return Value::list(std::move(items));
}

Value range(Args a, Budget& budget) {
  if (a[0].as_int() > 0 && !budget.charge(static_cast<std::uint64_t>(a[0].as_int())))
    return spent();
  Values out;
  for (std::int64_t i = 0; i < a[0].as_int(); ++i) out.push_back(Value::of(i));
  return Value::list(std::move(out));
}

Value size_of_text(Args a, Budget&) {
  return Value::of(static_cast<std::int64_t>(text_length(a[0].as_text())));
}
Value size_of_bytes(Args a, Budget&) {
  return Value::of(static_cast<std::int64_t>(a[0].as_text().size()));
}
Value size_of_items(Args a, Budget&) { return Value::of(static_cast<std::int64_t>(a[0].size())); }

template <bool First>
Value end_of(Args a, Budget&) {
  if (a[0].size() == 0) return Value::optional(std::nullopt);
  return Value::optional(a[0].at(First ? 0 : a[0].size() - 1));
}

constexpr Overload kLists[] = {
    {"size", "s:i", size_of_text},
    {"size", "y:i", size_of_bytes},
    {"size", "l:i", size_of_items},
    {"size", "m:i", size_of_items},
    {"size", "s.:i", size_of_text},
    {"size", "y.:i", size_of_bytes},
    {"size", "l.:i", size_of_items},
    {"size", "m.:i", size_of_items},
    {"isSorted", "l.:b", is_sorted},
    {"sum", "l.:E", sum},
    {"min", "l.:E", extreme<1>},
    {"max", "l.:E", extreme<-1>},
    {"indexOf", "l.*:i", index_of},
    {"lastIndexOf", "l.*:i", last_index_of},
    {"sets.contains", "ll:b", sets_contains},
    {"sets.equivalent", "ll:b", sets_equivalent},
    {"sets.intersects", "ll:b", sets_intersects},
    {"slice", "l.ii:=", slice},
    {"flatten", "l.:l*", flatten},
    {"flatten", "l.i:l*", flatten},
    {"reverse", "l.:=", reverse},
    {"distinct", "l.:=", distinct},
    {"sort", "l.:=", sort},
    {"lists.range", "i:li", range},
    {"first", "l.:oE", end_of<true>},
    {"last", "l.:oE", end_of<false>},
};

}  // namespace

std::span<const Overload> list_overloads() { return kLists; }

}  // namespace coracle::api::cel
