// Scheduler: the driver. Informers feed cache and queue; while it leads it takes pods, decides,
// assumes, and binds in the background.
//
// Strand: the Executor's. Bounds: kBindsMax binds in flight (no pod is taken over it), kBatch
// decisions before other work of the strand gets its turn, kEventsMax events that wait to be told;
// those of its parts. Failures: a bind that was refused or lost is forgotten and tried again after
// its back-off.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/metrics.hpp"
#include "base/rng.hpp"
#include "cache/cache.hpp"
#include "client/events.hpp"
#include "client/informer.hpp"
#include "cycle/cycle.hpp"
#include "cycle/group_preemption.hpp"
#include "cycle/reserve.hpp"
#include "driver/extenders.hpp"
#include "driver/numbers.hpp"
#include "driver/permits.hpp"
#include "driver/pod_status.hpp"
#include "driver/pre_bind.hpp"
#include "driver/preemptor.hpp"
#include "driver/surroundings.hpp"
#include "queue/queue.hpp"
#include "why/decision_log.hpp"

namespace coracle::scheduler {

inline constexpr size_t kBindsMax = 64;
inline constexpr int kBatch = 16;
// A burst of so many pods loses no event. One at a time, as upstream's: they follow the binds,
// which would else share the apiserver with them.
inline constexpr size_t kEventsMax = 16384;

struct SchedulerOptions {
  std::vector<Profile> profiles;
  std::vector<ExtenderConfig> extenders;
  ExtenderPort* extender_port = nullptr;  // needed when there are extenders
  ProcessPort* process_port = nullptr;    // needed when profiles have plugins that are programs
  QueueOptions queue;                     // sort and keeps_out are the profiles'
  // Told of each decision when it is made, on the strand; calls nothing of the scheduler.
  std::function<void(const KeptDecision&)> on_decision;
};

class Scheduler {
 public:
  Scheduler(Executor& executor, client::Api& api, Rng rng, SchedulerOptions options,
            Metrics& metrics);

  // Informers begin; nothing is decided before lead().
  void start();
  void lead();
  // Decides nothing any more; binds in flight end.
  void stop();
  bool has_synced() const {
    return pods_.has_synced() && nodes_.has_synced() && surroundings_.has_synced();
  }

  const Cache& cache() const { return cache_; }
  const Queue& queue() const { return queue_; }
  size_t binds_in_flight() const { return binds_; }
  bool leads() const { return leading_; }
  const DecisionLog& decisions() const { return decisions_; }
  const std::map<std::string, Profile>& profiles() const { return profiles_; }
  const Extenders& extenders() const { return extenders_; }

 private:
  void on_pod(const client::ObjectPtr& object);
  void on_pod_gone(const client::ObjectPtr& object);
  void on_waiting_pod(const PodPtr& pod);
  void see_in_group(const PodInfo& pod);
  void on_node(const client::ObjectPtr& object);
  void on_node_gone(const std::string& name);
  void changed(Change change);
  void wake();
  void run_batch();
  void set_timer();
  QueueOptions queue_options(QueueOptions options) const;
  const Profile& profile_of(const PodInfo& pod) const { return profiles_.at(pod.scheduler_name); }

  // driver/placing.cpp: from a pod that was taken to its bind, in this order.
  void place_one(const PodPtr& pod);
  void settle(const PodPtr& pod, Decision decision);
  // Assumes the pod where it was decided to go; a plugin's no turns the decision.
  void assume(const PodInfo& pod, Decision& decision);
  void on_permitted(const PodPtr& pod, const std::string& node, const Permits::Outcome& outcome);
  void not_permitted(const PodPtr& pod, const Permits::Outcome& outcome);
  // What had to be done before the bind has been, or failed.
  void on_prepared(const PodPtr& pod, const std::string& node, const Status& outcome);
  void bind(const PodPtr& pod, const std::string& node);
  Task<client::ApiResult<json::value>> post_binding(PodPtr pod, std::string node);
  void on_bound(const PodPtr& pod, const std::string& node,
                const client::ApiResult<json::value>& answer);
  // ... or back to the queue.
  void fits_nowhere(const PodPtr& pod, const Decision& decision,
                    const std::vector<GroupMember>& gang);
  void give_up_with(const PodInfo& failed);
  // Called off if the pod's gang would not run then; else who else of it is to go where.
  std::vector<GroupMember> plan_for_gang(Decision& decision);
  void preempt(const PodPtr& pod, const Decision& decision);
  void preempt_for_gang(const Decision& decision, const std::vector<GroupMember>& members);
  // It is in the queue, and not another of its name.
  bool waits(const PodInfo& pod) const;
  bool is_assumed(const PodInfo& pod) const;
  // An assumed pod counts on the node no more, and its claims do not name it; then `then`. Nothing
  // for one that is gone or placed. `wrote`: it came as far as what is written before the bind.
  void undo(const PodPtr& pod, const std::string& node, bool wrote, std::function<void()> then);
  void undo_bind(const PodPtr& pod, const std::string& node, const std::string& why, bool quiet);
  // `nomination`: the node, or empty for none; nothing: as it is.
  void reject(const PodPtr& pod, const std::string& reason, const std::string& message,
              std::optional<std::string> nomination = {});
  // `as`: the profile that says it.
  void tell(const PodInfo& pod, const std::string& as, const std::string& reason,
            const std::string& message);

  Executor& executor_;
  client::ResourceClient pods_api_;
  const std::map<std::string, Profile> profiles_;
  std::map<std::string, std::unique_ptr<client::EventRecorder>> recorders_;  // by profile
  client::Informer pods_, nodes_;
  Numbers numbers_;

  Cache cache_;
  Queue queue_;
  Surroundings surroundings_;
  Extenders extenders_;
  Permits permits_;
  PreBind pre_bind_;
  Preemptor preemptor_;
  PodStatus status_;
  Rotation rotation_;
  DecisionLog decisions_;
  const std::function<void(const KeptDecision&)> on_decision_;
  size_t binds_ = 0;
  bool leading_ = false, stopped_ = false, batch_posted_ = false;
  bool deciding_ = false;  // an extender is being asked
  bool falling_ = false;   // pods give up because another did
  Executor::TimerId timer_ = 0;
};

}  // namespace coracle::scheduler
