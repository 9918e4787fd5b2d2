// Functions and operators of CEL: one table of overloads, which the checker reads as types and the
// evaluator as kinds.
//
// A signature is letters: receiver and '.', arguments, ':', result. b bool, i int, u uint, d
// double, # any number, s string, y bytes, l list, m map, t timestamp, D duration, T type, n null,
// o optional, q quantity, U url, p ip, c cidr, f format, v semver, A authorizer, P G R what it is
// asked about (path, group, resource), X its decision, * anything. In results lX and oX
// are a list and an optional of X, = is the type of the first argument and E of its elements.
#pragma once

#include <span>
#include <string_view>

#include "api/cel/value.hpp"

namespace coracle::api::cel {

inline constexpr std::string_view kBudgetSpent = "operation cancelled: actual cost limit exceeded";

// What evaluation may still cost. Never refilled; one owner.
struct Budget {
  std::uint64_t left;
  bool spent = false;

  // False, for good, when there is not enough.
  bool charge(std::uint64_t cost) {
    if (spent || cost > left) {
      spent = true;
      return false;
    }
    left -= cost;
    return true;
  }
};

// A tenth for each byte or element, rounded up: what upstream charges for reading something.
constexpr std::uint64_t traversal_cost(std::size_t size) { return (size + 9) / 10; }
// Values in a tree, counted up to `limit`.
std::size_t weight(const Value& value, std::size_t limit);

using Args = std::span<const Value>;
struct Overload {
  std::string_view name;
  std::string_view signature;
  Value (*call)(Args args, Budget& budget);

  bool member() const { return signature.size() > 1 && signature[1] == '.'; }
  std::string_view parameters() const;  // letters, the receiver's first
  std::string_view result() const;
};

// By name; empty when there is no such function.
std::span<const Overload> find_overloads(std::string_view name);
std::span<const Overload> all_overloads();  // by name
bool fits(char letter, Kind kind);

std::span<const Overload> operator_overloads();
std::span<const Overload> conversion_overloads();
std::span<const Overload> text_overloads();
std::span<const Overload> time_overloads();
std::span<const Overload> list_overloads();
std::span<const Overload> network_overloads();
std::span<const Overload> kubernetes_overloads();
std::span<const Overload> semver_overloads();
std::span<const Overload> authorizer_overloads();

Value no_such_overload();
// Of texts that CEL's string() makes of other values; an error for those it makes none of.
Value to_text(const Value& value);

}  // namespace coracle::api::cel
