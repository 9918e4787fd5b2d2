// The ReplicaSets of a Deployment: which is the new one, names and hashes, revisions, annotations.
// Pure (upstream: pkg/controller/deployment/util, sync.go).
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "client/object_cache.hpp"
#include "controllers/plan.hpp"

namespace coracle::controllers::deployment {

using client::ObjectPtr;

inline constexpr char kRevision[] = "deployment.kubernetes.io/revision";
inline constexpr char kRevisionHistory[] = "deployment.kubernetes.io/revision-history";
inline constexpr char kDesired[] = "deployment.kubernetes.io/desired-replicas";
inline constexpr char kMax[] = "deployment.kubernetes.io/max-replicas";
inline constexpr char kHashLabel[] = "pod-template-hash";

// What one reconcile sees. `all`: its ReplicaSets, oldest first.
struct View {
  const json::value& deployment;
  std::vector<ObjectPtr> all;
  ObjectPtr current;           // with the Deployment's template; null when there is none yet
  std::vector<ObjectPtr> old;  // all others
  Instant now;

  std::int64_t desired() const;  // spec.replicas
  std::int64_t max_surge() const;
  std::int64_t max_unavailable() const;
  bool rolling() const;  // else Recreate
  std::vector<ObjectPtr> old_with_pods() const;
};

View make_view(const json::value& deployment, std::vector<ObjectPtr> owned, Instant now);

std::int64_t spec_replicas(const json::value& rs);
std::int64_t status_number(const json::value& object, std::string_view field);
std::int64_t sum_spec(const std::vector<ObjectPtr>& sets);
std::int64_t sum_status(const std::vector<ObjectPtr>& sets, std::string_view field);

// Equal but for the hash label.
bool same_template(const json::value& a, const json::value& b);

// A ReplicaSet for the Deployment's template with so many replicas.
json::value new_replica_set(const View& view, std::int64_t replicas);
// Plans what makes the current one exist and carry the right revision and annotations. Returns
// whether the plan must be carried out before anything else is decided.
bool ensure_current(const View& view, Plan* plan);
// Plans a change of size; with the event. False when it has that size (annotations are kept right).
bool scale(const View& view, const ObjectPtr& rs, std::int64_t replicas, Plan* plan);
// Deletes old, empty ones beyond revisionHistoryLimit.
void clean_history(const View& view, Plan* plan);
// How many replicas the new one may have now.
std::int64_t new_replicas(const View& view);

}  // namespace coracle::controllers::deployment
