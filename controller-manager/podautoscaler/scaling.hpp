// From what metrics ask for to what is done: stabilisation windows, rates, minimum and maximum.
// Pure (upstream: pkg/controller/podautoscaler/horizontal.go, normalizeDesiredReplicas...).
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::controllers::autoscaler {

// What an autoscaler remembers between two looks: recommendations within the windows, and how many
// replicas came and went. Bound: entries older than an hour (the longest window) are dropped.
class Memory {
 public:
  struct Entry {
    std::int64_t number = 0;  // recommended replicas; or replicas added, or taken away
    WallTime at;
  };
  static Memory from_json(const json::value& memory);
  json::value to_json() const;
  void forget_before(WallTime time);

  std::vector<Entry> recommendations, added, removed;
};

struct Wish {
  std::int64_t replicas = 0, current = 0, least = 1, most = 1;
  WallTime now;
};
struct Outcome {
  std::int64_t replicas = 0;
  // Conditions: AbleToScale (always True here) and ScalingLimited.
  std::string able_reason, able_message;
  bool limited = false;
  std::string limit_reason, limit_message;
};
// `behavior`: spec.behavior with its defaults, or null: the fixed rules of old. Remembers the wish.
Outcome shape(const Wish& wish, const json::value* behavior, Memory* memory);
// Remembers that the size was changed.
void note_change(std::int64_t before, std::int64_t after, WallTime now, Memory* memory);

}  // namespace coracle::controllers::autoscaler
