#include "job/state.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/pods.hpp"
#include "job/names.hpp"
#include "job/policies.hpp"

namespace coracle::controllers::job {
namespace {

constexpr std::int64_t kNoLimit = 1LL << 31;

WallTime finished_at(const json::value& pod) {
  std::optional<WallTime> last;
  for (const json::value& status : get_array(pod, "status.containerStatuses")) {
    const auto at = time_at(status, "state.terminated.finishedAt");
    if (at && (!last || *at > *last)) last = at;
  }
  if (last) return *last;
  if (const auto since = condition_since(pod, "Ready")) return *since;
  if (const auto deleted = time_at(pod, "metadata.deletionTimestamp")) return *deleted;
  return time_at(pod, "metadata.creationTimestamp").value_or(WallTime());
}

// Step 3: those whose pods carry no finalizer any more are counted.
void settle(const json::array& uids, const std::set<std::string>& tracked,
            std::set<std::string>* waiting, std::int64_t* counter) {
  for (const json::value& uid : uids) {
    if (!uid.is_string()) continue;
    std::string text(uid.get_string());
    if (tracked.contains(text)) {
      waiting->insert(std::move(text));
    } else {
      ++*counter;
    }
  }
}

bool index_is_spent(const State& state, const json::value& pod) {
  const FailureMatch match = match_failure(state.job, pod);
  if (match.action == FailureAction::kFailIndex) return true;
  return match.counts() &&
         index_failures(pod, kIndexFailures) >= get_int(state.job, "spec.backoffLimitPerIndex");
}

std::int64_t all_failures(const json::value& pod) {
  return index_failures(pod, kIndexFailures) + index_failures(pod, kIndexIgnoredFailures);
}

void read_indexes(State* state) {
  const std::int64_t limit = state->completions.value_or(0);
  state->known_done = IndexSet::parse(get_string(state->job, "status.completedIndexes"), limit);
  state->failed_indexes = IndexSet::parse(get_string(state->job, "status.failedIndexes"), limit);
  std::vector<std::int64_t> done, failed;
  for (const ObjectPtr& pod : state->pods) {
    const std::int64_t index = index_of(*pod);
    if (!is_tracked(*pod) || index < 0 || index >= limit) continue;
    if (phase_of(*pod) == "Succeeded") {
      done.push_back(index);
    } else if (state->per_index && is_failed(state->job, *pod) && index_is_spent(*state, *pod)) {
      failed.push_back(index);
    }
  }
  state->done = state->known_done;
  state->done.add(std::move(done));
  state->failed_indexes.add(std::move(failed));
  state->succeeded = state->done.count();
}

void find_last_failed(State* state) {
  std::set<std::int64_t> active;
  for (const ObjectPtr& pod : state->active) active.insert(index_of(*pod));
  for (const ObjectPtr& pod : state->pods) {
    const std::int64_t index = index_of(*pod);
    if (!is_tracked(*pod) || !is_failed(state->job, *pod) || index < 0) continue;
    if (active.contains(index) || state->done.has(index) || state->failed_indexes.has(index)) {
      continue;
    }
    ObjectPtr& last = state->last_failed[index];
    if (last == nullptr || all_failures(*pod) > all_failures(*last) ||
        (all_failures(*pod) == all_failures(*last) && finished_at(*pod) > finished_at(*last))) {
      last = pod;
    }
  }
}

Duration left_after(std::int64_t failures, WallTime last, WallTime now) {
  if (failures <= 0) return Duration(0);
  const auto doublings = std::min<std::int64_t>(failures - 1, 10);
  const Duration wait = std::min<Duration>(kBackOffFirst * (1LL << doublings), kBackOffMax);
  return std::max(last + wait - now, Duration(0));
}

// Containers that restart in place count against the limit, too.
bool restarts_exceed(const State& state, std::int64_t limit) {
  if (get_string(state.job, "spec.template.spec.restartPolicy") != "OnFailure") return false;
  std::int64_t restarts = 0;
  for (const ObjectPtr& pod : state.pods) {
    if (phase_of(*pod) != "Running" && phase_of(*pod) != "Pending") continue;
    for (const char* list : {"status.initContainerStatuses", "status.containerStatuses"}) {
      for (const json::value& c : get_array(*pod, list)) restarts += get_int(c, "restartCount");
    }
  }
  return limit == 0 ? restarts > 0 : restarts >= limit;
}

std::optional<Verdict> by_failure_policy(const State& state) {
  if (find(state.job, "spec.podFailurePolicy") == nullptr) return std::nullopt;
  for (const ObjectPtr& pod : state.pods) {
    if (!is_failed(state.job, *pod)) continue;
    FailureMatch match = match_failure(state.job, *pod);
    if (match.action == FailureAction::kFailJob) {
      return Verdict{false, "PodFailurePolicy", std::move(match.message)};
    }
  }
  return std::nullopt;
}

std::optional<Verdict> by_deadline(const State& state, std::optional<Duration>* again) {
  const json::value* limit = find(state.job, "spec.activeDeadlineSeconds");
  const auto started = time_at(state.job, "status.startTime");
  if (limit == nullptr || !limit->is_int64() || state.suspended()) return std::nullopt;
  const json::value* paused = condition(state.job, "Suspended");
  // Resumed just now: its start is about to be set.
  if (paused != nullptr && get_string(*paused, "status") == "True") return std::nullopt;
  const auto allowed = std::chrono::seconds(limit->get_int64());
  const Duration left = started.value_or(state.now.wall) + allowed - state.now.wall;
  if (left <= Duration(0)) {
    return Verdict{false, "DeadlineExceeded", "Job was active longer than specified deadline"};
  }
  *again = left;
  return std::nullopt;
}

std::optional<Verdict> by_indexes(const State& state) {
  if (!state.per_index) return std::nullopt;
  const std::int64_t failed = state.failed_indexes.count();
  if (failed > get_int(state.job, "spec.maxFailedIndexes", kNoLimit)) {
    return Verdict{false, "MaxFailedIndexesExceeded",
                   "Job has exceeded the specified maximal number of failed indexes"};
  }
  if (failed > 0 && failed + state.done.count() >= state.completions.value_or(0)) {
    return Verdict{false, "FailedIndexes", "Job has failed indexes"};
  }
  return std::nullopt;
}

std::optional<Verdict> by_success(const State& state) {
  if (state.indexed && find(state.job, "spec.successPolicy") != nullptr) {
    if (auto rule = met_success_rule(state.job, state.done, state.completions.value_or(0))) {
      return Verdict{true, "SuccessPolicy", std::move(*rule)};
    }
  }
  // Without a number, the first success ends it, when the others have ended.
  const bool enough =
      state.completions ? state.succeeded >= *state.completions : state.succeeded > 0;
  if (!enough || !state.active.empty()) return std::nullopt;
  return Verdict{true, "CompletionsReached", "Reached expected number of succeeded pods"};
}

}  // namespace

bool is_tracked(const json::value& pod) { return api::has_finalizer(pod, kTracking); }

std::int64_t index_failures(const json::value& pod, const char* annotation) {
  long long count = 0;
  return parse_int(api::annotation_of(pod, annotation), &count) ? std::max(count, 0LL) : 0;
}

State read_state(const json::value& job, std::vector<ObjectPtr> pods, Instant now) {
  State state{job, now, std::move(pods)};
  state.indexed = get_string(job, "spec.completionMode") == "Indexed";
  state.per_index = state.indexed && find(job, "spec.backoffLimitPerIndex") != nullptr;
  state.parallelism = get_int(job, "spec.parallelism", 1);
  if (const json::value* n = find(job, "spec.completions"); n != nullptr && n->is_int64()) {
    state.completions = n->get_int64();
  }
  std::set<std::string> tracked;
  for (const ObjectPtr& pod : state.pods) {
    if (is_active(*pod)) state.active.push_back(pod);
    if (is_active(*pod) && is_ready(*pod)) ++state.ready;
    if (is_terminating(*pod)) ++state.terminating;
    if (is_tracked(*pod)) tracked.emplace(api::uid_of(*pod));
  }
  state.counted_succeeded = get_int(job, "status.succeeded");
  state.counted_failed = get_int(job, "status.failed");
  settle(get_array(job, "status.uncountedTerminatedPods.succeeded"), tracked,
         &state.uncounted_succeeded, &state.counted_succeeded);
  settle(get_array(job, "status.uncountedTerminatedPods.failed"), tracked, &state.uncounted_failed,
         &state.counted_failed);
  state.succeeded =
      state.counted_succeeded + static_cast<std::int64_t>(state.uncounted_succeeded.size());
  state.failed = state.counted_failed + static_cast<std::int64_t>(state.uncounted_failed.size());
  for (const ObjectPtr& pod : state.pods) {
    const std::string uid(api::uid_of(*pod));
    if (!is_tracked(*pod)) continue;
    if (phase_of(*pod) == "Succeeded") {
      if (!state.uncounted_succeeded.contains(uid)) ++state.succeeded;
    } else if (is_failed(job, *pod) && !state.uncounted_failed.contains(uid) &&
               match_failure(job, *pod).counts()) {
      ++state.failed;
    }
  }
  if (state.indexed) read_indexes(&state);
  if (state.per_index) find_last_failed(&state);
  return state;
}

Duration backoff_left(const State& state) {
  std::optional<WallTime> success;
  std::vector<WallTime> failures;
  for (const ObjectPtr& pod : state.pods) {
    if (phase_of(*pod) == "Succeeded") {
      success = std::max(success.value_or(WallTime()), finished_at(*pod));
    } else if (is_failed(state.job, *pod) && (is_tracked(*pod) || !is_deleting(*pod))) {
      // Without finalizer and deleted: taken away on purpose.
      failures.push_back(finished_at(*pod));
    }
  }
  std::erase_if(failures, [&](WallTime at) { return success && at <= *success; });
  if (failures.empty()) return Duration(0);
  return left_after(static_cast<std::int64_t>(failures.size()),
                    *std::max_element(failures.begin(), failures.end()), state.now.wall);
}

Duration backoff_left_of_index(const State& state, std::int64_t index) {
  const auto last = state.last_failed.find(index);
  if (last == state.last_failed.end()) return Duration(0);
  return left_after(all_failures(*last->second) + 1, finished_at(*last->second), state.now.wall);
}

std::optional<Verdict> decide(const State& state, std::optional<Duration>* again) {
  for (const char* type : {"FailureTarget", "SuccessCriteriaMet"}) {
    const json::value* c = condition(state.job, type);
    if (c == nullptr || get_string(*c, "status") != "True") continue;
    return Verdict{std::string_view(type) != "FailureTarget", std::string(get_string(*c, "reason")),
                   std::string(get_string(*c, "message"))};
  }
  if (auto verdict = by_failure_policy(state)) return verdict;
  const std::int64_t limit = get_int(state.job, "spec.backoffLimit", 6);
  if (state.failed > limit || restarts_exceed(state, limit)) {
    return Verdict{false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
  }
  if (auto verdict = by_deadline(state, again)) return verdict;
  if (auto verdict = by_indexes(state)) return verdict;
  return by_success(state);
}

}  // namespace coracle::controllers::job
