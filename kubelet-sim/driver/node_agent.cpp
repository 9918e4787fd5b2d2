#include "kubelet_driver/node_agent.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace coracle::kubelet {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kLeaseEvery = seconds(10);
constexpr Duration kStatusEvery = minutes(5);

const client::Gvr kNodes{"", "v1", "nodes", false};
const client::Gvr kLeases{"coordination.k8s.io", "v1", "leases", true};

Status to_status(const client::ApiError& error) { return {error.code, error.message}; }

// One node may see itself only, where it has a name of its own.
std::string selector_of(const std::vector<NodeFacts>& nodes) {
  return nodes.size() == 1 ? "metadata.name=" + nodes.front().name : std::string();
}

}  // namespace

NodeAgent::NodeAgent(Executor& executor, client::Api& api, Rng rng, std::vector<NodeFacts> nodes)
    : executor_(executor),
      rng_(rng),
      nodes_api_(api, kNodes),
      leases_api_(api, kLeases),
      informer_(executor, api, rng_.split(), {.gvr = kNodes, .field_selector = selector_of(nodes)}),
      queue_(executor, kNodeWorkers,
             [this](const std::string& name, Finish finish) {
               spawn<Status>(sync(name), [this, name, finish](const Status& status) {
                 if (!status.ok()) {
                   log::warn("node {}: {}", name, status.message());
                   return finish({client::WorkQueueDriver::Outcome::kRetry, {}});
                 }
                 // A tenth of jitter keeps thousands of nodes from renewing in step.
                 const auto jitter = milliseconds(rng_.below(1000));
                 finish({client::WorkQueueDriver::Outcome::kDone, kLeaseEvery - jitter});
               });
             },
             {.backoff_first = milliseconds(50), .backoff_max = seconds(7)}) {
  for (NodeFacts& facts : nodes) {
    const std::string name = facts.name;
    nodes_[name].facts = std::move(facts);
  }
}

std::optional<std::string> NodeAgent::only_node() const {
  if (nodes_.size() != 1) return std::nullopt;
  return nodes_.begin()->first;
}

void NodeAgent::start() {
  informer_.add_handler({[this](const auto& o, bool) { on_node(o); },
                         [this](const auto&, const auto& o) { on_node(o); },
                         [](const auto&, bool) {}});
  informer_.start();
  queue_.start();
  for (const auto& [name, node] : nodes_) queue_.add(name);
}

void NodeAgent::stop() {
  queue_.stop();
  informer_.stop();
}

const NodeFacts* NodeAgent::find(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second.facts;
}

const json::object* NodeAgent::labels(std::string_view name) const {
  const client::ObjectPtr node = informer_.cache().get("", std::string(name));
  return node ? &get_object(*node, "metadata.labels") : nullptr;
}

// Somebody (the node controller, after a silence of ours) says the node is not ready: contradict.
void NodeAgent::on_node(const client::ObjectPtr& object) {
  const auto found = nodes_.find(get_string(*object, "metadata.name"));
  if (found == nodes_.end() || !found->second.registered) return;
  Node& node = found->second;
  const bool asked = get_object(*object, "metadata.annotations").contains(kShutdown);
  if (asked != std::exchange(node.shutdown_asked, asked) && shutdown_wanted_) {
    shutdown_wanted_(found->first, asked);
  }
  const char* const wanted = node.health.shutting_down ? "False" : "True";
  for (const json::value& c : get_array(*object, "status.conditions")) {
    if (get_string(c, "type") != "Ready" || get_string(c, "status") == wanted) continue;
    node.health.ready_since = executor_.wall_now();
    tell(found->first);
  }
}

void NodeAgent::tell(const std::string& name) {
  nodes_.at(name).status_due = executor_.now();
  queue_.add(name);
}

std::string NodeAgent::uid(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? std::string() : found->second.uid;
}

std::vector<std::string> NodeAgent::names() const {
  std::vector<std::string> all;
  for (const auto& [name, node] : nodes_) all.push_back(name);
  return all;
}

void NodeAgent::set_pressure(const std::string& name, bool memory, bool disk) {
  NodeHealth& health = nodes_.at(name).health;
  const WallTime now = executor_.wall_now();
  if (memory != std::exchange(health.memory_pressure, memory)) health.memory_since = now;
  if (disk != std::exchange(health.disk_pressure, disk)) health.disk_since = now;
  tell(name);
}

void NodeAgent::set_shutting_down(const std::string& name, bool shutting_down) {
  NodeHealth& health = nodes_.at(name).health;
  if (std::exchange(health.shutting_down, shutting_down) == shutting_down) return;
  health.ready_since = executor_.wall_now();
  tell(name);
}

void NodeAgent::set_off(const std::string& name, bool off) {
  Node& node = nodes_.at(name);
  if (std::exchange(node.off, off) == off || off) return;
  node.lease_due = executor_.now();
  tell(name);
}

Task<Status> NodeAgent::sync(std::string name) {
  Node* node = &nodes_.find(name)->second;
  if (node->off) co_return Status();
  if (!node->registered) {
    if (const Status s = co_await register_node(node); !s.ok()) co_return s;
  }
  if (executor_.now() >= node->status_due) {
    if (const Status s = co_await write_status(node); !s.ok()) co_return s;
  }
  if (executor_.now() >= node->lease_due) {
    if (const Status s = co_await renew_lease(node); !s.ok()) co_return s;
  }
  co_return Status();
}

Task<Status> NodeAgent::register_node(Node* node) {
  json::value object = node_object(node->facts);
  node->health.ready_since = executor_.wall_now();
  object.get_object()["status"] = node_status(node->facts, executor_.wall_now(), node->health);
  auto made = co_await nodes_api_.create("", object);
  if (!made.ok() && made.error().is_already_exists()) {
    made = co_await nodes_api_.get("", node->facts.name);
  }
  if (!made.ok()) co_return to_status(made.error());
  node->uid = get_string(made.value(), "metadata.uid");
  node->registered = true;
  ++registered_;
  co_return Status();
}

Task<Status> NodeAgent::write_status(Node* node) {
  json::value patch = json::object();
  patch.get_object()["status"] = node_status(node->facts, executor_.wall_now(), node->health);
  const TimePoint now = executor_.now();
  const auto written = co_await nodes_api_.patch(
      "", node->facts.name, client::PatchType::kStrategic, patch, {}, "status");
  // A node that was deleted stays deleted: upstream's kubelet registers only when it starts.
  if (!written.ok() && !written.error().is_not_found()) co_return to_status(written.error());
  node->status_due = now + kStatusEvery;
  co_return Status();
}

Task<Status> NodeAgent::renew_lease(Node* node) {
  const TimePoint now = executor_.now();
  const auto written =
      co_await leases_api_.update(node_lease(node->facts, node->uid, executor_.wall_now()));
  if (!written.ok()) co_return to_status(written.error());
  node->lease_due = now + kLeaseEvery - seconds(2);  // the queue's jitter must not skip a turn
  co_return Status();
}

}  // namespace coracle::kubelet
