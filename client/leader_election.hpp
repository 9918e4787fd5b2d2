// Leader election over a coordination.k8s.io/v1 Lease, as client-go does it: whoever writes its
// name into the Lease leads until it stops renewing for leaseDuration by the watcher's own clock.
//
// decide_lease() is pure. LeaderElector drives it: it tries every retry_period (+ jitter), gives up
// leading when it could not renew within renew_deadline of asking for the last renewal that came
// true, and releases the Lease on stop(). A strand that was too busy to look at its clock looks at
// what has come meanwhile before it gives up, but never when less than a tenth of lease_duration
// is left: nobody else can have taken the Lease by then.
// Strand: the Executor's. Invariant: on_stopped follows each on_started, before another.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.hpp"
#include "base/rng.hpp"
#include "client/resource.hpp"

namespace coracle::client {

struct LeaderElectionOptions {
  std::string namespace_name = "kube-system";
  std::string name;      // "kube-scheduler"
  std::string identity;  // unique: "host_uuid"
  Duration lease_duration = std::chrono::seconds(15);
  Duration renew_deadline = std::chrono::seconds(10);
  Duration retry_period = std::chrono::seconds(2);
  bool release_on_stop = true;
};

// InvalidArgument unless lease_duration > renew_deadline > 1.2 * retry_period and names are set.
Status validate(const LeaderElectionOptions& options);

struct LeaseRecord {
  std::string holder;
  std::int64_t duration_seconds = 0;
  std::string acquire_time, renew_time;  // MicroTime, as text
  std::int64_t transitions = 0;
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};
LeaseRecord lease_record(const json::value& lease);
// `lease` with the record in its spec; everything else is kept.
json::value with_record(const json::value& lease, const LeaseRecord& record);

// What this process has seen of the Lease, and when by its own clock it last changed.
struct LeaseView {
  std::optional<LeaseRecord> record;  // nothing: there is no Lease
  TimePoint changed_at;
};
// Notes a record just read; keeps changed_at when nothing changed.
void observe(LeaseView& view, const std::optional<LeaseRecord>& record, TimePoint now);

struct LeaseDecision {
  enum class Action { kWait, kCreate, kUpdate };
  Action action = Action::kWait;
  LeaseRecord record;  // to write
};
LeaseDecision decide_lease(const LeaseView& view, const LeaderElectionOptions& options,
                           TimePoint now, WallTime wall_now);
LeaseRecord released_record(const LeaseRecord& held, WallTime wall_now);

struct LeaderCallbacks {
  std::function<void()> on_started;
  std::function<void()> on_stopped;
  std::function<void(const std::string& identity)> on_new_leader;
};

class LeaderElector {
 public:
  LeaderElector(Executor& executor, Api& api, Rng rng, LeaderElectionOptions options,
                LeaderCallbacks callbacks);
  ~LeaderElector();  // no callback afterwards, no release
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  void start();
  // Stops trying; if it leads, on_stopped and then a release. `stopped` runs when that is over.
  void stop(std::function<void()> stopped);
  bool is_leader() const;
  const std::string& leader() const;  // as last seen

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace coracle::client
