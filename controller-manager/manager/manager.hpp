// Manager: all controllers over one set of informers, running while it leads. The daemon and the
// simulated cluster are made of it.
//
// Strand: the Executor's. Caches are warm before it leads, so that a takeover loses no time.
#pragma once

#include <memory>
#include <vector>

#include "manager/registry.hpp"
#include "podmetrics/pod_metrics_feed.hpp"
#include "runner/runner.hpp"

namespace coracle::controllers {

class Manager {
 public:
  // Which controllers there are, by name; empty: all of the registry.
  using Wanted = std::function<bool(std::string_view name)>;

  // `options.pod_metrics` is its own. Its informers begin at once.
  Manager(Executor& executor, client::Api& api, Rng rng, Metrics& metrics,
          ControllerOptions options, const Wanted& wanted = nullptr);

  void lead();
  // Begins nothing any more; what is under way ends.
  void stop();
  bool ready() const { return informers_.has_synced(); }

 private:
  // One a turn of the strand: each is shown all objects of its kinds as it starts.
  void start_from(size_t next);

  Executor& executor_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  SharedInformers informers_;
  PodMetricsFeed pod_metrics_;
  std::vector<std::unique_ptr<Runner>> runners_;
  bool leading_ = false;
};

}  // namespace coracle::controllers
