// The search for an order of operations that explains a history, after Wing, Gong and Lowe: take
// any operation that nothing unexplained precedes, if the model answers it as the store did; where
// it does not go on, take back; never enter the same situation twice.
//
// What makes it fast, and why it is right:
//  1. an operation without effect that fits is taken at once and for good: nothing later depends on
//     it, and all that must precede it does;
//  2. a revision that some answer claims belongs to that operation alone;
//  3. a revision that others have seen a key of must write that key so;
//  4. nobody may pass the revision of an answer that is not explained yet;
//  5. those of unknown outcome come last, only if they change something, and of equal requests only
//     the one called first.
// Situations are remembered as 128 bits of hash; a collision could only cause a false alarm.
#pragma once

#include <cstdint>
#include <string>

#include "linearize/history.hpp"

namespace coracle::linearize {

enum class Kind { kOk, kViolation, kUndecided };

struct Verdict {
  Kind kind = Kind::kOk;
  // Of the smallest prefix that cannot be explained:
  std::size_t events = 0;   // calls and returns, in time
  std::size_t culprit = 0;  // position in the history of the operation that returned last
  std::string explanation;
  std::uint64_t steps = 0;
};

struct Limits {
  std::uint64_t steps_max = 20'000'000;
};

Verdict check(const History& history, const Limits& limits = {});

}  // namespace coracle::linearize
