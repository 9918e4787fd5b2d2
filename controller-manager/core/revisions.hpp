// The history of DaemonSets and StatefulSets: a ControllerRevision for each template they had.
// Pure (upstream: pkg/controller/history).
#pragma once

#include <string>
#include <vector>

#include "api/selectors.hpp"
#include "client/object_cache.hpp"
#include "controllers/plan.hpp"
#include "controllers/world.hpp"

namespace coracle::controllers {

// Of pods: which revision they were made from. The value differs: a hash for a DaemonSet's, the
// revision's name for a StatefulSet's.
inline constexpr char kRevisionLabel[] = "controller-revision-hash";

// "6d4f8b9c7": of a template and status.collisionCount; letters that spell no words.
std::string template_hash(const json::value& pod_template, std::int64_t collisions);
// The pod template a revision stands for.
json::value template_of_revision(const json::value& revision);
std::int64_t revision_number(const json::value& revision);

struct History {
  // By number, oldest first, with the wanted one last. The wanted one may only be planned yet.
  std::vector<client::ObjectPtr> all;
  client::ObjectPtr wanted;  // with the set's template
  bool collided = false;     // another object has its name: nothing may go on with this hash
  const client::ObjectPtr* find(std::string_view name) const;
};
// Adopts and releases revisions, finds the one with the set's template, plans to create it, or to
// give it the highest number when the set went back to it. `hash_label`: where revisions keep
// their hash.
History keep_history(const World& world, const json::value& set, const api::LabelSelector& selector,
                     const char* hash_label, Plan* plan);
// Deletes the oldest that are not `live`, beyond spec.revisionHistoryLimit.
void trim_history(const json::value& set, const History& history,
                  const std::vector<std::string>& live_names, Plan* plan);

}  // namespace coracle::controllers
