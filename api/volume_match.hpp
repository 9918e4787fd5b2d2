// volume_match: which PersistentVolume satisfies a PersistentVolumeClaim, as upstream's
// component-helpers storage/volume decide it for binder and scheduler. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.hpp"
#include "base/json.hpp"

namespace coracle::api {

// The class by its old annotation, else by the spec; "" when none is named.
std::string_view storage_class_of_claim(const json::value& claim);
std::string_view storage_class_of_volume(const json::value& volume);
// Whether the claim leaves the choice of a class to the cluster.
bool names_no_class(const json::value& claim);

// spec.claimRef names this claim: by uid, or by name alone as long as it has no uid.
bool is_reserved_for(const json::value& volume, const json::value& claim);

Quantity asked_size(const json::value& claim);
Quantity volume_size(const json::value& volume);

// Upstream's words for why a volume that a claim asks for by name does not do; nothing if it does.
std::optional<std::string> why_unfit(const json::value& volume, const json::value& claim);

struct MatchOptions {
  // The claim waits for its first consumer and nobody asks for a node: only a volume that is
  // reserved for it will do.
  bool delay_binding = false;
  std::function<bool(const json::value& volume)> node_fits;  // empty: no node in question
  std::function<bool(const json::value& volume)> taken;      // empty: none is
};
// The best of `volumes`: one that is reserved for the claim; else the smallest that fits, of those
// with the fewest access modes; the first in order among equals. nullptr: none.
const json::value* best_volume(const json::value& claim,
                               const std::vector<const json::value*>& volumes,
                               const MatchOptions& options);

// The StorageClass marked as default: the newest, then the first by name; nullptr: none.
const json::value* default_storage_class(const std::vector<const json::value*>& classes);

}  // namespace coracle::api
