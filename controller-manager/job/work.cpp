#include "job/work.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/controller.hpp"
#include "controllers/pods.hpp"
#include "job/names.hpp"
#include "job/policies.hpp"

namespace coracle::controllers::job {
namespace {

constexpr size_t kGenerateNameMax = 58;  // 63 less the random suffix

void remove_pod(const json::value& pod, Plan* plan) {
  Write& write = plan->remove(gvr::kPods, pod);
  write.done_reason = "SuccessfulDelete";
  write.done_message = fmt::format("Deleted pod: {}", api::name_of(pod));
  write.failed_reason = "FailedDelete";
  write.failed_message = "Error deleting: ";
}

// Taken away on purpose: without their finalizer first, they do not count as failed.
void take_away(const std::vector<ObjectPtr>& pods, Plan* plan) {
  const auto most = std::min(pods.size(), static_cast<size_t>(kBurst));
  for (size_t i = 0; i < most; ++i) {
    if (is_tracked(*pods[i])) release(*pods[i], plan);
  }
  for (size_t i = 0; i < most; ++i) remove_pod(*pods[i], plan);
}

// Pods too many: of an Indexed job first those without a place and all but the best of an index.
std::vector<ObjectPtr> too_many(const State& state, std::int64_t at_least) {
  std::vector<ObjectPtr> sorted = state.active, victims, rest;
  sort_for_deletion(sorted, state.active, state.now.wall);
  if (state.indexed) {
    std::set<std::int64_t> kept;
    for (auto pod = sorted.rbegin(); pod != sorted.rend(); ++pod) {
      const std::int64_t index = index_of(**pod);
      const bool placed = index >= 0 && index < state.completions.value_or(0);
      if (placed && kept.insert(index).second) {
        rest.insert(rest.begin(), *pod);
      } else {
        victims.push_back(*pod);
      }
    }
    sorted = std::move(rest);
  }
  for (const ObjectPtr& pod : sorted) {
    if (static_cast<std::int64_t>(victims.size()) >= at_least) break;
    victims.push_back(pod);
  }
  return victims;
}

std::int64_t wanted_active(const State& state) {
  const auto active = static_cast<std::int64_t>(state.active.size());
  if (!state.completions) return state.succeeded > 0 ? active : state.parallelism;
  return std::clamp<std::int64_t>(*state.completions - state.succeeded, 0, state.parallelism);
}

// Indexes to make pods of now; those that back off are left out, and looked at again.
std::vector<std::int64_t> next_indexes(const State& state, std::int64_t most, Plan* plan) {
  IndexSet taken = state.done;
  taken.add(state.failed_indexes);
  std::vector<std::int64_t> busy;
  for (const ObjectPtr& pod : state.pods) {
    const bool holds = is_active(*pod) || (is_terminating(*pod) && replaces_ended_only(state.job));
    if (holds && index_of(*pod) >= 0) busy.push_back(index_of(*pod));
  }
  taken.add(std::move(busy));
  std::vector<std::int64_t> indexes = taken.first_missing(most, state.completions.value_or(0));
  std::erase_if(indexes, [&](std::int64_t index) {
    const Duration left = backoff_left_of_index(state, index);
    if (left > Duration(0)) plan->look_again(left);
    return left > Duration(0);
  });
  return indexes;
}

void make_pod(const State& state, std::int64_t index, Plan* plan) {
  Write& write = plan->create(gvr::kPods, new_pod(state, index));
  write.done_reason = "SuccessfulCreate";
  write.done_message = "Created pod: {name}";
  write.failed_reason = "FailedCreate";
  write.failed_message = "Error creating: ";
}

void add_index_variable(json::value& pod) {
  constexpr char kVariable[] = "JOB_COMPLETION_INDEX";
  for (const char* list : {"initContainers", "containers"}) {
    json::value* containers = pod.get_object()["spec"].get_object().if_contains(list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json::value& container : containers->get_array()) {
      const json::array& env = get_array(container, "env");
      const bool has = std::any_of(env.begin(), env.end(), [&](const json::value& v) {
        return get_string(v, "name") == kVariable;
      });
      if (has || !container.is_object()) continue;
      json::value variable = json::object({{"name", kVariable}});
      set_path(variable, "valueFrom.fieldRef.fieldPath",
               json::value(fmt::format("metadata.labels['{}']", kIndex)));
      json::array more = env;
      more.push_back(std::move(variable));
      container.get_object()["env"] = std::move(more);
    }
  }
}

void note_index_failures(const State& state, std::int64_t index, json::value& pod) {
  std::int64_t failures = 0, ignored = 0;
  if (const auto last = state.last_failed.find(index); last != state.last_failed.end()) {
    failures = index_failures(*last->second, kIndexFailures);
    ignored = index_failures(*last->second, kIndexIgnoredFailures);
    ++(match_failure(state.job, *last->second).counts() ? failures : ignored);
  }
  api::set_annotation(pod, kIndexFailures, std::to_string(failures));
  if (ignored > 0) api::set_annotation(pod, kIndexIgnoredFailures, std::to_string(ignored));
}

}  // namespace

void release(const json::value& pod, Plan* plan) {
  json::value patch = json::object();
  set_path(patch, "metadata.uid", json::value(api::uid_of(pod)));
  make_object(patch, "metadata")["$deleteFromPrimitiveList/finalizers"] =
      json::array({json::value(kTracking)});
  plan->patch(gvr::kPods, pod, std::move(patch));
}

json::value new_pod(const State& state, std::int64_t index) {
  json::value pod = pod_from_template(state.job, get_object(state.job, "spec.template"));
  api::add_finalizer(pod, kTracking);
  if (index < 0) return pod;
  const std::string number = std::to_string(index);
  const std::string name(api::name_of(state.job));
  api::set_annotation(pod, kIndex, number);
  api::set_label(pod, kIndex, number);
  const size_t head = kGenerateNameMax - number.size() - 2;
  set_path(pod, "metadata.generateName",
           json::value(fmt::format("{}-{}-", name.substr(0, head), number)));
  set_path(pod, "spec.hostname", json::value(fmt::format("{}-{}", name, number)));
  add_index_variable(pod);
  if (state.per_index) note_index_failures(state, index, pod);
  return pod;
}

void keep_pods(const State& state, Plan* plan) {
  const auto active = static_cast<std::int64_t>(state.active.size());
  if (state.suspended()) return take_away(state.active, plan);
  const std::int64_t wanted = wanted_active(state);
  const auto victims = too_many(state, std::max<std::int64_t>(active - wanted, 0));
  if (!victims.empty()) return take_away(victims, plan);
  const std::int64_t held = replaces_ended_only(state.job) ? state.terminating : 0;
  const std::int64_t missing = std::min(wanted - held - active, kBurst);
  if (missing <= 0) return;
  if (!state.per_index) {
    const Duration left = backoff_left(state);
    if (left > Duration(0)) return plan->look_again(left);
  }
  if (state.indexed) {
    for (const std::int64_t index : next_indexes(state, missing, plan)) {
      make_pod(state, index, plan);
    }
    return;
  }
  for (std::int64_t i = 0; i < missing; ++i) make_pod(state, -1, plan);
}

void end_pods(const State& state, Plan* plan) {
  const auto most = std::min(state.active.size(), static_cast<size_t>(kBurst));
  for (size_t i = 0; i < most; ++i) remove_pod(*state.active[i], plan);
}

}  // namespace coracle::controllers::job
