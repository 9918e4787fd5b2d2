// What an expression may cost at most, told from the tree alone and from what a schema says of the
// sizes of its variable: upstream's estimate, by which rules of custom resources are refused.
#pragma once

#include <map>

#include "api/cel/cel.hpp"

namespace coracle::api::cel {

// How large values of a schema may be. `longest`: characters, items or members; 0 of objects and
// of numbers. `least`: bytes of the shortest JSON.
struct Measure {
  std::uint64_t longest = 0;
  std::uint64_t least = 0;
  bool keyed = false;  // a map: its keys are texts
  std::unique_ptr<Measure> item;
  std::map<std::string, std::unique_ptr<Measure>, std::less<>> fields;
};

// `whole`: an object with apiVersion, kind and metadata. nullptr: of no known type.
std::unique_ptr<Measure> measure(const json::value& schema, bool whole);

// How often such a value may be in one request.
std::uint64_t most_in_request(const Measure& of);

inline constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};
std::uint64_t times(std::uint64_t a, std::uint64_t b);  // at most kUnbounded
std::uint64_t plus(std::uint64_t a, std::uint64_t b);

// Of an expression that compiles in this environment. All its variables are of the root's measure.
std::uint64_t highest_cost(std::string_view text, const Environment& environment,
                           const Measure& root);

}  // namespace coracle::api::cel
