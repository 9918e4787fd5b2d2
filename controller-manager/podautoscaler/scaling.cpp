#include "podautoscaler/scaling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace coracle::controllers::autoscaler {
namespace {

using std::chrono::seconds;

constexpr Duration kDownWindow = std::chrono::minutes(5);
constexpr Duration kKept = std::chrono::hours(1);

json::array entries_to_json(const std::vector<Memory::Entry>& entries) {
  json::array all;
  for (const auto& [number, at] : entries) {
    all.push_back(json::array({json::value(number), json::value(at.time_since_epoch().count())}));
  }
  return all;
}

std::vector<Memory::Entry> entries_from_json(const json::array& all) {
  std::vector<Memory::Entry> entries;
  for (const json::value& one : all) {
    const json::array* pair = one.if_array();
    if (pair == nullptr || pair->size() != 2) continue;
    entries.push_back({(*pair)[0].get_int64(), WallTime(Duration((*pair)[1].get_int64()))});
  }
  return entries;
}

void too_many(Outcome* out) {
  out->limit_reason = "TooManyReplicas";
  out->limit_message = "the desired replica count is more than the maximum replica count";
}
void too_few(Outcome* out) {
  out->limit_reason = "TooFewReplicas";
  out->limit_message = "the desired replica count is less than the minimum replica count";
}
void too_fast(Outcome* out, bool up) {
  out->limit_reason = up ? "ScaleUpLimit" : "ScaleDownLimit";
  out->limit_message = std::string("the desired replica count is ") +
                       (up ? "increasing" : "decreasing") + " faster than the maximum scale rate";
}

void stabilized(Outcome* out, bool down) {
  out->able_reason = down ? "ScaleDownStabilized" : "ScaleUpStabilized";
  out->able_message = down ? "recent recommendations were higher than current one, applying the "
                             "highest recent recommendation"
                           : "recent recommendations were lower than current one, applying the "
                             "lowest recent recommendation";
}

void within_range(Outcome* out) {
  out->limit_reason = "DesiredWithinRange";
  out->limit_message = "the desired count is within the acceptable range";
}

// Down only to the highest wish of the last minutes; up to twice as many, or to four.
void shape_by_old_rules(const Wish& wish, const Memory& memory, Outcome* out) {
  for (const Memory::Entry& entry : memory.recommendations) {
    if (entry.at > wish.now - kDownWindow) out->replicas = std::max(out->replicas, entry.number);
  }
  if (out->replicas != wish.replicas) stabilized(out, true);
  std::int64_t most = std::max<std::int64_t>(2 * wish.current, 4);
  if (most > wish.most) {
    most = wish.most;
    too_many(out);
  } else {
    too_fast(out, true);
  }
  if (out->replicas < wish.least) {
    out->replicas = wish.least;
    too_few(out);
    out->limited = true;
  } else if (out->replicas > most) {
    out->replicas = most;
    out->limited = true;
  }
}

Duration window_of(const json::value& behavior, const char* direction, Duration fallback) {
  const json::value* window = find_keys(behavior, {direction, "stabilizationWindowSeconds"});
  return window != nullptr && window->is_int64() ? seconds(window->get_int64()) : fallback;
}

std::int64_t sum_since(const std::vector<Memory::Entry>& entries, WallTime since) {
  std::int64_t sum = 0;
  for (const Memory::Entry& entry : entries) {
    if (entry.at > since) sum += entry.number;
  }
  return sum;
}

// How far the policies of one direction let the size go.
std::int64_t limit_by_policies(const json::value& rules, const Wish& wish, const Memory& memory,
                               bool up) {
  const std::string_view select = get_string(rules, "selectPolicy", "Max");
  if (select == "Disabled") return wish.current;
  // Max allows the greatest change: the most replicas on the way up, the least on the way down.
  const bool take_most = (select == "Max") == up;
  std::int64_t limit = take_most ? std::numeric_limits<std::int32_t>::min()
                                 : std::numeric_limits<std::int32_t>::max();
  for (const json::value& policy : get_array(rules, "policies")) {
    const WallTime since = wish.now - seconds(get_int(policy, "periodSeconds"));
    const std::int64_t start =
        wish.current - sum_since(memory.added, since) + sum_since(memory.removed, since);
    const std::int64_t value = get_int(policy, "value");
    std::int64_t proposed = up ? start + value : start - value;
    if (get_string(policy, "type") == "Percent") {
      const double share = static_cast<double>(value) / 100;
      const auto n = static_cast<double>(start);
      // Rounded so that a small size can still change upwards.
      proposed = up ? static_cast<std::int64_t>(std::ceil(n * (1 + share)))
                    : static_cast<std::int64_t>(n * (1 - share));
    }
    limit = take_most ? std::max(limit, proposed) : std::min(limit, proposed);
  }
  return limit;
}

void limit_rate(const Wish& wish, const json::value& behavior, const Memory& memory, Outcome* out) {
  const bool up = out->replicas > wish.current;
  if (out->replicas == wish.current) return;
  const json::value rules = get_object(behavior, up ? "scaleUp" : "scaleDown");
  const std::int64_t rate = limit_by_policies(rules, wish, memory, up);
  if (up) {
    const std::int64_t fast = std::max(rate, wish.current);
    if (fast < wish.most) {
      too_fast(out, true);
    } else {
      too_many(out);
    }
    const std::int64_t most = std::min(fast, wish.most);
    out->limited = out->replicas > most;
    out->replicas = std::min(out->replicas, most);
  } else {
    const std::int64_t fast = std::min(rate, wish.current);
    if (fast > wish.least) {
      too_fast(out, false);
    } else {
      too_few(out);
    }
    const std::int64_t least = std::max(fast, wish.least);
    out->limited = out->replicas < least;
    out->replicas = std::max(out->replicas, least);
  }
}

void shape_by_behavior(const Wish& wish, const json::value& behavior, const Memory& memory,
                       Outcome* out) {
  const WallTime up_since = wish.now - window_of(behavior, "scaleUp", Duration(0));
  const WallTime down_since = wish.now - window_of(behavior, "scaleDown", kDownWindow);
  std::int64_t lowest = wish.replicas, highest = wish.replicas;
  for (const Memory::Entry& entry : memory.recommendations) {
    if (entry.at > up_since) lowest = std::min(lowest, entry.number);
    if (entry.at > down_since) highest = std::max(highest, entry.number);
  }
  out->replicas = std::min(std::max(wish.current, lowest), highest);
  if (out->replicas != wish.replicas) stabilized(out, wish.replicas < wish.current);
  limit_rate(wish, behavior, memory, out);
}

}  // namespace

