#include "driver/preemptor.hpp"

#include <fmt/format.h>

namespace coracle::scheduler {
namespace {

json::value unwanted_patch(const PodInfo& pod, const PodInfo& victim, WallTime now) {
  json::value patch = json::object();
  set_path(patch, "metadata.uid", json::value(victim.uid));
  make_object(patch, "status")["conditions"] = json::array{json::object{
      {"type", "DisruptionTarget"},
      {"status", "True"},
      {"reason", "PreemptionByScheduler"},
      {"message", pod.scheduler_name + ": preempting to accommodate a higher priority pod"},
      {"lastProbeTime", nullptr},
      {"lastTransitionTime", format_time(now)}}};
  return patch;
}

}  // namespace

Preemptor::Preemptor(Executor& executor, client::Api& api, Tell tell, Done done)
    : executor_(executor),
      pods_(api, client::Gvr{"", "v1", "pods", true}),
      tell_(std::move(tell)),
      done_(std::move(done)) {}

void Preemptor::begin(const PodPtr& pod, const std::string& node,
                      const std::vector<PodPtr>& victims) {
  std::vector<PodPtr> to_ask;
  for (const PodPtr& victim : victims) {
    if (!victim->deleting && busy_.insert(victim->uid).second) to_ask.push_back(victim);
  }
  if (to_ask.empty()) return;
  preempting_.insert(pod->uid);
  spawn<Status>(evict_all(pod, node, to_ask), [this, pod, to_ask](const Status& outcome) {
    for (const PodPtr& victim : to_ask) busy_.erase(victim->uid);
    preempting_.erase(preempting_.find(pod->uid));
    done_(pod, outcome);
  });
}

Task<Status> Preemptor::evict_all(PodPtr pod, std::string node, std::vector<PodPtr> victims) {
  for (const PodPtr& victim : victims) {
    Status one = co_await evict(pod, node, victim);
    if (!one.ok()) co_return one;
  }
  co_return Status();
}

Task<Status> Preemptor::evict(PodPtr pod, std::string node, PodPtr victim) {
  if (!victim->unwanted) {
    const auto patched =
        co_await pods_.patch(victim->ns, victim->name, client::PatchType::kStrategic,
                             unwanted_patch(*pod, *victim, executor_.wall_now()), {}, "status");
    if (!patched.ok()) {
      if (patched.error().is_not_found()) co_return Status();
      co_return unavailable(patched.error().message);
    }
  }
  client::DeleteOptions only_it;
  only_it.uid = victim->uid;
  const auto removed = co_await pods_.remove(victim->ns, victim->name, only_it);
  if (!removed.ok()) {
    if (removed.error().is_not_found()) co_return Status();
    co_return unavailable(removed.error().message);
  }
  tell_(*victim, *pod, fmt::format("Preempted by pod {} on node {}", pod->uid, node));
  co_return Status();
}

}  // namespace coracle::scheduler
