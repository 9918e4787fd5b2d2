#include "api/cel/functions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/cel/time.hpp"

namespace coracle::api::cel {

namespace {

constexpr std::int64_t kIntMin = std::numeric_limits<std::int64_t>::min();

Value overflow() { return Value::error("integer overflow"); }
Value unsigned_overflow() { return Value::error("unsigned integer overflow"); }
Value duration_overflow() { return Value::error("duration overflow"); }
Value timestamp_overflow() { return Value::error("timestamp overflow"); }

template <class T>
Value shifted(const std::optional<T>& moment) {
  return moment ? Value::timestamp(*moment) : timestamp_overflow();
}

template <bool (*Op)(std::int64_t, std::int64_t, std::int64_t*)>
Value int_op(Args a, Budget&) {
  std::int64_t out = 0;
  return Op(a[0].as_int(), a[1].as_int(), &out) ? overflow() : Value::of(out);
}
template <bool (*Op)(std::uint64_t, std::uint64_t, std::uint64_t*)>
Value uint_op(Args a, Budget&) {
  std::uint64_t out = 0;
  return Op(a[0].as_uint(), a[1].as_uint(), &out) ? unsigned_overflow() : Value::of(out);
}
template <class T>
bool add(T a, T b, T* out) {
  return __builtin_add_overflow(a, b, out);
}
template <class T>
bool subtract(T a, T b, T* out) {
  return __builtin_sub_overflow(a, b, out);
}
template <class T>
bool multiply(T a, T b, T* out) {
  return __builtin_mul_overflow(a, b, out);
}

Value add_durations(Args a, Budget&) {
  std::int64_t out = 0;
  return add(a[0].as_int(), a[1].as_int(), &out) ? duration_overflow() : Value::duration(out);
}
Value subtract_durations(Args a, Budget&) {
  std::int64_t out = 0;
  return subtract(a[0].as_int(), a[1].as_int(), &out) ? duration_overflow() : Value::duration(out);
}
Value subtract_span(Args a, Budget&) {
  if (a[1].as_int() == kIntMin) return timestamp_overflow();
  return shifted(add_span(a[0].as_moment(), -a[1].as_int()));
}
Value subtract_moments(Args a, Budget&) {
  const auto nanos = difference(a[0].as_moment(), a[1].as_moment());
  return nanos ? Value::duration(*nanos) : duration_overflow();
}

Value concat_text(Args a, Budget&) {
  std::string out(a[0].as_text());
  out += a[1].as_text();
  return Value::text(std::move(out), a[0].kind);
}
Value concat_lists(Args a, Budget& budget) {
  if (!budget.charge(a[0].size() + a[1].size())) return Value::error(std::string(kBudgetSpent));
  Values out;
  out.reserve(a[0].size() + a[1].size());
  for (const Value& list : a) {
    for (std::size_t i = 0; i < list.size(); ++i) out.push_back(list.at(i));
  }
  return Value::list(std::move(out));
}

Value divide_int(Args a, Budget&) {
  if (a[1].as_int() == 0) return Value::error("division by zero");
  if (a[0].as_int() == kIntMin && a[1].as_int() == -1) return overflow();
  return Value::of(a[0].as_int() / a[1].as_int());
}
Value remainder_int(Args a, Budget&) {
  if (a[1].as_int() == 0) return Value::error("modulus by zero");
  if (a[0].as_int() == kIntMin && a[1].as_int() == -1) return overflow();
  return Value::of(a[0].as_int() % a[1].as_int());
}
Value divide_uint(Args a, Budget&) {
  if (a[1].as_uint() == 0) return Value::error("division by zero");
  return Value::of(a[0].as_uint() / a[1].as_uint());
}
Value remainder_uint(Args a, Budget&) {
  if (a[1].as_uint() == 0) return Value::error("modulus by zero");
  return Value::of(a[0].as_uint() % a[1].as_uint());
}

Value negate_int(Args a, Budget&) {
  return a[0].as_int() == kIntMin ? overflow() : Value::of(-a[0].as_int());
}

constexpr bool less(int c) { return c < 0; }
constexpr bool less_equal(int c) { return c <= 0; }
constexpr bool greater(int c) { return c > 0; }
constexpr bool greater_equal(int c) { return c >= 0; }
// A NaN compares with nothing: false.
template <bool (*Op)(int)>
Value ordered(Args a, Budget&) {
  const auto order = compare(a[0], a[1]);
  return Value::of(order.has_value() && Op(*order));
}

bool charge_equality(Args a, Budget& budget) {
  if (a[0].kind != a[1].kind) return true;
  const std::size_t limit = budget.left < 1'000'000'000 ? budget.left * 10 + 10 : budget.left;
  return budget.charge(traversal_cost(std::min(weight(a[0], limit), weight(a[1], limit))));
}
template <bool Wanted>
Value equality(Args a, Budget& budget) {
  if (!charge_equality(a, budget)) return Value::error(std::string(kBudgetSpent));
  return Value::of(equal(a[0], a[1]) == Wanted);
}

Value in_list(Args a, Budget& budget) {
  for (std::size_t i = 0; i < a[1].size(); ++i) {
    const Value item = a[1].at(i);
    const Value pair[] = {a[0], item};
    if (!budget.charge(1) || !charge_equality(pair, budget)) {
      return Value::error(std::string(kBudgetSpent));
    }
    if (equal(a[0], item)) return Value::of(true);
  }
  return Value::of(false);
}

constexpr Overload kOperators[] = {
    {"_+_", "ii:i", int_op<add>},
    {"_+_", "uu:u", uint_op<add>},
    {"_+_", "dd:d", [](Args a, Budget&) { return Value::of(a[0].as_double() + a[1].as_double()); }},
    {"_+_", "ss:s", concat_text},
    {"_+_", "yy:y", concat_text},
    {"_+_", "ll:=", concat_lists},
    {"_+_", "tD:t",
     [](Args a, Budget&) { return shifted(add_span(a[0].as_moment(), a[1].as_int())); }},
    {"_+_", "Dt:t",
     [](Args a, Budget&) { return shifted(add_span(a[1].as_moment(), a[0].as_int())); }},
    {"_+_", "DD:D", add_durations},
    {"_-_", "ii:i", int_op<subtract>},
    {"_-_", "uu:u", uint_op<subtract>},
    {"_-_", "dd:d", [](Args a, Budget&) { return Value::of(a[0].as_double() - a[1].as_double()); }},
    {"_-_", "tD:t", subtract_span},
    {"_-_", "tt:D", subtract_moments},
    {"_-_", "DD:D", subtract_durations},
    {"_*_", "ii:i", int_op<multiply>},
    {"_*_", "uu:u", uint_op<multiply>},
    {"_*_", "dd:d", [](Args a, Budget&) { return Value::of(a[0].as_double() * a[1].as_double()); }},
    {"_/_", "ii:i", divide_int},
    {"_/_", "uu:u", divide_uint},
    {"_/_", "dd:d", [](Args a, Budget&) { return Value::of(a[0].as_double() / a[1].as_double()); }},
    {"_%_", "ii:i", remainder_int},
    {"_%_", "uu:u", remainder_uint},
    {"-_", "i:i", negate_int},
    {"-_", "d:d", [](Args a, Budget&) { return Value::of(-a[0].as_double()); }},
    {"!_", "b:b", [](Args a, Budget&) { return Value::of(!a[0].as_bool()); }},
    {"_==_", "**:b", equality<true>},
    {"_!=_", "**:b", equality<false>},
    {"@in", "*l:b", in_list},
    {"@in", "*m:b", [](Args a, Budget&) { return Value::of(a[1].member(a[0]).has_value()); }},
};

#define CORACLE_CEL_ORDER(sign, op)                                                      \
  {sign, "##:b", ordered<op>}, {sign, "ss:b", ordered<op>}, {sign, "yy:b", ordered<op>}, \
      {sign, "bb:b", ordered<op>}, {sign, "tt:b", ordered<op>}, {                        \
    sign, "DD:b", ordered<op>                                                            \
  }
constexpr Overload kOrders[] = {
    CORACLE_CEL_ORDER("_<_", less), CORACLE_CEL_ORDER("_<=_", less_equal),
    CORACLE_CEL_ORDER("_>_", greater), CORACLE_CEL_ORDER("_>=_", greater_equal)};
#undef CORACLE_CEL_ORDER

std::vector<Overload> join_tables() {
  std::vector<Overload> all(std::begin(kOrders), std::end(kOrders));
  for (const auto table : {operator_overloads(), conversion_overloads(), text_overloads(),
                           time_overloads(), list_overloads(), network_overloads(),
                           kubernetes_overloads(), semver_overloads(), authorizer_overloads()}) {
    all.insert(all.end(), table.begin(), table.end());
  }
  std::ranges::stable_sort(all, {}, &Overload::name);
  return all;
}

}  // namespace

std::string_view Overload::parameters() const { return signature.substr(0, signature.find(':')); }
std::string_view Overload::result() const { return signature.substr(signature.find(':') + 1); }

std::span<const Overload> operator_overloads() { return kOperators; }

std::span<const Overload> all_overloads() {
  static const std::vector<Overload> kAll = join_tables();
  return kAll;
}

std::span<const Overload> find_overloads(std::string_view name) {
  const auto all = all_overloads();
  const auto range = std::ranges::equal_range(all, name, {}, &Overload::name);
  return {range.begin(), range.end()};
}

bool fits(char letter, Kind kind) {
  switch (letter) {
    case '*':
      return true;
    case '#':
      return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble;
    default: {
      static constexpr std::string_view kLetters = "!nbiudsylmtDToqUpcfvAPGRX";
      const auto at = kLetters.find(letter);
      return at != std::string_view::npos && static_cast<std::size_t>(kind) == at;
    }
  }
}

std::size_t weight(const Value& value, std::size_t limit) {
  switch (value.kind) {
    case Kind::kString:
    case Kind::kBytes:
      return value.as_text().size();
    case Kind::kList: {
      std::size_t sum = 1;
      for (std::size_t i = 0; i < value.size() && sum < limit; ++i) {
        sum += 1 + weight(value.at(i), limit - sum);
      }
      return sum;
    }
    case Kind::kMap: {
      std::size_t sum = 1;
      for (const auto& [key, member] : value.entries()) {
        if (sum >= limit) break;
        sum += 1 + weight(member, limit - sum);
      }
      return sum;
    }
    default:
      return 1;
  }
}

Value no_such_overload() { return Value::error("no such overload"); }

}  // namespace coracle::api::cel
