#include "driver/pod_status.hpp"

namespace coracle::scheduler {
namespace {

constexpr auto kDone = client::WorkQueueDriver::Outcome::kDone;
constexpr auto kRetry = client::WorkQueueDriver::Outcome::kRetry;

}  // namespace

PodStatus::PodStatus(Executor& executor, client::Api& api, const Queue& queue)
    : executor_(executor),
      pods_(api, client::Gvr{"", "v1", "pods", true}),
      queue_(queue),
      writes_(executor, kStatusWorkers, [this](const std::string& key, auto finish) {
        spawn<Finish>(write(key), [finish](Finish outcome) { finish(outcome); });
      }) {}

void PodStatus::rejected(const PodPtr& pod, const std::string& reason, const std::string& message,
                         std::optional<std::string> nomination) {
  const PodPtr now = queue_.find(pod->key);
  const PodInfo& seen = now != nullptr ? *now : *pod;
  const bool nominated_so = !nomination || *nomination == nominated_node_of(seen);
  if (nominated_so && !wanted_.contains(pod->key) && seen.scheduled_status == "False" &&
      seen.scheduled_reason == reason && seen.scheduled_message == message) {
    return;
  }
  Wanted& wanted = wanted_[pod->key];
  wanted.reason = reason;
  wanted.message = message;
  if (nomination) wanted.nomination = std::move(nomination);
  writes_.add(pod->key);
}

void PodStatus::nominate(const PodPtr& pod, const std::string& node) {
  const PodPtr now = queue_.find(pod->key);
  const PodInfo& seen = now != nullptr ? *now : *pod;
  if (nominated_node_of(seen) == node && !wanted_.contains(pod->key)) return;
  wanted_[pod->key].nomination = node;
  writes_.add(pod->key);
}

const std::string& PodStatus::nominated_node_of(const PodInfo& pod) const {
  const auto told = told_.find(pod.key);
  return told == told_.end() ? pod.nominated_node : told->second;
}

json::value PodStatus::patch_of(const PodInfo& pod, const Wanted& wanted) const {
  json::value patch = json::object();
  set_path(patch, "metadata.uid", json::value(pod.uid));
  json::object& status = make_object(patch, "status");
  if (!wanted.reason.empty()) {
    json::object condition{{"type", "PodScheduled"},
                           {"status", "False"},
                           {"reason", wanted.reason},
                           {"message", wanted.message},
                           {"lastProbeTime", nullptr}};
    if (pod.scheduled_status != "False") {
      condition["lastTransitionTime"] = format_time(executor_.wall_now());
    }
    status["conditions"] = json::array{std::move(condition)};
  }
  if (wanted.nomination && *wanted.nomination != nominated_node_of(pod)) {
    status["nominatedNodeName"] =
        wanted.nomination->empty() ? json::value(nullptr) : json::value(*wanted.nomination);
  }
  return patch;
}

Task<PodStatus::Finish> PodStatus::write(std::string key) {
  const auto found = wanted_.find(key);
  const PodPtr pod = queue_.find(key);
  if (found == wanted_.end() || pod == nullptr) co_return Finish{kDone, {}};
  const Wanted wanted = found->second;
  const auto answer = co_await pods_.patch(pod->ns, pod->name, client::PatchType::kStrategic,
                                           patch_of(*pod, wanted), {}, "status");
  if (!answer.ok() && answer.error().is_retryable()) co_return Finish{kRetry, {}};
  if (answer.ok() && wanted.nomination && queue_.find(key) != nullptr) {
    told_.erase(key);
    if (!wanted.nomination->empty()) told_.emplace(key, *wanted.nomination);
  }
  const auto now = wanted_.find(key);
  if (now == wanted_.end()) co_return Finish{kDone, {}};
  if (now->second != wanted) co_return Finish{kDone, Duration(0)};
  wanted_.erase(now);
  co_return Finish{kDone, {}};
}

}  // namespace coracle::scheduler
