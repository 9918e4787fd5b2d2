#include "driver/pre_bind.hpp"

#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

const client::Gvr kClaims{"", "v1", "persistentvolumeclaims", true};
const client::Gvr kVolumes{"", "v1", "persistentvolumes", false};

Verdict may_bind(const Profile& profile, const PodInfo& pod, const std::string& node,
                 const Snapshot& world) {
  Verdict all = Verdict::yes();
  for (const Plugin* plugin : profile.at(Point::kPreBind)) {
    Verdict verdict = plugin->may_bind(pod, node, world);
    if (verdict.kind() == Verdict::Kind::kNever) return verdict;
    if (!verdict.is_yes()) all = std::move(verdict);
  }
  return all;
}

}  // namespace

bool PreBind::begin(const Profile& profile, const PodPtr& pod, const std::string& node) {
  if (pod->claims.empty() && pod->ephemeral_claims.empty()) return true;
  std::vector<PreBindWrite> writes;
  for (const Plugin* plugin : profile.at(Point::kPreBind)) {
    for (PreBindWrite& write : plugin->before_bind(*pod, node, world_)) {
      writes.push_back(std::move(write));
    }
  }
  if (writes.empty() && may_bind(profile, *pod, node, world_).is_yes()) return true;
  if (waiting_.size() >= kWaitingMax) {
    executor_.post([done = done_, pod, node] {
      done(pod, node, Status(Code::kResourceExhausted, "too many pods wait for their volumes"));
    });
    return false;
  }
  Waiting& waiting = waiting_[pod->key];
  waiting = {&profile, pod, node, false, 0};
  waiting.timer = executor_.after(profile.bind_timeout, [this, key = pod->key] {
    finish(key, Status(Code::kDeadlineExceeded, "context deadline exceeded"));
  });
  spawn<Status>(write(std::move(writes)),
                [this, pod](const Status& outcome) { on_written(pod, outcome); });
  return false;
}

Task<Status> PreBind::write(std::vector<PreBindWrite> writes) {
  for (const PreBindWrite& one : writes) {
    const client::ResourceClient resource(api_, one.is_claim ? kClaims : kVolumes);
    const auto answer =
        co_await resource.patch(one.ns, one.name, client::PatchType::kMerge, one.patch);
    if (!answer.ok()) co_return Status(Code::kAborted, answer.error().message);
  }
  co_return Status();
}

void PreBind::on_written(const PodPtr& pod, const Status& outcome) {
  const auto found = waiting_.find(pod->key);
  if (found == waiting_.end() || found->second.pod != pod) return;  // dropped meanwhile
  if (!outcome.ok()) return finish(pod->key, outcome);
  found->second.written = true;
  look(pod->key);
}

void PreBind::look(const std::string& key) {
  const Waiting& waiting = waiting_.at(key);
  if (!waiting.written) return;
  const Verdict verdict = may_bind(*waiting.profile, *waiting.pod, waiting.node, world_);
  if (verdict.is_yes()) return finish(key, Status());
  if (verdict.kind() == Verdict::Kind::kNever) {
    finish(key, Status(Code::kFailedPrecondition, join(verdict.reasons(), ", ")));
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
