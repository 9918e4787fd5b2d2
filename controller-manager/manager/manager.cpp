#include "manager/manager.hpp"

#include "base/log.hpp"

namespace coracle::controllers {

Manager::Manager(Executor& executor, client::Api& api, Rng rng, Metrics& metrics,
                 ControllerOptions options, const Wanted& wanted)
    : executor_(executor),
      informers_(executor, api, rng.split()),
      pod_metrics_(executor, api,
                   [this] { return informers_.get(gvr::kAutoscalers).cache().size() > 0; }) {
  options.pod_metrics = &pod_metrics_;
  for (auto& controller : make_controllers(options)) {
    if (wanted && !wanted(controller->name())) continue;
    for (const client::Gvr& gvr : controller->watched()) informers_.get(gvr);
    runners_.push_back(
        std::make_unique<Runner>(executor, api, informers_, std::move(controller), metrics));
  }
  informers_.follow_custom_kinds();
  informers_.start();
}

void Manager::lead() {
  leading_ = true;
  log::info("leading with {} controllers", runners_.size());
  informers_.when_synced([this] {
    if (!leading_) return;
    pod_metrics_.start();
    start_from(0);
  });
}

void Manager::start_from(size_t next) {
  if (!leading_ || next == runners_.size()) return;
  runners_[next]->start();
  executor_.post([this, next, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) start_from(next + 1);
  });
}

void Manager::stop() {
  leading_ = false;
  pod_metrics_.stop();
  for (auto& runner : runners_) runner->stop();
}

}  // namespace coracle::controllers
