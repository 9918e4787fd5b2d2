#include "disruption/disruption.hpp"

#include <algorithm>
#include <map>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "controllers/int_or_percent.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr Duration kEvictionSeen = std::chrono::minutes(2);

std::vector<ObjectPtr> selected_pods(const World& world, const json::value& budget) {
  std::vector<ObjectPtr> pods;
  const auto selector = api::LabelSelector::from_object(find(budget, "spec.selector"));
  if (!selector.ok()) return pods;
  for (ObjectPtr& pod : world.in_namespace(gvr::kPods, std::string(api::namespace_of(budget)))) {
    if (selector->matches(api::labels_of(*pod)) && is_active(*pod)) pods.push_back(std::move(pod));
  }
  return pods;
}

// How many replicas a controller wants: its own spec, or its Deployment's.
std::int64_t wanted_by(const World& world, const json::value& pod, std::string* controller_uid) {
  const json::value* owner = api::controller_of(pod);
  if (owner == nullptr) return -1;
  const std::string ns(api::namespace_of(pod)), name(get_string(*owner, "name"));
  const bool stateful = get_string(*owner, "kind") == "StatefulSet";
  ObjectPtr object = world.get(stateful ? gvr::kStatefulSets : gvr::kReplicaSets, ns, name);
  if (object == nullptr) return -1;
  if (const json::value* above = api::controller_of(*object)) {
    if (ObjectPtr d = world.get(gvr::kDeployments, ns, std::string(get_string(*above, "name")))) {
      object = d;
    }
  }
  *controller_uid = api::uid_of(*object);
  return get_int(*object, "spec.replicas", 1);
}

std::int64_t expected_pods(const World& world, const std::vector<ObjectPtr>& pods) {
  std::map<std::string, std::int64_t> wanted;
  for (const ObjectPtr& pod : pods) {
    std::string uid;
    const std::int64_t n = wanted_by(world, *pod, &uid);
    if (n >= 0) wanted[uid] = n;
  }
  std::int64_t sum = 0;
  for (const auto& [uid, n] : wanted) sum += n;
  return sum;
}

struct Counts {
  std::int64_t expected = 0, desired = 0;
};

Counts count(const World& world, const json::value& budget, const std::vector<ObjectPtr>& pods) {
  Counts c;
  if (const json::value* max = find(budget, "spec.maxUnavailable")) {
    c.expected = expected_pods(world, pods);
    c.desired =
        std::max<std::int64_t>(0, c.expected - resolve_int_or_percent(max, c.expected, true, 0));
  } else if (const json::value* min = find(budget, "spec.minAvailable")) {
    c.expected =
        min->is_int64() ? static_cast<std::int64_t>(pods.size()) : expected_pods(world, pods);
    c.desired = resolve_int_or_percent(min, c.expected, true, 0);
  }
  return c;
}

// Evicted pods whose deletion is not seen yet still count as disrupted, for a while.
json::object still_disrupted(const json::value& budget, const std::vector<ObjectPtr>& pods,
                             Instant now, Plan* plan) {
  json::object left;
  for (const auto& [name, time] : get_object(budget, "status.disruptedPods")) {
    const auto at = parse_time(time.is_string() ? std::string_view(time.get_string()) : "");
    if (!at.ok() || now.wall - *at > kEvictionSeen) continue;
    const bool there = std::any_of(pods.begin(), pods.end(), [&, n = name](const ObjectPtr& p) {
      return api::name_of(*p) == std::string_view(n);
    });
    if (!there) continue;
    left[name] = time;
    plan->look_again(*at + kEvictionSeen - now.wall);
  }
  return left;
}

}  // namespace

void DisruptionController::touched(const World& world, const client::Gvr& gvr,
                                   const json::value* before, const json::value* after,
                                   const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kPodDisruptionBudgets) return enqueue(client::object_key(object));
  for (const ObjectPtr& budget :
       world.in_namespace(gvr::kPodDisruptionBudgets, std::string(api::namespace_of(object)))) {
    const auto selector = api::LabelSelector::from_object(find(*budget, "spec.selector"));
    // A controller's size may matter to any budget of its namespace.
    if (gvr != gvr::kPods || (selector.ok() && selector->matches(api::labels_of(object)))) {
      enqueue(client::object_key(*budget));
    }
  }
}

Plan DisruptionController::reconcile(const World& world, const std::string& key,
                                     Instant now) const {
  Plan plan;
  const auto [ns, budget_name] = split_key(key);
  const ObjectPtr budget = world.get(gvr::kPodDisruptionBudgets, ns, budget_name);
  if (budget == nullptr) return plan;
  plan.about = budget;
  const auto pods = selected_pods(world, *budget);
  const Counts counts = count(world, *budget, pods);
  const json::object disrupted = still_disrupted(*budget, pods, now, &plan);
  std::int64_t healthy = 0;
  for (const ObjectPtr& pod : pods) {
    if (is_ready(*pod) && !disrupted.contains(api::name_of(*pod))) ++healthy;
  }
  const std::int64_t allowed =
      counts.expected == 0 ? 0 : std::max<std::int64_t>(0, healthy - counts.desired);

  json::value changed = *budget;
  json::object& status = make_object(changed, "status");
  const json::value before = status;
  status["currentHealthy"] = healthy;
  status["desiredHealthy"] = counts.desired;
  status["disruptionsAllowed"] = allowed;
  status["expectedPods"] = counts.expected;
  status["observedGeneration"] = api::generation_of(*budget);
  if (disrupted.empty())
    status.erase("disruptedPods");
  else
    status["disruptedPods"] = disrupted;
  const json::value* old = condition(*budget, "DisruptionAllowed");
  const char* state = allowed > 0 ? "True" : "False";
  if (old == nullptr || get_string(*old, "status") != state) {
    json::object c;
    c["lastTransitionTime"] = format_time(now.wall);
    c["message"] = "";
    c["observedGeneration"] = api::generation_of(*budget);
    c["reason"] = allowed > 0 ? "SufficientPods" : "InsufficientPods";
    c["status"] = state;
    c["type"] = "DisruptionAllowed";
    json::array conditions;
    conditions.push_back(std::move(c));
    status["conditions"] = std::move(conditions);
  }
  if (json::value(status) != before) {
    plan.update_status(gvr::kPodDisruptionBudgets, std::move(changed));
  }
  return plan;
}

}  // namespace coracle::controllers
