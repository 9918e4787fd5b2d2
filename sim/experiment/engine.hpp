// Engine: the world an experiment runs in. It takes a plan to pieces on virtual time and tells the
// ledger what becomes of it. One thread. Equal plan, policy and seed: equal calls of the ledger.
#pragma once

#include <memory>

#include "config/config.hpp"
#include "experiment/ledger.hpp"
#include "queue/queue.hpp"
#include "scenario/plan.hpp"

namespace coracle::sim {

class Engine {
 public:
  virtual ~Engine() = default;

  // The cluster is as at time 0; nothing has arrived yet.
  virtual Status begin() = 0;
  // Goes on until then, or until after the next decision, with those that are made in the same
  // moment. True: the time has come. An error ends the experiment: a plugin failed, or the world
  // broke a promise.
  virtual Result<bool> run_until(Duration at, bool stop_at_decision = false) = 0;
  virtual Duration now() const = 0;
  virtual QueueSizes queue() const = 0;
};

struct EngineInput {
  const Scenario* scenario = nullptr;  // both outlive the engine
  const Plan* plan = nullptr;
  scheduler::Config policy;
  std::uint64_t seed = 1;
};

// A pod that is being decided is still in the queue.
inline QueueSizes sizes_of(const scheduler::Queue::Sizes& sizes) {
  const auto number = [](size_t n) { return static_cast<std::int64_t>(n); };
  return {number(sizes.active + sizes.taken), number(sizes.backoff), number(sizes.parked),
          number(sizes.gated)};
}

std::unique_ptr<Engine> make_placement_engine(EngineInput input, Ledger* ledger);

}  // namespace coracle::sim
