#include "driver/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

using Finish = client::WorkQueueDriver::Finish;
constexpr auto kDone = client::WorkQueueDriver::Outcome::kDone;
constexpr auto kRetry = client::WorkQueueDriver::Outcome::kRetry;

const client::Gvr kPods{"", "v1", "pods", true};
const client::Gvr kNodes{"", "v1", "nodes", false};

// What no decision reads need not be kept.
void slim_pod(json::value& pod) {
  erase_key(api::metadata_of(pod), "managedFields");
  for (const char* list : {"containers", "initContainers"}) {
    for (const json::value& entry : get_array(pod, std::string("spec.") + list)) {
      auto& container = const_cast<json::value&>(entry).as_object();
      for (const char* key : {"env", "envFrom", "command", "args", "volumeMounts", "livenessProbe",
                              "readinessProbe", "startupProbe", "lifecycle"}) {
        erase_key(container, key);
      }
    }
  }
}

client::InformerOptions pod_informer() {
  return {.gvr = kPods,
          .field_selector = "status.phase!=Succeeded,status.phase!=Failed",
          .transform = slim_pod};
}

std::map<std::string, Profile> by_name(std::vector<Profile> profiles) {
  std::map<std::string, Profile> map;
  for (Profile& profile : profiles) map.emplace(profile.name, std::move(profile));
  return map;
}

json::value binding_of(const PodInfo& pod, const std::string& node) {
  json::value binding = json::object();
  set_path(binding, "apiVersion", json::value("v1"));
  set_path(binding, "kind", json::value("Binding"));
  set_path(binding, "metadata.name", json::value(pod.name));
  set_path(binding, "metadata.namespace", json::value(pod.ns));
  set_path(binding, "metadata.uid", json::value(pod.uid));
  set_path(binding, "target.kind", json::value("Node"));
  set_path(binding, "target.name", json::value(node));
  return binding;
}

}  // namespace

Scheduler::Scheduler(Executor& executor, client::Api& api, Rng rng, std::vector<Profile> profiles,
                     Metrics& metrics)
    : executor_(executor),
      pods_api_(api, kPods),
      profiles_(by_name(std::move(profiles))),
      pods_(executor, api, rng.split(), pod_informer()),
      nodes_(executor, api, rng.split(), {.gvr = kNodes}),
      scheduled_(metrics.counter("scheduler_schedule_attempts_total", "Attempts by result.",
                                 {{"result", "scheduled"}})),
      unschedulable_(metrics.counter("scheduler_schedule_attempts_total", "Attempts by result.",
                                     {{"result", "unschedulable"}})),
      failed_(metrics.counter("scheduler_schedule_attempts_total", "Attempts by result.",
                              {{"result", "error"}})),
      preemptions_(metrics.counter("scheduler_preemption_attempts_total",
                                   "Searches for pods that could leave for another.")),
      surroundings_(executor, api, rng.split(), cache_.surroundings(),
                    [this](Change change) { changed(change); }),
      pre_bind_(executor, api, cache_.snapshot(),
                [this](const PodPtr& pod, const std::string& node, const Status& outcome) {
                  on_prepared(pod, node, outcome);
                }),
      preemptor_(
          executor, api,
          [this](const PodInfo& victim, const std::string& message) {
            tell(victim, false, "Preempted", message);
          },
          [this](const PodPtr& pod, const Status& outcome) {
            if (outcome.ok() || stopped_) return;
            log::warn("preemption for {}: {}", pod->key, outcome.message());
            queue_.activate(pod->key);
            wake();
          }),
      status_writes_(executor, kStatusWorkers, [this](const std::string& key, auto finish) {
        spawn<Finish>(write_condition(key), [finish](Finish outcome) { finish(outcome); });
      }) {
  for (const auto& [name, profile] : profiles_) {
    recorders_[name] =
        std::make_unique<client::EventRecorder>(executor, api, client::EventSource{name, ""});
  }
}

