#include "driver/pre_bind.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

const client::Gvr kClaims{"", "v1", "persistentvolumeclaims", true};
const client::Gvr kVolumes{"", "v1", "persistentvolumes", false};
const client::Gvr kDeviceClaims{"resource.k8s.io", "v1", "resourceclaims", true};

const client::Gvr& gvr_of(const PreBindWrite& write) {
  switch (write.target) {
    case PreBindWrite::Target::kVolume:
      return kVolumes;
    case PreBindWrite::Target::kClaim:
      return kClaims;
    case PreBindWrite::Target::kDeviceClaim:
      return kDeviceClaims;
  }
  return kVolumes;
}

struct MayBind {
  Verdict verdict = Verdict::yes();
  const Plugin* by = nullptr;  // who does not say yes
};

MayBind may_bind(const Profile& profile, const PodInfo& pod, const std::string& node,
                 const Snapshot& world) {
  MayBind all;
  for (const Plugin* plugin : profile.at(Point::kPreBind)) {
    Verdict verdict = plugin->may_bind(pod, node, world);
    if (verdict.is_yes()) continue;
    all = {std::move(verdict), plugin};
    if (all.verdict.kind() == Verdict::Kind::kNever) return all;
  }
  return all;
}

std::string failure_of(const Plugin* plugin, const std::string& why) {
  return fmt::format("running PreBind plugin \"{}\": {}", plugin->name(), why);
}

}  // namespace

// An allocation says since when it is one: plugins know no time.
void PreBind::stamp(PreBindWrite& write) const {
  if (write.target != PreBindWrite::Target::kDeviceClaim) return;
  if (find(write.patch, "status.allocation") == nullptr) return;
  set_path(write.patch, "status.allocation.allocationTimestamp",
           json::value(format_time(executor_.wall_now())));
}

bool PreBind::begin(const Profile& profile, const PodPtr& pod, const std::string& node) {
  if (pod->claims.empty() && pod->ephemeral_claims.empty() && pod->device_claims.empty()) {
    return true;
  }
  PluginWrites writes;
  for (const Plugin* plugin : profile.at(Point::kPreBind)) {
    for (PreBindWrite& write : plugin->before_bind(*pod, node, world_)) {
      writes.emplace_back(plugin, std::move(write));
    }
  }
  for (auto& [plugin, write] : writes) stamp(write);
  const Plugin* by =
      writes.empty() ? may_bind(profile, *pod, node, world_).by : writes.front().first;
  if (by == nullptr) return true;
  if (waiting_.size() >= kWaitingMax) {
    executor_.post([done = done_, pod, node] {
      done(pod, node,
           Status(Code::kResourceExhausted, "too many pods wait for their volumes and claims"));
    });
    return false;
  }
  Waiting& waiting = waiting_[pod->key];
  waiting = {&profile, pod, node, by, false, false, {}, 0};
  waiting.timer = executor_.after(profile.bind_timeout, [this, key = pod->key] { on_late(key); });
  spawn<Status>(write(std::move(writes)),
                [this, pod](const Status& outcome) { on_written(pod, outcome); });
  return false;
}

Task<Status> PreBind::write_one(const PreBindWrite& one) {
  const client::ResourceClient resource(api_, gvr_of(one));
  const auto type = one.target == PreBindWrite::Target::kDeviceClaim ? client::PatchType::kStrategic
                                                                     : client::PatchType::kMerge;
  const auto answer =
      co_await resource.patch(one.ns, one.name, type, one.patch, {}, one.subresource);
  if (answer.ok()) co_return Status();
  const bool changed = answer.error().is_conflict() || answer.error().is_not_found();
  co_return Status(changed ? Code::kAborted : Code::kUnavailable, answer.error().message);
}

Task<Status> PreBind::write(PluginWrites writes) {
  for (const auto& [plugin, one] : writes) {
    const Status outcome = co_await write_one(one);
    if (!outcome.ok()) co_return Status(outcome.code(), failure_of(plugin, outcome.message()));
  }
  co_return Status();
}

