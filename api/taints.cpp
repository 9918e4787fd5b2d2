#include "api/taints.hpp"

#include <algorithm>

namespace coracle::api {
namespace {

std::optional<TaintEffect> parse_effect(std::string_view text) {
  if (text == "NoSchedule") return TaintEffect::kNoSchedule;
  if (text == "PreferNoSchedule") return TaintEffect::kPreferNoSchedule;
  if (text == "NoExecute") return TaintEffect::kNoExecute;
  return std::nullopt;
}

}  // namespace

std::string_view effect_text(TaintEffect effect) {
  switch (effect) {
    case TaintEffect::kNoSchedule:
      return "NoSchedule";
    case TaintEffect::kPreferNoSchedule:
      return "PreferNoSchedule";
    case TaintEffect::kNoExecute:
      return "NoExecute";
  }
  return "";
}

bool Toleration::tolerates(const Taint& taint) const {
  if (!any_effect && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (key.empty() && !exists) return false;
  return exists || value == taint.value;
}

const Toleration* tolerated_by(const Taint& taint, const std::vector<Toleration>& tolerations) {
  const auto found = std::find_if(tolerations.begin(), tolerations.end(),
                                  [&](const Toleration& t) { return t.tolerates(taint); });
  return found == tolerations.end() ? nullptr : &*found;
}

std::optional<Taint> parse_taint(const json::value& taint) {
  const auto effect = parse_effect(get_string(taint, "effect"));
  if (!effect) return std::nullopt;
  return Taint{std::string(get_string(taint, "key")), std::string(get_string(taint, "value")),
               *effect};
}

std::vector<Taint> parse_taints(const json::array& taints) {
  std::vector<Taint> parsed;
  for (const json::value& taint : taints) {
    if (auto one = parse_taint(taint)) parsed.push_back(std::move(*one));
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
    if (find(toleration, "tolerationSeconds") != nullptr) {
      t.seconds = get_int(toleration, "tolerationSeconds");
    }
    parsed.push_back(std::move(t));
  }
  return parsed;
}

}  // namespace coracle::api
