#include "kubelet_driver/pod_manager.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "kubelet/static_pod.hpp"

namespace coracle::kubelet {
namespace {

const client::Gvr kPods{"", "v1", "pods", true};
constexpr Duration kLabelsBehindMax = std::chrono::seconds(1);

using Finish = client::WorkQueueDriver::Finish;
constexpr auto kDone = client::WorkQueueDriver::Outcome::kDone;
constexpr auto kRetry = client::WorkQueueDriver::Outcome::kRetry;

std::uint32_t parse_address(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ? ntohl(address.s_addr) : 0;
}

std::string format_address(std::uint32_t a) {
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

bool terminal(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

bool deleting(const json::value& pod) {
  return coracle::find(pod, "metadata.deletionTimestamp") != nullptr;
}

// Conditions are merged: why one was false must not stay when it is true.
void clear_reasons(json::value* patch) {
  json::value* conditions = make_object(*patch, "status").if_contains("conditions");
  if (conditions == nullptr) return;
  for (json::value& c : conditions->as_array()) {
    for (const char* why : {"reason", "message"}) {
      if (!c.get_object().contains(why)) c.get_object()[why] = nullptr;
    }
  }
}

}  // namespace

std::string PodManager::ready_text(const json::value& pod) {
  for (const json::value& c : get_array(pod, "status.conditions")) {
    if (get_string(c, "type") == "Ready") return std::string(get_string(c, "status"));
  }
  return {};
}

PodManager::PodManager(Executor& executor, client::Api& api, Rng rng, const NodeAgent& nodes,
                       const ImageCatalog& catalog, PodRunner& runner, PodManagerOptions options)
    : executor_(executor),
      api_(api),
      nodes_(nodes),
      catalog_(catalog),
      options_(std::move(options)),
      runner_(runner),
      pods_api_(api, kPods),
      informer_(executor, api, rng,
                {.gvr = kPods,
                 .field_selector = nodes.only_node() ? "spec.nodeName=" + *nodes.only_node()
                                                     : std::string("spec.nodeName!="),
                 .watch = options_.watch}),
      address_base_(parse_address(options_.range_start)),
      queue_(executor, kStatusWorkers, [this](const std::string& uid, auto finish) {
        spawn<Finish>(write(uid), [finish](Finish outcome) { finish(outcome); });
      }) {}

void PodManager::start() {
  informer_.add_handler({[this](const auto& pod, bool) { on_pod(pod); },
                         [this](const auto&, const auto& pod) { on_pod(pod); },
                         [this](const auto& pod, bool) { on_gone(pod); }});
  runner_.start({[this](const std::string& uid, const Seen& s) { seen(uid, s); },
                 [this](const std::string& uid, const std::string& container, LogLine line) {
                   const auto found = workers_.find(uid);
                   if (found == workers_.end()) return;
                   found->second.machine->print(container, std::move(line));
                 },
                 [this](const std::string& uid, PodEvent event) {
                   PodStep step;
                   step.events.push_back(std::move(event));
                   const auto found = workers_.find(uid);
                   if (found != workers_.end()) act(found->second, step);
                 }});
  informer_.when_synced([this] {
    std::set<std::string> uids;
    for (const auto& [uid, worker] : workers_) uids.insert(uid);
    runner_.forget_all_but(uids);
  });
  started_ = now();
  informer_.start();
  queue_.start();
}

void PodManager::stop() {
  queue_.stop();
  informer_.stop();
  for (auto& [uid, worker] : workers_) executor_.cancel(worker.timer);
}

const PodMachine* PodManager::find(const std::string& ns, const std::string& name) const {
  const auto uid = uid_of_key_.find(ns + "/" + name);
  if (uid == uid_of_key_.end()) return nullptr;
  return workers_.at(uid->second).machine.get();
}

void PodManager::on_pod(const client::ObjectPtr& pod) {
  const NodeFacts* node = nodes_.find(get_string(*pod, "spec.nodeName"));
  if (node == nullptr || !hears(*pod)) return;
  if (!mirrored_uid(*pod).empty()) return on_mirror(pod);
  const std::string uid(get_string(*pod, "metadata.uid"));
  const auto found = workers_.find(uid);
  if (found == workers_.end()) {
    if (!terminal(*pod) || deleting(*pod)) begin(pod, *node);
    return;
  }
  Worker& worker = found->second;
  worker.pod = pod;
  runner_.update(uid, pod);
  if (contradicted(worker)) {
    worker.written.reset();
    queue_.add(uid);
  }
  PodStep seen;
  worker.machine->observe(*pod, now(), &seen);
  act(worker, seen);
  const bool changes = seen.changed || coracle::find(*pod, "spec.ephemeralContainers") != nullptr ||
                       coracle::find(*pod, "spec.activeDeadlineSeconds") != nullptr;
  if (deleting(*pod) || changes) run(worker);
  if (terminal(*pod) && !deleting(*pod) && get_string(*pod, "status.reason") == "Evicted") {
    PodStep failed;
    worker.machine->fail(now(), "Evicted", std::string(get_string(*pod, "status.message")),
                         &failed);
    act(worker, failed);
    run(worker);
  }
}

// Somebody (the node controller, after a silence of ours) says something else about the readiness
// of a pod since we wrote it last.
bool PodManager::contradicted(const Worker& worker) const {
  long long version = 0;
  if (!parse_int(get_string(*worker.pod, "metadata.resourceVersion"), &version)) return false;
  if (!worker.written || version <= worker.written_version) return false;
  return ready_text(*worker.pod) != worker.written_ready;
}

void PodManager::begin(const client::ObjectPtr& pod, const NodeFacts& node) {
  const std::string uid(get_string(*pod, "metadata.uid"));
  Worker& worker = workers_[uid];
  worker.uid = uid;
  worker.key = client::object_key(*pod);
  worker.node = node.name;
  worker.pod = pod;
  uid_of_key_[worker.key] = uid;
  uids_of_node_[worker.node].insert(uid);
  const PodPlace place{node.internal_ip, get_bool(*pod, "spec.hostNetwork")
                                             ? node.internal_ip
                                             : take_address(pod, node.name)};
  worker.machine = make_machine(*pod, place, node.name, false);
  if (terminal(*pod)) {
    worker.finished = true;  // nothing runs: only its object is left to remove
  } else {
    admit(worker, node, false);
  }
  PodStep seen;
  worker.machine->observe(*pod, now(), &seen);
  act(worker, seen);
  run(worker);
}

// A pod that runs already, or is going, is not asked again.
void PodManager::admit(Worker& worker, const NodeFacts& node, bool last) {
  NodeLoad& load = loads_[node.name];
  const bool begun = coracle::find(*worker.pod, "status.startTime") != nullptr;
  if (!begun && !deleting(*worker.pod)) {
    auto refused = gate_ ? gate_(node.name, *worker.pod) : std::nullopt;
    if (!refused) refused = Admission{node, nodes_.labels(node.name), load}.refuse(*worker.pod);
    if (refused && refused->reason == "NodeAffinity" && !last) {
      // The label that brought it here can be on its way to us still.
      worker.held = true;
      executor_.after(kLabelsBehindMax, [this, uid = worker.uid] {
        const auto found = workers_.find(uid);
        if (found == workers_.end() || !std::exchange(found->second.held, false)) return;
        admit(found->second, *nodes_.find(found->second.node), true);
        run(found->second);
      });
      return;
    }
    if (refused) {
      PodStep step;
      step.events.push_back({true, refused->reason, refused->message, ""});
      worker.machine->fail(now(), refused->reason, "Pod was rejected: " + refused->message, &step);
      return act(worker, step);
    }
  }
  load.add(worker.uid, *worker.pod);
}

void PodManager::on_gone(const client::ObjectPtr& pod) {
  if (!hears(*pod)) return;
  if (!mirrored_uid(*pod).empty()) return on_mirror_gone(*pod);
  const auto found = workers_.find(std::string(get_string(*pod, "metadata.uid")));
  if (found != workers_.end()) drop(found->second);
}

void PodManager::drop(Worker& worker) {
  executor_.cancel(worker.timer);
  runner_.forget(worker.uid);
  loads_[worker.node].remove(worker.uid);
  uids_of_node_[worker.node].erase(worker.uid);
  addresses_.erase(parse_address(worker.machine->place().pod_ip));
  const auto uid = uid_of_key_.find(worker.key);
  if (uid != uid_of_key_.end() && uid->second == worker.uid) uid_of_key_.erase(uid);
  workers_.erase(std::string(worker.uid));
}

// The address a running pod has already, else the next free one of the range.
std::string PodManager::take_address(const client::ObjectPtr& pod, const std::string& node) {
  const std::uint32_t had = parse_address(std::string(get_string(*pod, "status.podIP")));
  if (had > address_base_ && had < address_base_ + options_.addresses &&
      addresses_.try_emplace(had, node).second) {
    return format_address(had);
  }
  for (std::uint32_t tries = 0; tries < options_.addresses; ++tries) {
    next_address_ = next_address_ % (options_.addresses - 1) + 1;
    if (addresses_.try_emplace(address_base_ + next_address_, node).second) break;
  }
  return format_address(address_base_ + next_address_);
}

void PodManager::run(Worker& worker) {
  if (deleting(*worker.pod)) worker.held = false;
  if (worker.held) return;
  executor_.cancel(worker.timer);
  const PodStep step = worker.machine->step(now());
  worker.finished = worker.finished || step.finished;
  act(worker, step);
  if (!step.changed && (step.finished || worker.finished)) queue_write(worker);
  if (worker.machine->over()) {
    loads_[worker.node].remove(worker.uid);
    runner_.over(worker.uid);
  }
  if (step.next) {
    worker.timer = executor_.after(*step.next - executor_.now(), [this, uid = worker.uid] {
      const auto found = workers_.find(uid);
      if (found != workers_.end()) run(found->second);
    });
  }
}

RunnerPod PodManager::runner_pod(const Worker& worker) const {
  return {worker.uid, worker.pod, nodes_.find(worker.node), worker.machine->place()};
}

void PodManager::seen(const std::string& uid, const Seen& seen) {
  const auto found = workers_.find(uid);
  if (found == workers_.end()) return;
  PodStep step;
  found->second.machine->see(seen, now(), &step);
  act(found->second, step);
  run(found->second);
}

std::string PodManager::uid_of(const std::string& ns, const std::string& name) const {
  const auto uid = uid_of_key_.find(ns + "/" + name);
  return uid == uid_of_key_.end() ? std::string() : uid->second;
}

std::string PodManager::first_container(const std::string& uid) const {
  const auto found = workers_.find(uid);
  if (found == workers_.end()) return {};
  const json::array& list = get_array(*found->second.pod, "spec.containers");
  return list.empty() ? std::string() : std::string(get_string(list[0], "name"));
}

void PodManager::act(Worker& worker, const PodStep& step) {
  for (const Wish& wish : step.wishes) runner_.carry_out(runner_pod(worker), wish);
  if (step.changed) queue_write(worker);
  if (!options_.events) return;
  for (const PodEvent& event : step.events) {
    client::EventInput input;
    input.regarding = client::object_reference(*worker.pod, event.field_path);
    if (!input.regarding.contains("kind")) {  // items of a list carry none
      input.regarding["kind"] = "Pod";
      input.regarding["apiVersion"] = "v1";
    }
    input.type = event.warning ? "Warning" : "Normal";
    input.reason = event.reason;
    input.message = event.message;
    record(worker, std::move(input));
  }
}

client::EventRecorder& PodManager::recorder(const std::string& node) {
  auto& slot = recorders_[node];
  if (!slot) {
    slot = std::make_unique<client::EventRecorder>(executor_, api_,
                                                   client::EventSource{"kubelet", node});
  }
  return *slot;
}

Task<Finish> PodManager::write(std::string uid) {
  auto found = workers_.find(uid);
  if (found == workers_.end() || cut_off_.contains(found->second.node)) {
    co_return Finish{kDone, {}};  // reconnect() asks again
  }
  if (found->second.is_static) co_return co_await write_static(uid);
  const std::string ns(get_string(*found->second.pod, "metadata.namespace"));
  const std::string name(get_string(*found->second.pod, "metadata.name"));
  const json::value status = found->second.machine->status(now());
  const Digest digest = digest_of(to_json(status));
  const bool dead_object = terminal(*found->second.pod) && found->second.finished;
  if (digest != found->second.written && !dead_object) {
    json::value patch = json::object();
    set_path(patch, "metadata.uid", json::value(uid));
    patch.get_object()["status"] = status;
    clear_reasons(&patch);
    const auto written =
        co_await pods_api_.patch(ns, name, client::PatchType::kStrategic, patch, {}, "status");
    // Not found, or a conflict of the uid: the object is gone, the informer will say so.
    if (!written.ok() && (written.error().is_not_found() || written.error().is_conflict())) {
      co_return Finish{kDone, {}};
    }
    if (!written.ok()) {
      log::warn("status of pod {}/{}: {}", ns, name, written.error().message);
      co_return Finish{kRetry, {}};
    }
    found = workers_.find(uid);
    if (found == workers_.end()) co_return Finish{kDone, {}};
    found->second.written = digest;
    found->second.written_ready = ready_text(patch);
    parse_int(get_string(written.value(), "metadata.resourceVersion"),
              &found->second.written_version);
  }
  if (!found->second.finished || !deleting(*found->second.pod)) co_return Finish{kDone, {}};
  client::DeleteOptions options;
  options.grace_period_seconds = 0;
  options.uid = uid;
  const auto removed = co_await pods_api_.remove(ns, name, options);
  if (!removed.ok() && removed.error().is_retryable()) co_return Finish{kRetry, {}};
  co_return Finish{kDone, {}};
}

}  // namespace coracle::kubelet
