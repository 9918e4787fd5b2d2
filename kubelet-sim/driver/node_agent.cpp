#include "kubelet_driver/node_agent.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace coracle::kubelet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const client::Gvr kNodes{"", "v1", "nodes", false};
const client::Gvr kLeases{"coordination.k8s.io", "v1", "leases", true};

constexpr client::WorkQueueOptions kBackOff{.backoff_first = milliseconds(50),
                                            .backoff_max = seconds(7)};

Status to_status(const client::ApiError& error) { return {error.code, error.message}; }

// One node may see itself only, where it has a name of its own.
std::string selector_of(const std::vector<NodeFacts>& nodes) {
  return nodes.size() == 1 ? "metadata.name=" + nodes.front().name : std::string();
}

}  // namespace

NodeAgent::NodeAgent(Executor& executor, client::Api& api, Rng rng, std::vector<NodeFacts> nodes,
                     NodePace pace)
    : executor_(executor),
      rng_(rng),
      pace_(pace),
      nodes_api_(api, kNodes),
      leases_api_(api, kLeases),
      informer_(executor, api, rng_.split(),
                {.gvr = kNodes, .field_selector = selector_of(nodes), .watch = pace.watch}),
      registering_(
          executor, kRegisterWorkers,
          [this](const std::string& name, Finish finish) {
            spawn<Status>(register_node(name), [this, name, finish](const Status& status) {
              if (nodes_.at(name).registered) queue_.add(name);
              finish_work(name, status, {}, finish);
            });
          },
          kBackOff),
      queue_(
          executor, kNodeWorkers,
          [this](const std::string& name, Finish finish) {
            spawn<Status>(sync(name), [this, name, finish](const Status& status) {
              finish_work(name, status, until_due(nodes_.at(name)), finish);
            });
          },
          kBackOff) {
  for (NodeFacts& facts : nodes) {
    const std::string name = facts.name;
    addresses_[facts.internal_ip] = name;
    nodes_[name].facts = std::move(facts);
  }
}

void NodeAgent::use_for_heartbeats(client::Api& api) {
  nodes_api_ = client::ResourceClient(api, kNodes);
  leases_api_ = client::ResourceClient(api, kLeases);
}

std::optional<std::string> NodeAgent::only_node() const {
  if (nodes_.size() != 1) return std::nullopt;
  return nodes_.begin()->first;
}

void NodeAgent::start() {
  informer_.add_handler({[this](const auto& o, bool) { on_node(o); },
                         [this](const auto&, const auto& o) { on_node(o); },
                         [this](const auto& o, bool) { on_node_gone(o); }});
  informer_.start();
  registering_.start();
  queue_.start();
  for (const auto& [name, node] : nodes_) registering_.add(name);
}

void NodeAgent::stop() {
  registering_.stop();
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
  const std::string name(get_string(*object, "metadata.name"));
  for (const json::value& address : get_array(*object, "status.addresses")) {
    if (get_string(address, "type") != "InternalIP") continue;
    addresses_.try_emplace(std::string(get_string(address, "address")), name);
  }
  const auto found = nodes_.find(name);
  if (found != nodes_.end() && !found->second.registered) return;
  const json::object& annotations = get_object(*object, "metadata.annotations");
  const auto [told, fresh] = annotations_.try_emplace(name);
  if (fresh || told->second != annotations) {
    told->second = annotations;
    for (const Annotated& fn : annotated_) fn(name, annotations);
  }
  if (found == nodes_.end()) return;
  Node& node = found->second;
  const bool cordoned = get_bool(*object, "spec.unschedulable");
  const auto before = std::exchange(node.cordoned, cordoned);
  if (before && *before != cordoned && cordoned_) cordoned_(name, cordoned);
  const char* const wanted = node.health.shutting_down || node.health.booting ? "False" : "True";
  for (const json::value& c : get_array(*object, "status.conditions")) {
    if (get_string(c, "type") != "Ready" || get_string(c, "status") == wanted) continue;
    node.health.ready_since = executor_.wall_now();
    if (get_string(c, "status") == "Unknown") node.told.reset();  // not a word of ours
    tell(found->first);
  }
}

void NodeAgent::on_node_gone(const client::ObjectPtr& object) {
  const std::string name(get_string(*object, "metadata.name"));
  if (annotations_.erase(name) > 0) {
    for (const Annotated& fn : annotated_) fn(name, {});
  }
  if (nodes_.contains(name)) return;
  std::erase_if(addresses_, [&](const auto& entry) { return entry.second == name; });
}

std::string NodeAgent::node_of_address(std::string_view address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? std::string() : found->second;
}

void NodeAgent::tell(const std::string& name) {
  Node& node = nodes_.at(name);
  node.status_due = executor_.now();
  (node.registered ? queue_ : registering_).add(name);
}

