// The annotation in which apply keeps what was applied last, and the patch made with its help.
// Pure.
#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"
#include "client/resource.hpp"

namespace coracle::kubectl {

inline constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// The object's configuration as the annotation holds it: without the annotation itself, keys
// sorted, one line with its end.
std::string last_applied_text(const json::value& object);
void set_last_applied(json::value& object);
std::optional<std::string> get_last_applied(const json::value& object);

struct ApplyPatch {
  client::PatchType type = client::PatchType::kStrategic;
  json::value patch;
};

// The three-way patch from what was applied last (`current` says), what is there, and what is
// wanted. "error: creating patch: ..."
Result<ApplyPatch> plan_apply(const json::value& wanted, const json::value& current);

}  // namespace coracle::kubectl
