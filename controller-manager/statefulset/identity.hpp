// What makes a pod of a StatefulSet that very one: its name and labels, its claims, and who owns
// those. Pure (upstream: pkg/controller/statefulset/stateful_set_utils.go).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::controllers::stateful_set {

inline constexpr char kPodNameLabel[] = "statefulset.kubernetes.io/pod-name";
inline constexpr char kPodIndexLabel[] = "apps.kubernetes.io/pod-index";

// Of "web-12" in the set "web": 12; nothing for names that are not of the set.
std::optional<std::int64_t> ordinal_of(const json::value& set, const json::value& pod);
std::int64_t start_ordinal(const json::value& set);
bool in_range(const json::value& set, std::int64_t ordinal);
std::string pod_name(const json::value& set, std::int64_t ordinal);

// The pod of that ordinal, made from a template of that revision.
json::value pod_at(const json::value& set, const json::value& pod_template,
                   const std::string& revision, std::int64_t ordinal);
// The labels a pod lacks to be recognised; nothing when it has them.
std::optional<json::object> missing_labels(const json::value& set, const json::value& pod);

// The claims of that pod, one a spec.volumeClaimTemplates, as they would be created.
std::vector<json::value> claims_at(const json::value& set, std::int64_t ordinal);
// spec.persistentVolumeClaimRetentionPolicy, as owners of a claim: the set's when it goes with the
// set; the pod's when it goes with a pod that is scaled away (only then is `pod` looked at).
// Nothing when the claim has the right owners, or another controller's.
std::optional<json::array> corrected_owners(const json::value& set, const json::value& claim,
                                            const json::value* pod, bool scaled_away);
// A claim that was to go with an earlier pod of this name, and has not gone yet.
bool is_stale(const json::value& set, const json::value& claim, const std::string& name,
              const json::value* pod);

}  // namespace coracle::controllers::stateful_set