void NodeAgent::note_told(Node& node, const NodeHealth& health) {
  const auto before = std::exchange(node.told, health);
  const auto reasons = health_reasons(before, health);
  if (health_told_ && !reasons.empty()) health_told_(node.facts.name, !node.started, reasons);
  node.started = true;
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

void NodeAgent::set_silent(const std::string& name, Silence why, bool silent) {
  Node& node = nodes_.at(name);
  const auto bit = static_cast<unsigned>(why);
  const unsigned before =
      std::exchange(node.silence, silent ? node.silence | bit : node.silence & ~bit);
  if (before == 0 || node.silence != 0) return;
  node.lease_due = executor_.now();
  tell(name);
}

void NodeAgent::begin_boot(const std::string& name) {
  Node& node = nodes_.at(name);
  node.facts.boot_id = rng_.uuid();
  node.health.booting = true;
  node.health.ready_since = executor_.wall_now();
}

void NodeAgent::end_boot(const std::string& name) {
  NodeHealth& health = nodes_.at(name).health;
  health.booting = false;
  health.ready_since = executor_.wall_now();
  tell(name);
}

const std::string& NodeAgent::boot_id(const std::string& name) const {
  return nodes_.at(name).facts.boot_id;
}

void NodeAgent::finish_work(const std::string& name, const Status& status,
                            std::optional<Duration> again, const Finish& finish) {
  using Outcome = client::WorkQueueDriver::Outcome;
  if (status.ok()) return finish({Outcome::kDone, again});
  log::warn("node {}: {}", name, status.message());
  finish({Outcome::kRetry, {}});
}

// What woke the queue between two renewals must not put off the next one. A silent node waits to be
// told that it may speak.
std::optional<Duration> NodeAgent::until_due(const Node& node) const {
  if (node.silence != 0) return std::nullopt;
  return std::max(Duration(0), std::min(node.lease_due, node.status_due) - executor_.now());
}

Task<Status> NodeAgent::sync(std::string name) {
  Node* node = &nodes_.find(name)->second;
  if (node->silence != 0) co_return Status();
  if (executor_.now() >= node->status_due) {
    if (const Status s = co_await write_status(node); !s.ok()) co_return s;
  }
  if (executor_.now() >= node->lease_due) {
    if (const Status s = co_await renew_lease(node); !s.ok()) co_return s;
  }
  co_return Status();
}

Task<Status> NodeAgent::register_node(std::string name) {
  Node* node = &nodes_.find(name)->second;
  if (node->silence != 0 || node->registered) co_return Status();
  const TimePoint now = executor_.now();
  json::value object = node_object(node->facts);
  node->health.ready_since = executor_.wall_now();
  const NodeHealth health = node->health;
  object.get_object()["status"] = node_status(node->facts, executor_.wall_now(), health);
  auto made = co_await nodes_api_.create("", object);
  const bool created = made.ok();
  if (created) node->status_due = now + pace_.status;
  if (!made.ok() && made.error().is_already_exists()) {
    made = co_await nodes_api_.get("", node->facts.name);
  }
  if (!made.ok()) co_return to_status(made.error());
  // A kubelet that is started anew is no boot of its machine.
  node->facts.boot_id = get_string(made.value(), "status.nodeInfo.bootID");
  node->uid = get_string(made.value(), "metadata.uid");
  node->registered = true;
  ++registered_;
  if (created) note_told(*node, health);
  co_return Status();
}

Task<Status> NodeAgent::write_status(Node* node) {
  json::value patch = json::object();
  const NodeHealth health = node->health;
  patch.get_object()["status"] = node_status(node->facts, executor_.wall_now(), health);
  const TimePoint now = executor_.now();
  const auto written = co_await nodes_api_.patch(
      "", node->facts.name, client::PatchType::kStrategic, patch, {}, "status");
  // A node that was deleted stays deleted: upstream's kubelet registers only when it starts.
  if (!written.ok() && !written.error().is_not_found()) co_return to_status(written.error());
  node->status_due = now + pace_.status;
  if (written.ok()) note_told(*node, health);
  co_return Status();
}

Task<Status> NodeAgent::renew_lease(Node* node) {
  const TimePoint now = executor_.now();
  const auto written = co_await leases_api_.update(
      node_lease(node->facts, node->uid, pace_.lease, executor_.wall_now()));
  if (!written.ok()) co_return to_status(written.error());
  // A tenth of jitter keeps thousands of nodes from renewing in step.
  const Duration every = pace_.renew_every();
  node->lease_due =
      now + every - Duration(rng_.below(static_cast<std::uint64_t>(every.count() / 10)));
  co_return Status();
}

}  // namespace coracle::kubelet
