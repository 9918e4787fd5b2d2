#include "job/status.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "controllers/pods.hpp"
#include "job/names.hpp"
#include "job/policies.hpp"

namespace coracle::controllers::job {
namespace {

json::array text_array(const std::set<std::string>& texts) {
  json::array all;
  for (const std::string& text : texts) all.emplace_back(text);
  return all;
}

class Conditions {
 public:
  Conditions(const json::value& job, WallTime now)
      : all_(get_array(job, "status.conditions")), now_(format_time(now)) {}

  bool is_true(std::string_view type) const {
    const json::value* c = find(type);
    return c != nullptr && get_string(*c, "status") == "True";
  }
  // Whether something changed. False on a condition that is not there changes nothing.
  bool set(std::string_view type, bool value, std::string_view reason, std::string_view message) {
    json::value* old = const_cast<json::value*>(find(type));
    const char* status = value ? "True" : "False";
    if (old == nullptr ? !value : get_string(*old, "status") == status) return false;
    json::object c{{"lastProbeTime", now_}, {"lastTransitionTime", now_}, {"message", message},
                   {"reason", reason},      {"status", status},           {"type", type}};
    if (old != nullptr) {
      *old = std::move(c);
    } else {
      all_.push_back(std::move(c));
    }
    return true;
  }
  json::array take() { return std::move(all_); }
  const std::string& now() const { return now_; }

 private:
  const json::value* find(std::string_view type) const {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const json::value& c) {
      return get_string(c, "type") == type;
    });
    return found == all_.end() ? nullptr : &*found;
  }
  json::array all_;
  std::string now_;
};

bool is_indexed_well(const State& state, const json::value& pod) {
  const std::int64_t index = index_of(pod);
  return !state.indexed || (index >= 0 && index < state.completions.value_or(0));
}

bool waits_for_successor(const State& state, const json::value& pod) {
  if (!state.per_index) return false;
  const auto last = state.last_failed.find(index_of(pod));
  return last != state.last_failed.end() && api::uid_of(*last->second) == api::uid_of(pod);
}

void count_failure(const State& state, const json::value& pod, Tracking* tracking) {
  const std::string uid(api::uid_of(pod));
  const bool policy = find(state.job, "spec.podFailurePolicy") != nullptr;
  const bool counts = !policy || match_failure(state.job, pod).counts();
  if (counts && is_indexed_well(state, pod)) tracking->uncounted_failed.insert(uid);
}

// The last conditions come when every pod has ended and is counted.
void conclude(const State& state, const Tracking& tracking, const Verdict& verdict,
              Conditions* conditions, json::object* status, Plan* plan) {
  conditions->set(verdict.success ? "SuccessCriteriaMet" : "FailureTarget", true, verdict.reason,
                  verdict.message);
  const bool counted = tracking.uncounted_succeeded.empty() && tracking.uncounted_failed.empty() &&
                       tracking.release.empty();
  if (!counted || !state.active.empty() || state.terminating > 0) return;
  conditions->set(verdict.success ? "Complete" : "Failed", true, verdict.reason, verdict.message);
  if (!verdict.success) return plan->warn(verdict.reason, verdict.message);
  (*status)["completionTime"] = conditions->now();
  if (state.completions && state.succeeded > *state.completions) {
    plan->warn("TooManySucceededPods",
               "Too many succeeded pods running after completion count reached");
  }
  plan->note("Completed", "Job completed");
}

void note_suspension(const State& state, Conditions* conditions, json::object* status, Plan* plan) {
  if (state.suspended()) {
    if (conditions->set("Suspended", true, "JobSuspended", "Job suspended")) {
      plan->note("Suspended", "Job suspended");
    }
  } else if (conditions->set("Suspended", false, "JobResumed", "Job resumed")) {
    plan->note("Resumed", "Job resumed");
    // The deadline counts from here.
    (*status)["startTime"] = conditions->now();
  }
}

}  // namespace

Tracking track(const State& state, const std::optional<Verdict>& verdict) {
  Tracking tracking{state.uncounted_succeeded, state.uncounted_failed, state.known_done, {}};
  const bool over = verdict.has_value() || is_deleting(state.job);
  std::vector<std::int64_t> done;
  for (const ObjectPtr& pod : state.pods) {
    const size_t waiting = tracking.uncounted_succeeded.size() + tracking.uncounted_failed.size();
    if (waiting + done.size() >= kUncountedMax) break;
    if (!is_tracked(*pod)) continue;
    if (phase_of(*pod) == "Succeeded") {
      if (!state.indexed) {
        tracking.uncounted_succeeded.emplace(api::uid_of(*pod));
      } else if (is_indexed_well(state, *pod)) {
        done.push_back(index_of(*pod));
      }
      tracking.release.push_back(pod);
    } else if (is_failed(state.job, *pod) || (verdict && !verdict->success)) {
      // When the job fails, the pods that still run have failed with it.
      if (!over && waits_for_successor(state, *pod)) continue;
      count_failure(state, *pod, &tracking);
      tracking.release.push_back(pod);
    }
  }
  tracking.done.add(std::move(done));
  return tracking;
}

json::value next_status(const State& state, const Tracking& tracking,
                        const std::optional<Verdict>& verdict, Plan* plan) {
  json::object status = get_object(state.job, "status");
  Conditions conditions(state.job, state.now.wall);
  const auto set_count = [&](const char* field, std::int64_t n) {
    if (n > 0) {
      status[field] = n;
    } else {
      erase_key(status, field);
    }
  };
  if (!status.contains("startTime") && !state.suspended()) status["startTime"] = conditions.now();
  set_count("active", static_cast<std::int64_t>(state.active.size()));
  status["ready"] = state.ready;
  status["terminating"] = state.terminating;
  set_count("succeeded", state.indexed ? tracking.done.count() : state.counted_succeeded);
  set_count("failed", state.counted_failed);
  if (state.indexed) {
    const std::string done = tracking.done.text();
    if (done.empty()) {
      erase_key(status, "completedIndexes");
    } else {
      status["completedIndexes"] = done;
    }
  }
  if (state.per_index) status["failedIndexes"] = state.failed_indexes.text();
  json::object uncounted;
  if (!tracking.uncounted_failed.empty()) {
    uncounted["failed"] = text_array(tracking.uncounted_failed);
  }
  if (!tracking.uncounted_succeeded.empty()) {
    uncounted["succeeded"] = text_array(tracking.uncounted_succeeded);
  }
  status["uncountedTerminatedPods"] = std::move(uncounted);
  if (verdict) {
    conclude(state, tracking, *verdict, &conditions, &status, plan);
  } else if (!is_deleting(state.job)) {
    note_suspension(state, &conditions, &status, plan);
  }
  json::array all = conditions.take();
  if (!all.empty()) status["conditions"] = std::move(all);
  return status;
}

}  // namespace coracle::controllers::job
