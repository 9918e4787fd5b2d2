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
        pod.containers.push_back(
            {c->name(), c->started_at(), use->cpu_nanos, use->memory_bytes, use->disk_bytes});
      } else if (ProcessRuntime* runtime = runner_.runtime(); c->running() && runtime != nullptr) {
        const auto real = runtime->usage({uid, c->name()});
        if (!real) continue;
        pod.containers.push_back(
            {c->name(), c->started_at(), real->cpu_nanos, real->memory_bytes, 0});
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

std::vector<json::value> PodManager::pods_on(const std::string& node) const {
  std::vector<json::value> pods;
  const auto uids = uids_of_node_.find(node);
  if (uids == uids_of_node_.end()) return pods;
  for (const std::string& uid : uids->second) {
    const Worker& worker = workers_.at(uid);
    json::value pod = *worker.pod;
    json::object& status = make_object(pod, "status");
    const json::value known = worker.machine->status(now());
    for (const auto& member : known.get_object()) status[member.key()] = member.value();
    pods.push_back(std::move(pod));
  }
  return pods;
}

}  // namespace coracle::kubelet
