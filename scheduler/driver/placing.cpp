// The way of a pod from the queue to its bind, or back.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "client/unread_call.hpp"
#include "driver/scheduler.hpp"
#include "framework/fit_error.hpp"

namespace coracle::scheduler {
namespace {

// One node was asked, and did not do after all.
std::string no_after_all(const Verdict& verdict) {
  FitError error;
  error.nodes = 1;
  error.add(verdict, 1);
  return error.text();
}

}  // namespace

void Scheduler::place_one(const PodPtr& pod) {
  if (cache_.find_pod(pod->key) != nullptr) return;  // its bind is under way
  const Profile& profile = profile_of(*pod);
  if (!extenders_.decide_on(profile, *pod)) {
    const TimePoint began = executor_.now();
    Decision decision = decide(profile, pod, cache_.snapshot(), rotation_);
    numbers_.decided(executor_.now() - began);
    return settle(pod, std::move(decision));
  }
  deciding_ = true;
  spawn<Decision>(extenders_.decide(profile, pod, cache_.snapshot(), rotation_),
                  [this, pod](Decision decision) {
                    deciding_ = false;
                    if (stopped_) return;
                    settle(pod, std::move(decision));
                    wake();
                  });
}

// With extenders, the pod and the node may have gone while they were asked.
void Scheduler::settle(const PodPtr& pod, Decision decision) {
  if (!waits(*pod)) return;
  if (decision.kind == Decision::Kind::kPlaced && cache_.find_node(decision.node) == nullptr) {
    return queue_.retry(pod->key, executor_.now());
  }
  if (decision.kind == Decision::Kind::kPlaced) assume(*pod, decision);
  const std::vector<GroupMember> gang = plan_for_gang(decision);
  for (const std::string& note : decision.notes) {
    tell(*pod, pod->scheduler_name, "PluginLeftOut", note);
  }
  decisions_.add(std::move(decision), executor_.wall_now());
  const DecisionLog::Ptr kept = decisions_.all().back();  // longer than the log may
  if (on_decision_) on_decision_(*kept);
  const Decision& taken = kept->decision;
  switch (taken.kind) {
    case Decision::Kind::kPlaced: {
      Permits::Outcome outcome;
      if (permits_.begin(profile_of(*pod), pod, taken.node, &outcome)) {
        on_permitted(pod, taken.node, outcome);
      } else {
        status_.nominate(pod, taken.node);
      }
      permits_.look_again();
      break;
    }
    case Decision::Kind::kFitsNowhere:
      fits_nowhere(pod, taken, gang);
      break;
    case Decision::Kind::kBroken:
      numbers_.attempt(pod->scheduler_name, "error");
      queue_.retry(pod->key, executor_.now());
      cache_.surroundings().nominations.remove(pod->uid);
      reject(pod, "SchedulerError", taken.message, "");
      break;
  }
}

void Scheduler::assume(const PodInfo& pod, Decision& decision) {
  cache_.surroundings().nominations.remove(pod.uid);
  auto& reservations = cache_.surroundings().reservations;
  const auto [verdict, by] =
      reserve_all(profile_of(pod), pod, decision.node, cache_.snapshot(), reservations);
  if (verdict.is_yes()) return cache_.assume(pod, decision.node);
  if (verdict.kind() == Verdict::Kind::kBroken) {
    decision.kind = Decision::Kind::kBroken;
    decision.message =
        fmt::format("running Reserve plugin \"{}\": {}", by->name(), join(verdict.reasons(), ", "));
  } else {
    decision.kind = Decision::Kind::kFitsNowhere;
    decision.message = no_after_all(verdict);
    decision.clear_nomination = true;
  }
  decision.rejected_by = {by};
  decision.node.clear();
}

void Scheduler::on_permitted(const PodPtr& pod, const std::string& node,
                             const Permits::Outcome& outcome) {
  if (stopped_ || !cache_.is_assumed(pod->key)) return;
  const auto& [verdict, by] = outcome;
  if (verdict.is_yes()) {
    if (pre_bind_.begin(profile_of(*pod), pod, node)) return bind(pod, node);
    return status_.nominate(pod, node);
  }
  undo(pod, node, false, [this, pod, outcome] { not_permitted(pod, outcome); });
}

void Scheduler::not_permitted(const PodPtr& pod, const Permits::Outcome& outcome) {
  const auto& [verdict, by] = outcome;
  give_up_with(*pod);
  if (!waits(*pod)) return;
  if (verdict.kind() == Verdict::Kind::kBroken) {
    numbers_.attempt(pod->scheduler_name, "error");
    queue_.retry(pod->key, executor_.now());
    reject(
        pod, "SchedulerError",
        fmt::format("running Permit plugin \"{}\": {}", by->name(), join(verdict.reasons(), ", ")),
        "");
    return;
  }
  numbers_.attempt(pod->scheduler_name, "unschedulable");
  std::vector<const Plugin*> rejected_by;
  if (by != nullptr) rejected_by.push_back(by);
  queue_.park(pod->key, std::move(rejected_by), executor_.now());
  reject(pod, "Unschedulable", no_after_all(verdict), "");
}

void Scheduler::on_prepared(const PodPtr& pod, const std::string& node, const Status& outcome) {
  if (stopped_ || !cache_.is_assumed(pod->key)) return;
  if (outcome.ok()) return bind(pod, node);
  log::warn("{} before its bind to {}: {}", pod->key, node, outcome.message());
  // After a conflict the next look knows better.
  undo_bind(pod, node, outcome.message(), outcome.code() == Code::kAborted);
}

void Scheduler::bind(const PodPtr& pod, const std::string& node) {
  ++binds_;
  status_.hold(pod->key);  // it says soon where it is
  // As it counts: with the devices it was given.
  const PodPtr* counted = cache_.find_pod(pod->key);
  spawn<client::ApiResult<json::value>>(
      post_binding(counted == nullptr ? pod : *counted, node),
      [this, pod, node](const client::ApiResult<json::value>& answer) {
        on_bound(pod, node, answer);
      });
}

Task<client::ApiResult<json::value>> Scheduler::post_binding(PodPtr pod, std::string node) {
  const auto failed = [](std::string message) {
    client::ApiError error;
    error.message = std::move(message);
    return error;
  };
  if (extenders_.bind(*pod)) {
    const auto bound = co_await extenders_.bind_to(pod, node);
    if (!bound.ok()) co_return failed(bound.status().message());
    if (*bound) co_return json::value();
  }
  for (const Plugin* plugin : profile_of(*pod).at(Point::kBind)) {
    const auto binding = plugin->bind(*pod, node);
    if (!binding) continue;
    auto error = co_await client::call_unread(
        &pods_api_.api(), {.method = "POST",
                           .target = pods_api_.path(pod->ns, pod->name, "binding"),
                           .body = to_json(*binding)});
    if (!error) co_return json::value();
    error->message = fmt::format("running Bind plugin \"{}\": {}", plugin->name(), error->message);
    co_return *std::move(error);
  }
  co_return failed("no bind plugin takes the pod");
}

void Scheduler::on_bound(const PodPtr& pod, const std::string& node,
                         const client::ApiResult<json::value>& answer) {
  --binds_;
  if (answer.ok()) {
    numbers_.attempt(pod->scheduler_name, "scheduled");
    if (waits(*pod)) queue_.remove(pod->key);
    tell(*pod, pod->scheduler_name, "Scheduled",
         fmt::format("Successfully assigned {} to {}", pod->key, node));
    for (const Plugin* plugin : profile_of(*pod).at(Point::kPostBind)) {
      plugin->post_bind(*pod, node, cache_.surroundings().reservations);
    }
    return wake();
  }
  log::warn("bind of {} to {}: {}", pod->key, node, answer.error().message);
  // Placed by another, or gone: the informer says so and takes it out of the queue.
  undo_bind(pod, node, answer.error().message,
            answer.error().is_not_found() || answer.error().is_conflict());
}

void Scheduler::undo_bind(const PodPtr& pod, const std::string& node, const std::string& why,
                          bool quiet) {
  numbers_.attempt(pod->scheduler_name, "error");
  undo(pod, node, true, [this, pod, why, quiet] {
    if (!waits(*pod)) return;
    queue_.retry(pod->key, executor_.now());
    if (quiet) return status_.nominate(pod, "");
    reject(pod, "SchedulerError", why, "");
  });
}

void Scheduler::undo(const PodPtr& pod, const std::string& node, bool wrote,
                     std::function<void()> then) {
  const auto work = [this, pod, node, then = std::move(then)] {
    if (!is_assumed(*pod)) return wake();
    unreserve_all(profile_of(*pod), *pod, node, cache_.surroundings().reservations);
    cache_.forget(pod->key, pod->uid);
    then();
    changed({event::kPodGone, nullptr, pod});
  };
  // One that is shown to be placed keeps what it has: the bind was done, but its answer lost.
  if (stopped_ || !is_assumed(*pod)) return work();
  pre_bind_.take_back(profile_of(*pod), pod, wrote, work);
}

bool Scheduler::waits(const PodInfo& pod) const {
  const PodPtr waiting = queue_.find(pod.key);
  return waiting != nullptr && waiting->uid == pod.uid;
}

bool Scheduler::is_assumed(const PodInfo& pod) const {
  const PodPtr* counted = cache_.find_pod(pod.key);
  return counted != nullptr && (*counted)->uid == pod.uid && cache_.is_assumed(pod.key);
}

void Scheduler::fits_nowhere(const PodPtr& pod, const Decision& decision,
                             const std::vector<GroupMember>& gang) {
  numbers_.attempt(pod->scheduler_name, "unschedulable");
  numbers_.preemptions.add();
  std::optional<std::string> nomination;
  if (!decision.nominated.empty()) {
    nomination = decision.nominated;
    preempt(pod, decision);  // before it is parked: until all victims are asked it is kept out
    queue_.park(pod->key, decision.rejected_by, executor_.now());
    preempt_for_gang(decision, gang);
  } else {
    queue_.park(pod->key, decision.rejected_by, executor_.now());
    if (decision.clear_nomination) {
      nomination = "";
      cache_.surroundings().nominations.remove(pod->uid);
    }
  }
  // What it changes will be seen, which is an event; a failure is to be one too.
  pre_bind_.make_room(pod, decision.writes, [this](const Status& outcome) {
    if (!outcome.ok() && !stopped_) changed({.events = event::kDeviceClaim});
  });
  reject(pod, "Unschedulable", decision.message, nomination);
  // While its victims leave it has not failed: the others of its gang keep their nodes meanwhile.
  if (cache_.surroundings().nominations.node_of(pod->uid).empty()) give_up_with(*pod);
}

std::vector<GroupMember> Scheduler::plan_for_gang(Decision& decision) {
  const PodInfo& pod = *decision.pod;
  if (decision.nominated.empty() || pod.group.empty()) return {};
  std::vector<PodPtr> waiting = queue_.waiting_of(pod.group);
  std::erase_if(
      waiting, [&pod](const PodPtr& other) { return other->scheduler_name != pod.scheduler_name; });
  auto members =
      plan_for_group(profile_of(pod), decision, std::move(waiting), cache_.snapshot(), rotation_);
  if (members) return *std::move(members);
  decision.nominated.clear();
  decision.victims.clear();
  decision.clear_nomination = true;
  decision.message += " preemption: not enough pods could leave for minCount of the pod group.";
  return {};
}

// They are not tried before something helps: what is to leave for them is there still.
void Scheduler::preempt_for_gang(const Decision& decision,
                                 const std::vector<GroupMember>& members) {
  for (const GroupMember& member : members) {
    queue_.hold(member.pod->key, decision.rejected_by, executor_.now());
    Decision part;
    part.pod = member.pod;
    part.nominated = member.node;
    part.victims = member.victims;
    preempt(member.pod, part);
  }
}

// Those that wait for this pod to be placed as well.
void Scheduler::give_up_with(const PodInfo& failed) {
  if (failed.group.empty() || falling_) return;
  PodGroups& groups = cache_.surroundings().groups;
  groups.fail(failed);
  falling_ = true;
  if (permits_.fall_with(failed) > 0) {
    groups.forget_failures(failed);
    queue_.put_off_group(failed.group, executor_.now());
  }
  falling_ = false;
}

void Scheduler::preempt(const PodPtr& pod, const Decision& decision) {
  Nominations& nominations = cache_.surroundings().nominations;
  nominations.set(pod, decision.nominated);
  std::vector<PodPtr> bound;
  for (const PodPtr& victim : decision.victims) {
    // One that does not run yet need not be deleted.
    if (permits_.reject(victim->key, "preempted") ||
        pre_bind_.cancel(victim->key, "preempted by DefaultPreemption")) {
      tell(*victim, pod->scheduler_name, "Preempted",
           fmt::format("Preempted by pod {} on node {}", pod->uid, decision.nominated));
    } else {
      bound.push_back(victim);
    }
  }
  preemptor_.begin(pod, decision.nominated, bound);
  // Who waits for the same node and is less important may fit there no more: it looks elsewhere.
  const std::vector<PodPtr> there = nominations.on(decision.nominated);
  for (const PodPtr& other : there) {
    if (other->uid == pod->uid || other->priority >= pod->priority) continue;
    nominations.remove(other->uid);
    status_.nominate(other, "");
    queue_.activate(other->key);
  }
}

void Scheduler::reject(const PodPtr& pod, const std::string& reason, const std::string& message,
                       std::optional<std::string> nomination) {
  tell(*pod, pod->scheduler_name, "FailedScheduling", message);
  status_.rejected(pod, reason, message, std::move(nomination));
}

void Scheduler::tell(const PodInfo& pod, const std::string& as, const std::string& reason,
                     const std::string& message) {
  client::EventInput input;
  input.regarding = {{"kind", "Pod"},
                     {"namespace", pod.ns},
                     {"name", pod.name},
                     {"uid", pod.uid},
                     {"apiVersion", "v1"}};
  input.type = reason == "Scheduled" || reason == "Preempted" ? "Normal" : "Warning";
  input.reason = reason;
  input.message = message;
  recorders_.at(as)->record(std::move(input));
}

}  // namespace coracle::scheduler
