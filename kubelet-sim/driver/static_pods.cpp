// PodManager: static pods. The pod is what its file says; its mirror in the API only shows it: who
// deletes the mirror gets a new one.
#include "base/log.hpp"
#include "kubelet/static_pod.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {
namespace {

using Finish = client::WorkQueueDriver::Finish;
constexpr auto kDone = client::WorkQueueDriver::Outcome::kDone;
constexpr Duration kOlderGoing = std::chrono::milliseconds(500);
constexpr auto kRetry = client::WorkQueueDriver::Outcome::kRetry;

client::DeleteOptions at_once(const std::string& uid) {
  client::DeleteOptions options;
  options.grace_period_seconds = 0;
  options.uid = uid;
  return options;
}

}  // namespace

void PodManager::begin_static(json::value pod) {
  const NodeFacts* node = nodes_.find(get_string(pod, "spec.nodeName"));
  const std::string uid(get_string(pod, "metadata.uid"));
  if (node == nullptr || workers_.contains(uid)) return;
  static_wanted_.insert(uid);
  if (worker_of(client::object_key(pod)) != nullptr) {
    // An older pod of that name is still ending: it comes when that has gone.
    executor_.after(kOlderGoing, [this, uid, pod = std::move(pod)] {
      if (static_wanted_.contains(uid)) begin_static(pod);
    });
    return;
  }
  const auto shared = std::make_shared<const json::value>(std::move(pod));
  workers_[uid].is_static = true;
  begin(shared, *node);
  queue_.add(uid);
}

void PodManager::end_static(const std::string& uid) {
  static_wanted_.erase(uid);
  const auto found = workers_.find(uid);
  if (found == workers_.end() || !found->second.is_static) return;
  Worker& worker = found->second;
  json::value going = *worker.pod;
  const std::int64_t grace = get_int(going, "spec.terminationGracePeriodSeconds", 30);
  set_path(going, "metadata.deletionTimestamp", json::value(format_time(executor_.wall_now())));
  set_path(going, "metadata.deletionGracePeriodSeconds", json::value(grace));
  worker.pod = std::make_shared<const json::value>(std::move(going));
  runner_.update(uid, worker.pod);
  PodStep step;
  worker.machine->observe(*worker.pod, now(), &step);
  act(worker, step);
  run(worker);
}

PodManager::Worker* PodManager::worker_of(const std::string& key) {
  const auto uid = uid_of_key_.find(key);
  return uid == uid_of_key_.end() ? nullptr : &workers_.at(uid->second);
}

void PodManager::on_mirror(const client::ObjectPtr& mirror) {
  const std::string uid(get_string(*mirror, "metadata.uid"));
  Worker* worker = worker_of(client::object_key(*mirror));
  const bool ours = worker != nullptr && worker->is_static && worker->uid == mirrored_uid(*mirror);
  if (ours && find_keys(*mirror, {"metadata", "deletionTimestamp"}) == nullptr) {
    const bool same = std::exchange(worker->mirror_uid, uid) == uid;
    if (same && (!worker->written || ready_text(*mirror) == worker->written_ready)) return;
    worker->written.reset();
    return queue_.add(worker->uid);
  }
  // Of a file that is not there any more, or was changed; or somebody deletes it.
  spawn<bool>(remove_mirror(std::string(get_string(*mirror, "metadata.namespace")),
                            std::string(get_string(*mirror, "metadata.name")), uid),
              [](bool) {});
}

void PodManager::on_mirror_gone(const json::value& mirror) {
  Worker* worker = worker_of(client::object_key(mirror));
  if (worker == nullptr || worker->mirror_uid != get_string(mirror, "metadata.uid")) return;
  worker->mirror_uid.clear();
  queue_.add(worker->uid);
}

Task<bool> PodManager::remove_mirror(std::string ns, std::string name, std::string uid) {
  const auto removed = co_await pods_api_.remove(ns, name, at_once(uid));
  co_return removed.ok() || removed.error().is_not_found() || removed.error().is_conflict();
}

// True: it is there, and mirror_uid names it.
Task<bool> PodManager::make_mirror(std::string uid) {
  const client::ObjectPtr pod = workers_.at(uid).pod;
  const std::string ns(get_string(*pod, "metadata.namespace"));
  const std::string name(get_string(*pod, "metadata.name"));
  const std::string node_uid = nodes_.uid(get_string(*pod, "spec.nodeName"));
  if (node_uid.empty()) co_return false;  // the node comes first
  auto made = co_await pods_api_.create(ns, mirror_of(*pod, node_uid));
  if (!made.ok() && made.error().is_already_exists()) made = co_await pods_api_.get(ns, name);
  if (!made.ok()) {
    log::warn("mirror of pod {}/{}: {}", ns, name, made.error().message);
    co_return false;
  }
  const std::string mirror_uid(get_string(made.value(), "metadata.uid"));
  if (mirrored_uid(made.value()) != uid) {  // another's: a pod of that name, or an old mirror
    if (!mirrored_uid(made.value()).empty()) co_await remove_mirror(ns, name, mirror_uid);
    co_return false;
  }
  const auto found = workers_.find(uid);
  if (found != workers_.end()) found->second.mirror_uid = mirror_uid;
  co_return found != workers_.end();
}

Task<Finish> PodManager::write_static(std::string uid) {
  auto found = workers_.find(uid);
  const std::string ns(get_string(*found->second.pod, "metadata.namespace"));
  const std::string name(get_string(*found->second.pod, "metadata.name"));
  const bool going = find_keys(*found->second.pod, {"metadata", "deletionTimestamp"}) != nullptr;
  if (going && found->second.finished) {
    const std::string mirror = found->second.mirror_uid;
    if (!mirror.empty() && !co_await remove_mirror(ns, name, mirror)) {
      co_return Finish{kRetry, {}};
    }
    found = workers_.find(uid);
    if (found != workers_.end()) drop(found->second);
    co_return Finish{kDone, {}};
  }
  if (found->second.mirror_uid.empty()) {
    if (!co_await make_mirror(uid)) co_return Finish{kRetry, {}};
    found = workers_.find(uid);
    if (found == workers_.end()) co_return Finish{kDone, {}};
  }
  json::value patch = json::object();
  set_path(patch, "metadata.uid", json::value(found->second.mirror_uid));
  patch.get_object()["status"] = found->second.machine->status(now());
  const Digest digest = digest_of(to_json(patch));
  if (digest == found->second.written) co_return Finish{kDone, {}};
  const auto written =
      co_await pods_api_.patch(ns, name, client::PatchType::kStrategic, patch, {}, "status");
  found = workers_.find(uid);
  if (found == workers_.end()) co_return Finish{kDone, {}};
  if (written.ok()) {
    found->second.written = digest;
    found->second.written_ready = ready_text(patch);
    co_return Finish{kDone, {}};
  }
  if (written.error().is_not_found() || written.error().is_conflict()) {
    found->second.mirror_uid.clear();
  }
  co_return Finish{kRetry, {}};
}

}  // namespace coracle::kubelet