// Those behind one that failed too; the last failure is the outcome.
Task<Status> PreBind::write_all(Writes writes) {
  Status all;
  for (const PreBindWrite& one : writes) {
    Status outcome = co_await write_one(one);
    if (!outcome.ok()) all = std::move(outcome);
  }
  co_return all;
}

void PreBind::on_late(const std::string& key) {
  Waiting& late = waiting_.at(key);
  late.late = true;
  if (!late.written) return;  // on_written() finishes
  const MayBind may = may_bind(*late.profile, *late.pod, late.node, world_);
  const char* why = "context deadline exceeded";
  finish(key, Status(Code::kDeadlineExceeded, may.by == nullptr ? why : failure_of(may.by, why)));
}

void PreBind::on_written(const PodPtr& pod, const Status& outcome) {
  const auto found = waiting_.find(pod->key);
  if (found == waiting_.end() || found->second.pod != pod) return;  // dropped meanwhile
  if (!outcome.ok()) return finish(pod->key, outcome);
  Waiting& waiting = found->second;
  waiting.written = true;
  if (!waiting.cancelled.empty()) return on_cancelled(pod->key);
  if (waiting.late) return on_late(pod->key);
  look(pod->key);
}

bool PreBind::cancel(const std::string& key, const std::string& reason) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return false;
  found->second.cancelled = reason;
  if (found->second.written) on_cancelled(key);  // else on_written() finishes
  return true;
}

void PreBind::on_cancelled(const std::string& key) {
  const Waiting& waiting = waiting_.at(key);
  const MayBind may = may_bind(*waiting.profile, *waiting.pod, waiting.node, world_);
  const Plugin* by = may.by == nullptr ? waiting.by : may.by;
  finish(key, Status(Code::kCancelled, failure_of(by, waiting.cancelled)));
}

void PreBind::take_back(const Profile& profile, const PodPtr& pod, bool wrote,
                        std::function<void()> then) {
  Writes writes;
  for (const Plugin* plugin : profile.at(Point::kPreBind)) {
    for (PreBindWrite& write : plugin->take_back(*pod, world_, wrote)) {
      writes.push_back(std::move(write));
    }
  }
  if (writes.empty()) return then();
  spawn<Status>(write_all(std::move(writes)),
                [key = pod->key, then = std::move(then)](const Status& outcome) {
                  if (!outcome.ok()) log::warn("unreserve for {}: {}", key, outcome.message());
                  then();
                });
}

void PreBind::make_room(const PodPtr& pod, Writes writes, std::function<void(const Status&)> then) {
  if (writes.empty() || making_room_ >= kWaitingMax) return;
  ++making_room_;
  spawn<Status>(write_all(std::move(writes)),
                [this, key = pod->key, then = std::move(then)](const Status& outcome) {
                  --making_room_;
                  if (!outcome.ok()) log::warn("making room for {}: {}", key, outcome.message());
                  then(outcome);
                });
}

void PreBind::look(const std::string& key) {
  const Waiting& waiting = waiting_.at(key);
  if (!waiting.written) return;
  const auto [verdict, by] = may_bind(*waiting.profile, *waiting.pod, waiting.node, world_);
  if (by == nullptr) return finish(key, Status());
  if (verdict.kind() == Verdict::Kind::kNever) {
    finish(key, Status(Code::kFailedPrecondition, failure_of(by, join(verdict.reasons(), ", "))));
  }
}

void PreBind::look_again() {
  std::vector<std::string> keys;
  for (const auto& [key, waiting] : waiting_) keys.push_back(key);
  for (const std::string& key : keys) look(key);
}

void PreBind::drop(const std::string& key) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  executor_.cancel(found->second.timer);
  waiting_.erase(found);
}

void PreBind::finish(const std::string& key, const Status& outcome) {
  const Waiting waiting = waiting_.at(key);
  drop(key);
  done_(waiting.pod, waiting.node, outcome);
}

}  // namespace coracle::scheduler
