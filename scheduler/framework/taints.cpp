#include "framework/taints.hpp"

#include <algorithm>
#include <optional>

namespace coracle::scheduler {
namespace {

std::optional<TaintEffect> parse_effect(std::string_view text) {
  if (text == "NoSchedule") return TaintEffect::kNoSchedule;
  if (text == "PreferNoSchedule") return TaintEffect::kPreferNoSchedule;
  if (text == "NoExecute") return TaintEffect::kNoExecute;
  return std::nullopt;
}

}  // namespace

bool Toleration::tolerates(const Taint& taint) const {
  if (!any_effect && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (key.empty() && !exists) return false;
  return exists || value == taint.value;
}

bool tolerated(const Taint& taint, const std::vector<Toleration>& tolerations) {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const Toleration& t) { return t.tolerates(taint); });
}

std::vector<Taint> parse_taints(const json::array& taints) {
  std::vector<Taint> parsed;
  for (const json::value& taint : taints) {
    const auto effect = parse_effect(get_string(taint, "effect"));
    if (!effect) continue;
    parsed.push_back(
        {std::string(get_string(taint, "key")), std::string(get_string(taint, "value")), *effect});
  }
  return parsed;
}

std::vector<Toleration> parse_tolerations(const json::array& tolerations) {
  std::vector<Toleration> parsed;
  for (const json::value& toleration : tolerations) {
    const auto effect = parse_effect(get_string(toleration, "effect"));
    Toleration t;
    t.key = get_string(toleration, "key");
    t.exists = get_string(toleration, "operator") == "Exists";
    t.value = get_string(toleration, "value");
    t.any_effect = get_string(toleration, "effect").empty();
    if (!t.any_effect && !effect) continue;
    t.effect = effect.value_or(TaintEffect::kNoSchedule);
    parsed.push_back(std::move(t));
  }
  return parsed;
}

}  // namespace coracle::scheduler
