// PodManager: what it tells of its pods.
#include "api/quantity.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {
namespace {

std::int64_t bytes_of(const std::string& quantity) {
  const auto parsed = api::Quantity::parse(quantity);
  return parsed.ok() ? parsed->value() : 0;
}

}  // namespace

NodeUse PodManager::usage(const std::string& node) {
  std::vector<PodUse> pods;
  for (const std::string& uid : uids_of_node_[node]) {
    const Worker& worker = workers_.at(uid);
    PodUse pod{std::string(get_string(*worker.pod, "metadata.namespace")),
               std::string(get_string(*worker.pod, "metadata.name")), uid,
               worker.machine->start_time()};
    for (const ContainerMachine* c : worker.machine->containers()) {
      if (const auto use = c->scripted_use(executor_.now())) {
        pod.containers.push_back({c->name(), c->started_at(), use->cpu_nanos, use->memory_bytes,
                                  use->disk_bytes, 0, c->image()});
      } else if (ProcessRuntime* runtime = runner_.runtime(); c->running() && runtime != nullptr) {
        const auto real = runtime->usage({uid, c->name()});
        if (!real) continue;
        pod.containers.push_back(
            {c->name(), c->started_at(), real->cpu_nanos, real->memory_bytes, 0, 0, c->image()});
      }
    }
    if (!pod.containers.empty()) pods.push_back(std::move(pod));
  }
  NodeUse use = meters_.try_emplace(node, started_).first->second.measure(std::move(pods), now());
  use.name = node;
  if (const NodeFacts* facts = nodes_.find(node)) {
    use.memory_capacity = bytes_of(facts->memory);
    use.disk_capacity = bytes_of(facts->ephemeral_storage);
  }
  return use;
}

NodeFill PodManager::fill_of(const std::string& node) const {
  NodeFill fill;
  if (const NodeFacts* facts = nodes_.find(node)) {
    fill.memory_capacity = bytes_of(facts->memory);
    fill.disk_capacity = bytes_of(facts->ephemeral_storage);
  }
  fill.memory_bytes = NodeMeter::kSystemMemory;
  fill.disk_bytes = NodeMeter::kSystemDisk;
  const auto uids = uids_of_node_.find(node);
  if (uids == uids_of_node_.end()) return fill;
  for (const std::string& uid : uids->second) {
    for (const ContainerMachine* c : workers_.at(uid).machine->containers()) {
      if (const auto use = c->scripted_use(executor_.now())) {
        fill.memory_bytes += use->memory_bytes;
        fill.disk_bytes += use->disk_bytes;
      } else if (ProcessRuntime* runtime = runner_.runtime(); c->running() && runtime != nullptr) {
        const auto real = runtime->usage({uid, c->name()});
        if (real) fill.memory_bytes += real->memory_bytes;
      }
    }
  }
  return fill;
}

std::vector<EvictionCandidate> PodManager::candidates(const std::string& node,
                                                      const NodeUse& use) const {
  std::vector<EvictionCandidate> all;
  for (const PodUse& pod : use.pods) {
    const auto found = workers_.find(pod.uid);
    if (found != workers_.end() && found->second.node == node && !found->second.finished) {
      all.push_back({found->second.pod.get(), &pod});
    }
  }
  return all;
}

void PodManager::end_pod(const std::string& uid, const std::string& reason,
                         const std::string& message, Duration grace, bool tell) {
  const auto found = workers_.find(uid);
  if (found == workers_.end() || found->second.machine->over()) return;
  PodStep step;
  if (tell) step.events.push_back({true, reason, message, ""});
  found->second.machine->fail(now(), reason, message, &step, grace, true);
  act(found->second, step);
  run(found->second);
  queue_.add(uid);
}

bool PodManager::any_runs(const std::string& node,
                          const std::function<bool(const json::value&)>& of) const {
  const auto uids = uids_of_node_.find(node);
  if (uids == uids_of_node_.end()) return false;
  for (const std::string& uid : uids->second) {
    const Worker& worker = workers_.at(uid);
    if (!worker.machine->over() && of(*worker.pod)) return true;
  }
  return false;
}

std::vector<std::string> PodManager::uids_of(const std::string& node) const {
  const auto uids = uids_of_node_.find(node);
  if (uids == uids_of_node_.end()) return {};
  return {uids->second.begin(), uids->second.end()};
}

const json::value* PodManager::object_of(const std::string& uid) const {
  const auto found = workers_.find(uid);
  return found == workers_.end() ? nullptr : found->second.pod.get();
}

json::value PodManager::with_status(const Worker& worker) const {
  json::value pod = *worker.pod;
  json::object& status = make_object(pod, "status");
  const json::value known = worker.machine->status(now());
  for (const auto& member : known.get_object()) status[member.key()] = member.value();
  return pod;
}

std::vector<json::value> PodManager::pods_on(const std::string& node) const {
  std::vector<json::value> pods;
  const auto uids = uids_of_node_.find(node);
  if (uids == uids_of_node_.end()) return pods;
  for (const std::string& uid : uids->second) {
    pods.push_back(with_status(workers_.at(uid)));
  }
  return pods;
}

}  // namespace coracle::kubelet
