#include "driver/scheduler.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/log.hpp"

namespace coracle::scheduler {
namespace {

const client::Gvr kPods{"", "v1", "pods", true};
const client::Gvr kNodes{"", "v1", "nodes", false};

// Decisions read what was parsed of an object; extenders and programs are shown it whole.
client::InformerOptions informer_options(client::Gvr gvr, std::string field_selector, bool whole) {
  client::InformerOptions options{.gvr = std::move(gvr),
                                  .field_selector = std::move(field_selector)};
  if (whole) return options;
  options.stub = client::stub_of;
  options.left_out = {"metadata.managedFields"};
  // Large, and often there: what runs in a pod is the kubelet's.
  for (const char* name : {"args", "command", "env", "envFrom", "lifecycle", "livenessProbe",
                           "readinessProbe", "startupProbe", "securityContext", "volumeMounts"}) {
    options.left_out.push_back(std::string("spec.containers.") + name);
  }
  options.left_out.emplace_back("spec.volumes.projected");
  return options;
}

json::value copy_of(const client::ObjectPtr& object) {
  return object == nullptr ? json::value() : *object;
}

bool ask_programs(const std::map<std::string, Profile>& profiles) {
  return std::any_of(profiles.begin(), profiles.end(),
                     [](const auto& entry) { return entry.second.asks_programs; });
}

std::map<std::string, Profile> by_name(std::vector<Profile> profiles) {
  std::map<std::string, Profile> map;
  for (Profile& profile : profiles) map.emplace(profile.name, std::move(profile));
  return map;
}

}  // namespace

Scheduler::Scheduler(Executor& executor, client::Api& api, Rng rng, SchedulerOptions options,
                     Metrics& metrics)
    : executor_(executor),
      pods_api_(api, kPods),
      profiles_(by_name(std::move(options.profiles))),
      pods_(executor, api, rng.split(),
            informer_options(kPods, "status.phase!=Succeeded,status.phase!=Failed",
                             !options.extenders.empty() || ask_programs(profiles_))),
      nodes_(executor, api, rng.split(), informer_options(kNodes, "", !options.extenders.empty())),
      numbers_(metrics),
      queue_(queue_options(std::move(options.queue))),
      surroundings_(executor, api, rng.split(), cache_.surroundings(),
                    [this](Change change) { changed(change); }),
      extenders_(std::move(options.extenders), options.extender_port, options.process_port,
                 {[this](const std::string& key) { return copy_of(pods_.cache().get(key)); },
                  [this](const std::string& name) { return copy_of(nodes_.cache().get(name)); }}),
      permits_(executor, cache_.snapshot(),
               [this](const PodPtr& pod, const std::string& node, const Permits::Outcome& outcome) {
                 on_permitted(pod, node, outcome);
               }),
      pre_bind_(executor, api, cache_.snapshot(),
                [this](const PodPtr& pod, const std::string& node, const Status& outcome) {
                  on_prepared(pod, node, outcome);
                }),
      preemptor_(
          executor, api,
          [this](const PodInfo& victim, const PodInfo& by, const std::string& message) {
            tell(victim, by.scheduler_name, "Preempted", message);
          },
          [this](const PodPtr& pod, const Status& outcome) {
            if (stopped_) return;
            queue_.look_at_gated(executor_.now());
            if (!outcome.ok()) {
              log::warn("preemption for {}: {}", pod->key, outcome.message());
              queue_.activate(pod->key);
            }
            wake();
          }),
      status_(executor, api, queue_),
      on_decision_(std::move(options.on_decision)) {
  CHECK(options.process_port != nullptr || !ask_programs(profiles_));
  rotation_.chance = rng.split();
  for (const auto& [name, profile] : profiles_) {
    recorders_[name] = std::make_unique<client::EventRecorder>(
        executor, api, client::EventSource{name, ""},
        client::EventRecorderOptions{.waiting_max = kEventsMax, .dropped = &numbers_.events_lost});
  }
}

// All profiles sort alike; each has its own gates.
QueueOptions Scheduler::queue_options(QueueOptions options) const {
  const auto& sorters = profiles_.begin()->second.at(Point::kQueueSort);
  options.sort = sorters.empty() ? nullptr : sorters.front();
  options.keeps_out = [this](const PodInfo& pod) {
    const auto& gates = profile_of(pod).at(Point::kPreEnqueue);
    return preemptor_.works_for(pod.uid) ||
           std::any_of(gates.begin(), gates.end(), [&](const Plugin* plugin) {
             return !plugin->pre_enqueue(pod, cache_.snapshot()).is_yes();
           });
  };
  return options;
}

void Scheduler::start() {
  nodes_.add_handler(
      {[this](const auto& node, bool) { on_node(node); },
       [this](const auto&, const auto& node) { on_node(node); },
       [this](const auto& node, bool) { on_node_gone(std::string(api::name_of(*node))); }});
  pods_.add_handler({[this](const auto& pod, bool) { on_pod(pod); },
                     [this](const auto&, const auto& pod) { on_pod(pod); },
                     [this](const auto& pod, bool) { on_pod_gone(pod); }});
  surroundings_.start();
  nodes_.start();
  pods_.start();
  status_.start();
}

void Scheduler::lead() {
  leading_ = true;
  nodes_.when_synced(
      [this] { pods_.when_synced([this] { surroundings_.when_synced([this] { wake(); }); }); });
}

void Scheduler::stop() {
  stopped_ = true;
  leading_ = false;
  executor_.cancel(timer_);
  status_.stop();
}

void Scheduler::on_node(const client::ObjectPtr& object) {
  const auto facts = parse_node(*object);
  Change change;
  if (const NodeInfo* known = cache_.find_node(facts->name))
    change.node_before = known->facts_ptr();
  change.events = cache_.set_node(facts);
  change.node = cache_.find_node(facts->name);
  if (change.events != 0) changed(change);
}

void Scheduler::on_node_gone(const std::string& name) {
  const NodeInfo* known = cache_.find_node(name);
  if (known == nullptr) return;
  Change change{.events = event::kNodeGone, .node_before = known->facts_ptr()};
  cache_.remove_node(name);
  changed(change);
}

void Scheduler::on_pod(const client::ObjectPtr& object) {
  const PodPtr pod = parse_pod(*object);
  if (pod->finished) return on_pod_gone(object);
  if (!pod->node_name.empty()) {
    queue_.remove(pod->key);
    status_.drop(pod->key);
    cache_.surroundings().nominations.remove(pod->uid);
    see_in_group(*pod);
    const PodPtr* known = cache_.find_pod(pod->key);
    const PodPtr before = known == nullptr ? nullptr : *known;
    Change change{.pod = pod, .pod_before = before};
    change.events = cache_.set_pod(pod);
    if (change.events != 0) changed(change);
    return;
  }
  // Ours, bound and not yet shown as such: the answer of the bind, or a later event, settles it.
  if (pod->deleting || !profiles_.contains(pod->scheduler_name)) {
    if (cache_.is_assumed(pod->key)) return;
    if (pod->deleting && waits(*pod)) {
      tell(*pod, queue_.find(pod->key)->scheduler_name, "FailedScheduling",
           "skip schedule deleting pod: " + pod->key);
    }
    return queue_.remove(pod->key);
  }
  const PodPtr* counted = cache_.find_pod(pod->key);
  if (counted != nullptr && (*counted)->uid != pod->uid) on_pod_gone(object);
  on_waiting_pod(pod);
  wake();
}

// What we nominated it to counts until its status has said so, and then what the status says.
void Scheduler::on_waiting_pod(const PodPtr& pod) {
  Nominations& nominations = cache_.surroundings().nominations;
  const PodPtr before = queue_.find(pod->key);
  const bool same = before != nullptr && before->uid == pod->uid;
  const std::string ours = nominations.node_of(pod->uid);
  if (before != nullptr && !same) nominations.remove(before->uid);
  if (!pod->nominated_node.empty()) {
    if (!cache_.is_assumed(pod->key)) nominations.set(pod, pod->nominated_node);
  } else if (same && before->nominated_node.empty() && !ours.empty()) {
    nominations.set(pod, ours);
  } else {
    nominations.remove(pod->uid);
  }
  see_in_group(*pod);
  queue_.put(pod, executor_.now());
  numbers_.pending(queue_.sizes());
}

// The one that makes its group as many as are needed lets the others in.
void Scheduler::see_in_group(const PodInfo& pod) {
  PodGroups& groups = cache_.surroundings().groups;
  if (!groups.see(pod)) return;
  const PodGroups::Group& group = *groups.of(pod);
  if (group.min_count != static_cast<std::int64_t>(group.members.size())) return;
  if (queue_.look_at_gated(executor_.now()) > 0) wake();
}

void Scheduler::on_pod_gone(const client::ObjectPtr& object) {
  const std::string key = client::object_key(*object);
  const PodPtr waited = queue_.find(key);
  queue_.remove(key);
  numbers_.pending(queue_.sizes());
  status_.drop(key);
  const bool nominated = waited != nullptr && cache_.surroundings().nominations.remove(waited->uid);
  const PodPtr* counted = cache_.find_pod(key);
  for (const PodPtr* known : {&waited, counted}) {
    if (known != nullptr && *known != nullptr) cache_.surroundings().groups.lose(**known);
  }
  if (counted == nullptr) {  // the place it waited for is free for others
    if (nominated) changed({event::kPodGone, nullptr, waited});
    return;
  }
  const PodPtr pod = *counted;
  permits_.drop(key);
  pre_bind_.drop(key);
  cache_.remove_pod(key);
  changed({event::kPodGone, nullptr, pod});
}

void Scheduler::changed(Change change) {
  change.world = &cache_.snapshot();
  constexpr Events kPrepares = event::kClaim | event::kVolume | event::kDeviceClaim;
  if ((change.events & kPrepares) != 0) pre_bind_.look_again();
  if ((change.events & (event::kPodGroup | event::kDeviceClaim)) != 0) {
    queue_.look_at_gated(executor_.now());
  }
  queue_.on_change(change, executor_.now());
  permits_.look_again();
  wake();
}

void Scheduler::wake() {
  if (!leading_ || batch_posted_ || deciding_ || !has_synced()) return;
  batch_posted_ = true;
  executor_.post([this] { run_batch(); });
}

void Scheduler::run_batch() {
  batch_posted_ = false;
  if (!leading_) return;
  for (int i = 0; i < kBatch; ++i) {
    if (binds_ >= kBindsMax || deciding_) return;  // the next answer wakes us
    const PodPtr pod = queue_.take(executor_.now());
    if (pod == nullptr) return set_timer();
    place_one(pod);
  }
  wake();
}

void Scheduler::set_timer() {
  numbers_.pending(queue_.sizes());
  executor_.cancel(timer_);
  const auto due = queue_.next_due();
  if (!due) return;
  timer_ = executor_.after(std::max(Duration(0), *due - executor_.now()), [this] { wake(); });
}

}  // namespace coracle::scheduler
