// Scheduler: the driver. Informers feed cache and queue; while it leads it takes pods, decides,
// assumes, and binds in the background.
//
// Strand: the Executor's. Bounds: kBindsMax binds in flight (no pod is taken over it), kBatch
// decisions before other work of the strand gets its turn, kStatusWorkers condition writes at a
// time (one pending a pod, the newest), kDecisionsKept decisions. Failures: a bind that was refused
// or lost is forgotten and tried again after its back-off.
#pragma once

#include <deque>
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
#include "client/work_queue.hpp"
#include "cycle/cycle.hpp"
#include "cycle/reserve.hpp"
#include "driver/pre_bind.hpp"
#include "driver/preemptor.hpp"
#include "driver/surroundings.hpp"
#include "queue/queue.hpp"

namespace coracle::scheduler {

inline constexpr size_t kBindsMax = 64;
inline constexpr int kBatch = 16;
inline constexpr int kStatusWorkers = 8;
inline constexpr size_t kDecisionsKept = 256;

class Scheduler {
 public:
  Scheduler(Executor& executor, client::Api& api, Rng rng, std::vector<Profile> profiles,
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
  const std::deque<Decision>& decisions() const { return decisions_; }

 private:
  void on_pod(const client::ObjectPtr& object);
  void on_pod_gone(const client::ObjectPtr& object);
  void on_waiting_pod(const PodPtr& pod);
  void on_node(const client::ObjectPtr& object);
  void changed(Change change);
  void wake();
  void run_batch();
  void place_one(const PodPtr& pod);
  // Assumes the pod where it was decided to go; a plugin's no turns the decision.
  void assume(const PodInfo& pod, Decision& decision);
  void forget(const PodInfo& pod, const std::string& node);
  void set_timer();
  void bind(const PodPtr& pod, const std::string& node);
  // What had to be done before the bind has been, or failed.
  void on_prepared(const PodPtr& pod, const std::string& node, const Status& outcome);
  void on_bound(const PodPtr& pod, const std::string& node,
                const client::ApiResult<json::value>& answer);
  // `nomination`: the node, or empty for none; nothing: as it is.
  void reject(const PodPtr& pod, const std::string& reason, const std::string& message,
              std::optional<std::string> nomination = {});
  void fits_nowhere(const PodPtr& pod, const Decision& decision);
  void clear_less_important(const PodInfo& pod, const std::string& node);
  void tell(const PodInfo& pod, bool warning, const std::string& reason,
            const std::string& message);
  Task<client::WorkQueueDriver::Finish> write_condition(std::string key);

  Executor& executor_;
  client::ResourceClient pods_api_;
  std::map<std::string, Profile> profiles_;
  std::map<std::string, std::unique_ptr<client::EventRecorder>> recorders_;  // by profile
  client::Informer pods_, nodes_;
  Counter &scheduled_, &unschedulable_, &failed_, &preemptions_;

  Cache cache_;
  Queue queue_;
  Surroundings surroundings_;
  PreBind pre_bind_;
  Preemptor preemptor_;
  Rotation rotation_;
  std::deque<Decision> decisions_;
  struct StatusWrite {
    std::string reason, message;  // of PodScheduled=False; empty: it stays as it is
    std::optional<std::string> nomination;
    friend bool operator==(const StatusWrite&, const StatusWrite&) = default;
  };
  std::map<std::string, StatusWrite> conditions_;  // by key
  size_t binds_ = 0;
  bool leading_ = false, stopped_ = false, batch_posted_ = false;
  Executor::TimerId timer_ = 0;
  client::WorkQueueDriver status_writes_;  // keys of conditions_
};

}  // namespace coracle::scheduler
