// Taints of nodes and tolerations of pods: which taint a toleration bears. Value types. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

enum class TaintEffect : std::uint8_t { kNoSchedule, kPreferNoSchedule, kNoExecute };
std::string_view effect_text(TaintEffect effect);  // "NoSchedule" ..

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
  std::optional<std::int64_t> seconds;            // how long NoExecute is borne; none: for ever
  bool tolerates(const Taint& taint) const;
};

// The first that bears the taint; nullptr when none does.
const Toleration* tolerated_by(const Taint& taint, const std::vector<Toleration>& tolerations);

// What has an effect we do not know is nothing.
std::optional<Taint> parse_taint(const json::value& taint);
std::vector<Taint> parse_taints(const json::array& taints);
std::vector<Toleration> parse_tolerations(const json::array& tolerations);

}  // namespace coracle::api