void Scheduler::start() {
  nodes_.add_handler(
      {[this](const auto& node, bool) { on_node(node); },
       [this](const auto&, const auto& node) { on_node(node); },
       [this](const auto& node, bool) { cache_.remove_node(std::string(api::name_of(*node))); }});
  pods_.add_handler({[this](const auto& pod, bool) { on_pod(pod); },
                     [this](const auto&, const auto& pod) { on_pod(pod); },
                     [this](const auto& pod, bool) { on_pod_gone(pod); }});
  surroundings_.start();
  nodes_.start();
  pods_.start();
  status_writes_.start();
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
  status_writes_.stop();
}

void Scheduler::on_node(const client::ObjectPtr& object) {
  const auto facts = parse_node(*object);
  const Events events = cache_.set_node(facts);
  if (events != 0) changed({events, cache_.find_node(facts->name), nullptr});
}

void Scheduler::on_pod(const client::ObjectPtr& object) {
  const PodPtr pod = parse_pod(*object);
  if (pod->finished) return on_pod_gone(object);
  if (!pod->node_name.empty()) {
    queue_.remove(pod->key);
    conditions_.erase(pod->key);
    cache_.surroundings().nominations.remove(pod->uid);
    const Events events = cache_.set_pod(pod);
    if (events != 0) changed({events, nullptr, pod.get()});
    return;
  }
  // Ours, bound and not yet shown as such: the answer of the bind, or a later event, settles it.
  if (pod->deleting || !profiles_.contains(pod->scheduler_name)) {
    if (!cache_.is_assumed(pod->key)) queue_.remove(pod->key);
    return;
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
  queue_.put(pod, executor_.now());
}

void Scheduler::on_pod_gone(const client::ObjectPtr& object) {
  const std::string key = client::object_key(*object);
  const PodPtr waited = queue_.find(key);
  queue_.remove(key);
  conditions_.erase(key);
  const bool nominated = waited != nullptr && cache_.surroundings().nominations.remove(waited->uid);
  const PodPtr* counted = cache_.find_pod(key);
  if (counted == nullptr) {  // the place it waited for is free for others
    if (nominated) changed({event::kPodGone, nullptr, waited.get()});
    return;
  }
  const PodPtr pod = *counted;
  pre_bind_.drop(key);
  cache_.remove_pod(key);
  changed({event::kPodGone, nullptr, pod.get()});
}

void Scheduler::changed(Change change) {
  if ((change.events & (event::kClaim | event::kVolume)) != 0) pre_bind_.look_again();
  queue_.on_change(change, executor_.now());
  wake();
}

void Scheduler::wake() {
  if (!leading_ || batch_posted_ || !has_synced()) return;
  batch_posted_ = true;
  executor_.post([this] { run_batch(); });
}

void Scheduler::run_batch() {
  batch_posted_ = false;
  if (!leading_) return;
  for (int i = 0; i < kBatch; ++i) {
    if (binds_ >= kBindsMax) return;  // the next answer wakes us
    const PodPtr pod = queue_.take(executor_.now());
    if (pod == nullptr) return set_timer();
    place_one(pod);
  }
  wake();
}

void Scheduler::set_timer() {
  executor_.cancel(timer_);
  const auto due = queue_.next_due();
  if (!due) return;
  timer_ = executor_.after(std::max(Duration(0), *due - executor_.now()), [this] { wake(); });
}

void Scheduler::place_one(const PodPtr& pod) {
  if (cache_.find_pod(pod->key) != nullptr) return;  // its bind is under way
  Decision decision = decide(profiles_.at(pod->scheduler_name), pod, cache_.snapshot(), rotation_);
  if (decision.kind == Decision::Kind::kPlaced) assume(*pod, decision);
  switch (decision.kind) {
    case Decision::Kind::kPlaced:
      if (pre_bind_.begin(profiles_.at(pod->scheduler_name), pod, decision.node)) {
        bind(pod, decision.node);
      }
      break;
    case Decision::Kind::kFitsNowhere:
      fits_nowhere(pod, decision);
      break;
    case Decision::Kind::kBroken:
      failed_.add();
      queue_.retry(pod->key, executor_.now());
      cache_.surroundings().nominations.remove(pod->uid);
      reject(pod, "SchedulerError", decision.message, "");
      break;
  }
  decisions_.push_back(std::move(decision));
  if (decisions_.size() > kDecisionsKept) decisions_.pop_front();
}

void Scheduler::fits_nowhere(const PodPtr& pod, const Decision& decision) {
  unschedulable_.add();
  preemptions_.add();
  queue_.park(pod->key, decision.rejected_by, executor_.now());
  Nominations& nominations = cache_.surroundings().nominations;
  std::optional<std::string> nomination;
  if (!decision.nominated.empty()) {
    nomination = decision.nominated;
    nominations.set(pod, decision.nominated);
    preemptor_.begin(pod, decision.nominated, decision.victims);
    clear_less_important(*pod, decision.nominated);
  } else if (decision.clear_nomination) {
    nomination = "";
    nominations.remove(pod->uid);
  }
  reject(pod, "Unschedulable", decision.message, nomination);
}

// Who waits for the same node and is less important may fit there no more: it looks elsewhere.
void Scheduler::clear_less_important(const PodInfo& pod, const std::string& node) {
  Nominations& nominations = cache_.surroundings().nominations;
  const std::vector<PodPtr> there = nominations.on(node);
  for (const PodPtr& other : there) {
    if (other->uid == pod.uid || other->priority >= pod.priority) continue;
    nominations.remove(other->uid);
    conditions_[other->key].nomination = "";
    status_writes_.add(other->key);
    queue_.activate(other->key);
  }
}

void Scheduler::assume(const PodInfo& pod, Decision& decision) {
  cache_.assume(pod, decision.node);
  cache_.surroundings().nominations.remove(pod.uid);
  auto& reservations = cache_.surroundings().reservations;
  const auto [verdict, by] = reserve_all(profiles_.at(pod.scheduler_name), pod, decision.node,
                                         cache_.snapshot(), reservations);
  if (verdict.is_yes()) return;
  cache_.forget(pod.key, pod.uid);
  const std::string why = join(verdict.reasons(), ", ");
  if (verdict.kind() == Verdict::Kind::kBroken) {
    decision.kind = Decision::Kind::kBroken;
    decision.message = fmt::format("running Reserve plugin \"{}\": {}", by->name(), why);
  } else {  // one node was asked
    decision.kind = Decision::Kind::kFitsNowhere;
    decision.message = fmt::format("0/1 nodes are available: 1 {}.", why);
  }
  decision.rejected_by = {by};
  decision.node.clear();
}

void Scheduler::forget(const PodInfo& pod, const std::string& node) {
  unreserve_all(profiles_.at(pod.scheduler_name), pod, node, cache_.surroundings().reservations);
  cache_.forget(pod.key, pod.uid);
}

void Scheduler::bind(const PodPtr& pod, const std::string& node) {
  ++binds_;
  spawn<client::ApiResult<json::value>>(
      pods_api_.create_subresource(pod->ns, pod->name, "binding", binding_of(*pod, node)),
      [this, pod, node](const client::ApiResult<json::value>& answer) {
        on_bound(pod, node, answer);
      });
}

void Scheduler::on_prepared(const PodPtr& pod, const std::string& node, const Status& outcome) {
  if (stopped_ || !cache_.is_assumed(pod->key)) return;
  if (outcome.ok()) return bind(pod, node);
  failed_.add();
  forget(*pod, node);
  log::warn("{} before its bind to {}: {}", pod->key, node, outcome.message());
  const PodPtr waiting = queue_.find(pod->key);
  if (waiting != nullptr && waiting->uid == pod->uid) {
    queue_.retry(pod->key, executor_.now());
    if (outcome.code() != Code::kAborted) {  // a conflict: the next look knows better
      reject(pod, "SchedulerError",
             "running PreBind plugin \"VolumeBinding\": " + outcome.message());
    }
  }
  changed({event::kPodGone, nullptr, pod.get()});
}

void Scheduler::on_bound(const PodPtr& pod, const std::string& node,
                         const client::ApiResult<json::value>& answer) {
  --binds_;
  const PodPtr waiting = queue_.find(pod->key);
  const bool same = waiting != nullptr && waiting->uid == pod->uid;
  if (answer.ok()) {
    scheduled_.add();
    if (same) queue_.remove(pod->key);
    tell(*pod, false, "Scheduled", fmt::format("Successfully assigned {} to {}", pod->key, node));
    return wake();
  }
  failed_.add();
  forget(*pod, node);
  log::warn("bind of {} to {}: {}", pod->key, node, answer.error().message);
  // Placed by another, or gone: the informer says so and takes it out of the queue.
  if (same) {
    queue_.retry(pod->key, executor_.now());
    if (!answer.error().is_not_found() && !answer.error().is_conflict()) {
      reject(pod, "SchedulerError", "binding rejected: " + answer.error().message);
    }
  }
  changed({event::kPodGone, nullptr, pod.get()});
}

void Scheduler::reject(const PodPtr& pod, const std::string& reason, const std::string& message,
                       std::optional<std::string> nomination) {
  tell(*pod, true, "FailedScheduling", message);
  const PodPtr now = queue_.find(pod->key);
  const PodInfo& seen = now != nullptr ? *now : *pod;
  const bool nominated_so = !nomination || *nomination == seen.nominated_node;
  if (nominated_so && !conditions_.contains(pod->key) && seen.scheduled_status == "False" &&
      seen.scheduled_reason == reason && seen.scheduled_message == message) {
    return;
  }
  StatusWrite& write = conditions_[pod->key];
  write.reason = reason;
  write.message = message;
  if (nomination) write.nomination = std::move(nomination);
  status_writes_.add(pod->key);
}

void Scheduler::tell(const PodInfo& pod, bool warning, const std::string& reason,
                     const std::string& message) {
  client::EventInput input;
  input.regarding = {{"kind", "Pod"},
                     {"namespace", pod.ns},
                     {"name", pod.name},
                     {"uid", pod.uid},
                     {"apiVersion", "v1"}};
  input.type = warning ? "Warning" : "Normal";
  input.reason = reason;
  input.message = message;
  recorders_.at(pod.scheduler_name)->record(std::move(input));
}

Task<Finish> Scheduler::write_condition(std::string key) {
  const auto found = conditions_.find(key);
  const PodPtr pod = queue_.find(key);
  if (found == conditions_.end() || pod == nullptr) co_return Finish{kDone, {}};
  const StatusWrite wanted = found->second;
  json::value patch = json::object();
  set_path(patch, "metadata.uid", json::value(pod->uid));
  json::object& status = make_object(patch, "status");
  if (!wanted.reason.empty()) {
    json::object condition{{"type", "PodScheduled"},
                           {"status", "False"},
                           {"reason", wanted.reason},
                           {"message", wanted.message},
                           {"lastProbeTime", nullptr}};
    if (pod->scheduled_status != "False") {
      condition["lastTransitionTime"] = format_time(executor_.wall_now());
    }
    status["conditions"] = json::array{std::move(condition)};
  }
  if (wanted.nomination && *wanted.nomination != pod->nominated_node) {
    status["nominatedNodeName"] =
        wanted.nomination->empty() ? json::value(nullptr) : json::value(*wanted.nomination);
  }
  const auto answer = co_await pods_api_.patch(pod->ns, pod->name, client::PatchType::kStrategic,
                                               patch, {}, "status");
  if (!answer.ok() && answer.error().is_retryable()) co_return Finish{kRetry, {}};
  const auto now = conditions_.find(key);
  if (now == conditions_.end()) co_return Finish{kDone, {}};
  if (now->second != wanted) co_return Finish{kDone, Duration(0)};
  conditions_.erase(now);
  co_return Finish{kDone, {}};
}

}  // namespace coracle::scheduler
