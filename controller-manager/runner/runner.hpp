// Runner: drives one pure Controller: informers feed the World and the queue; a key's plan is
// carried out; conflicts and failures are tried again with back-off; events are recorded.
//
// Strand: the Executor's. Invariant: a key is reconciled only when every write of its last plan is
// visible in the caches (or kVisibleMax passed: then the cache is trusted again). Bounds: kWorkers
// keys at a time, kParallelWrites writes of one plan at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/metrics.hpp"
#include "client/events.hpp"
#include "client/work_queue.hpp"
#include "controllers/controller.hpp"
#include "runner/informers.hpp"
#include "runner/queue_metrics.hpp"

namespace coracle::controllers {

inline constexpr int kWorkers = 5;
inline constexpr size_t kParallelWrites = 16;
inline constexpr Duration kVisibleMax = std::chrono::seconds(30);

class Runner {
 public:
  // The informers must outlive it.
  Runner(Executor& executor, client::Api& api, SharedInformers& informers,
         std::unique_ptr<Controller> controller, Metrics& metrics);

  // Once, when the informers have synced.
  void start();
  void stop();
  const Controller& controller() const { return *controller_; }

 private:
  using Outcome = client::WorkQueueDriver::Finish;
  // A write that was acknowledged, and how it will show in the cache.
  struct Expected {
    client::Gvr gvr;
    std::string key, uid;
    std::int64_t resource_version = 0;  // at least this one; 0: gone, or being deleted
  };
  struct Pending {
    std::vector<Expected> writes;
    TimePoint since;
  };

  void listen(const client::Gvr& gvr, client::Informer& informer);
  Task<Outcome> work(std::string key);
  struct Failure {
    size_t index = 0;
    std::string why;
  };
  using FirstFailure = std::shared_ptr<std::optional<Failure>>;
  Task<bool> carry_out(std::string key, std::shared_ptr<Plan> plan);
  Task<bool> carry_out_one(std::string key, std::shared_ptr<Plan> plan, size_t index,
                           FirstFailure failure);
  Task<bool> write_failure(std::string key, std::shared_ptr<Plan> plan, Failure failure);
  Task<client::ApiResult<json::value>> send(const Write& write);
  void tell(const Plan& plan, const EventNote& note);
  void expect(const std::string& key, const Write& write, const json::value& answer);
  bool visible(const Expected& expected) const;
  // Drops what has become visible; true if nothing is left to wait for.
  bool settled(const std::string& key);
  void on_event(const client::Gvr& gvr, const json::value* before, const json::value* after);

  Executor& executor_;
  client::Api& api_;
  SharedInformers& informers_;
  std::unique_ptr<Controller> controller_;
  const std::vector<client::Gvr> watched_;  // by the controller
  World world_;
  client::EventRecorder recorder_;
  Counter& reconciles_;
  Counter& failures_;
  QueueMetrics queue_metrics_;
  std::map<std::string, Pending> pending_;
  std::map<std::string, json::value> memory_;  // by key: Plan::remember
  bool started_ = false, stopped_ = false;
  client::WorkQueueDriver queue_;
};

}  // namespace coracle::controllers
