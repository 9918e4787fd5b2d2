// Taints of nodes and tolerations of pods. Value types. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::scheduler {

enum class TaintEffect : std::uint8_t { kNoSchedule, kPreferNoSchedule, kNoExecute };

struct Taint {
  std::string key, value;
  TaintEffect effect = TaintEffect::kNoSchedule;
  friend bool operator==(const Taint&, const Taint&) = default;
};

struct Toleration {
  std::string key;  // empty: every key
  bool exists = false;
  std::string value;
  bool any_effect = true;
  TaintEffect effect = TaintEffect::kNoSchedule;  // unless any_effect
  bool tolerates(const Taint& taint) const;
};

bool tolerated(const Taint& taint, const std::vector<Toleration>& tolerations);
std::vector<Taint> parse_taints(const json::array& taints);
std::vector<Toleration> parse_tolerations(const json::array& tolerations);

}  // namespace coracle::scheduler
