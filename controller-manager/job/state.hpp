// What a Job's pods and its status say together. Pure.
//
// How pods are counted without losing or doubling one (upstream: "tracking with finalizers"): each
// pod carries the finalizer kTracking. 1 A finished pod's uid is written to the job's
// status.uncountedTerminatedPods (of an Indexed job's successes, the index to completedIndexes);
// 2 only then its finalizer goes; 3 when it has gone, the uid moves into the counters.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "client/object_cache.hpp"
#include "job/indexes.hpp"

namespace coracle::controllers::job {

using client::ObjectPtr;

struct State {
  const json::value& job;
  Instant now;
  std::vector<ObjectPtr> pods, active;
  bool indexed = false, per_index = false;  // per_index: spec.backoffLimitPerIndex
  std::int64_t parallelism = 1, ready = 0, terminating = 0;
  std::optional<std::int64_t> completions;

  // In the counters already, and on the way there (step 1 and 2), after step 3 of this round.
  std::int64_t counted_succeeded = 0, counted_failed = 0;
  std::set<std::string> uncounted_succeeded, uncounted_failed;
  // Of an Indexed job: as its status had them, and with what pods add now.
  IndexSet known_done, done, failed_indexes;
  // All together, with pods that are not yet written down. Ignored failures are not among them.
  std::int64_t succeeded = 0, failed = 0;
  // With per_index: the last failed pod of each index that waits for its successor. It keeps its
  // finalizer until then, as its annotations hold the index's number of failures.
  std::map<std::int64_t, ObjectPtr> last_failed;

  bool suspended() const { return get_bool(job, "spec.suspend"); }
};

State read_state(const json::value& job, std::vector<ObjectPtr> pods, Instant now);
bool is_tracked(const json::value& pod);  // carries the finalizer
// In a pod's annotations: failures of its index before it.
std::int64_t index_failures(const json::value& pod, const char* annotation);

// How long new pods must wait after failed ones: 10 s, doubling to 10 min, until a success.
inline constexpr Duration kBackOffFirst = std::chrono::seconds(10);
inline constexpr Duration kBackOffMax = std::chrono::minutes(10);
Duration backoff_left(const State& state);
Duration backoff_left_of_index(const State& state, std::int64_t index);

// Why the job ends. FailureTarget and SuccessCriteriaMet come first; Failed and Complete follow
// when all pods have ended and are counted.
struct Verdict {
  bool success = false;
  std::string reason, message;
};
// Nothing: it goes on. `again` gets when its deadline is near.
std::optional<Verdict> decide(const State& state, std::optional<Duration>* again);

}  // namespace coracle::controllers::job