Memory Memory::from_json(const json::value& memory) {
  return {entries_from_json(get_array(memory, "recommendations")),
          entries_from_json(get_array(memory, "added")),
          entries_from_json(get_array(memory, "removed"))};
}

json::value Memory::to_json() const {
  return json::object({{"recommendations", entries_to_json(recommendations)},
                       {"added", entries_to_json(added)},
                       {"removed", entries_to_json(removed)}});
}

void Memory::forget_before(WallTime time) {
  for (auto* entries : {&recommendations, &added, &removed}) {
    std::erase_if(*entries, [&](const Entry& entry) { return entry.at < time; });
  }
}

Outcome shape(const Wish& wish, const json::value* behavior, Memory* memory) {
  Outcome out;
  out.replicas = wish.replicas;
  out.able_reason = "ReadyForNewScale";
  out.able_message = "recommended size matches current size";
  memory->forget_before(wish.now - kKept);
  if (behavior == nullptr) {
    shape_by_old_rules(wish, *memory, &out);
  } else {
    shape_by_behavior(wish, *behavior, *memory, &out);
  }
  if (!out.limited) within_range(&out);
  memory->recommendations.push_back({wish.replicas, wish.now});
  return out;
}

void note_change(std::int64_t before, std::int64_t after, WallTime now, Memory* memory) {
  auto& entries = after > before ? memory->added : memory->removed;
  entries.push_back({std::abs(after - before), now});
}

}  // namespace coracle::controllers::autoscaler
