#include "controllers/pods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::controllers {
namespace {

int phase_rank(const json::value& pod) {
  if (phase_of(pod) == "Running") return 2;
  return phase_of(pod) == "Unknown" ? 1 : 0;
}

std::int64_t deletion_cost(const json::value& pod) {
  long long cost = 0;
  const auto text = api::annotation_of(pod, "controller.kubernetes.io/pod-deletion-cost");
  return parse_int(text, &cost) ? cost : 0;
}

// Ages are compared by their power of two, so that young and old differ and equals do not.
int age_rank(std::optional<WallTime> since, WallTime now) {
  if (!since) return 0;
  const auto s = std::chrono::duration_cast<std::chrono::seconds>(now - *since).count();
  return s <= 0 ? 0 : std::bit_width(static_cast<std::uint64_t>(s));
}

struct Rank {
  bool bound, ready;
  int phase;
  std::int64_t cost, together, restarts;
  int ready_age, age;
};

Rank rank_of(const json::value& pod, const std::map<std::string, std::int64_t>& per_node,
             WallTime now) {
  Rank r{};
  const std::string node(get_string(pod, "spec.nodeName"));
  r.bound = !node.empty();
  r.phase = phase_rank(pod);
  r.ready = is_ready(pod);
  r.cost = deletion_cost(pod);
  const auto found = per_node.find(node);
  r.together = found == per_node.end() ? 0 : found->second;
  r.ready_age = r.ready ? age_rank(condition_since(pod, "Ready"), now) : 0;
  r.restarts = restarts_of(pod);
  r.age = age_rank(time_at(pod, "metadata.creationTimestamp"), now);
  return r;
}

bool goes_before(const Rank& a, const Rank& b) {
  if (a.bound != b.bound) return !a.bound;                           // 1
  if (a.phase != b.phase) return a.phase < b.phase;                  // 2
  if (a.ready != b.ready) return !a.ready;                           // 3
  if (a.cost != b.cost) return a.cost < b.cost;                      // 4
  if (a.together != b.together) return a.together > b.together;      // 5
  if (a.ready_age != b.ready_age) return a.ready_age < b.ready_age;  // 6
  if (a.restarts != b.restarts) return a.restarts > b.restarts;      // 7
  return a.age < b.age;                                              // 8
}

}  // namespace

std::string_view phase_of(const json::value& pod) { return get_string(pod, "status.phase"); }

bool has_ended(const json::value& pod) {
  return phase_of(pod) == "Succeeded" || phase_of(pod) == "Failed";
}

std::vector<std::string> index_ended(const json::value& pod) {
  if (!has_ended(pod) || is_deleting(pod)) return {};
  const bool evicted = phase_of(pod) == "Failed" && get_string(pod, "status.reason") == "Evicted";
  return {fmt::format("{}{}", evicted ? 0 : 1, api::creation_timestamp_of(pod)), kAllEnded};
}

std::optional<WallTime> time_at(const json::value& object, std::string_view path) {
  const auto time = parse_time(get_string(object, path));
  if (!time.ok()) return std::nullopt;
  return *time;
}

bool older_bound_first(const ObjectPtr& a, const ObjectPtr& b) {
  const bool bound_a = !get_string(*a, "spec.nodeName").empty();
  const bool bound_b = !get_string(*b, "spec.nodeName").empty();
  if (bound_a != bound_b) return bound_a;
  const auto ta = api::creation_timestamp_of(*a), tb = api::creation_timestamp_of(*b);
  return ta != tb ? ta < tb : api::name_of(*a) < api::name_of(*b);
}

bool is_deleting(const json::value& object) { return !api::deletion_timestamp_of(object).empty(); }
bool is_active(const json::value& pod) { return !has_ended(pod) && !is_deleting(pod); }
bool is_terminating(const json::value& pod) { return !has_ended(pod) && is_deleting(pod); }

const json::value* condition(const json::value& object, std::string_view type) {
  for (const json::value& c : get_array(object, "status.conditions")) {
    if (get_string(c, "type") == type) return &c;
  }
  return nullptr;
}

bool is_ready(const json::value& pod) {
  const json::value* c = condition(pod, "Ready");
  return c != nullptr && get_string(*c, "status") == "True";
}

std::optional<WallTime> condition_since(const json::value& object, std::string_view type) {
  const json::value* c = condition(object, type);
  if (c == nullptr) return std::nullopt;
  return time_at(*c, "lastTransitionTime");
}

bool is_available(const json::value& pod, std::int64_t min_ready_seconds, WallTime now,
                  std::optional<Duration>* wait) {
  if (!is_ready(pod)) return false;
  if (min_ready_seconds == 0) return true;
  const auto since = condition_since(pod, "Ready");
  if (!since) return false;
  const Duration left = *since + std::chrono::seconds(min_ready_seconds) - now;
  if (left <= Duration(0)) return true;
  if (wait != nullptr && (!*wait || left < **wait)) *wait = left;
  return false;
}

std::int64_t restarts_of(const json::value& pod) {
  std::int64_t most = 0;
  for (const json::value& c : get_array(pod, "status.containerStatuses")) {
    most = std::max(most, get_int(c, "restartCount"));
  }
  return most;
}

void sort_for_deletion(std::vector<ObjectPtr>& pods, const std::vector<ObjectPtr>& related,
                       WallTime now) {
  std::map<std::string, std::int64_t> per_node;
  for (const ObjectPtr& pod : related) {
    if (is_active(*pod)) ++per_node[std::string(get_string(*pod, "spec.nodeName"))];
  }
  std::vector<std::pair<Rank, ObjectPtr>> ranked;
  for (ObjectPtr& pod : pods) {
    Rank rank = rank_of(*pod, per_node, now);
    ranked.emplace_back(rank, std::move(pod));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return goes_before(a.first, b.first); });
  for (size_t i = 0; i < pods.size(); ++i) pods[i] = std::move(ranked[i].second);
}

Claim claim(Plan* plan, const World& world, const client::Gvr& gvr, const json::value& controller,
            const api::LabelSelector& selector,
            const std::function<bool(const json::value& object)>& also) {
  const std::string_view uid = api::uid_of(controller);
  auto candidates = world.of(gvr).by_index(kControllerIndex, std::string(uid));
  if (!is_deleting(controller)) {
    const std::string ns(api::namespace_of(controller));
    const auto orphans = orphans_for(world.of(gvr), ns, selector);
    const auto controlled = static_cast<std::ptrdiff_t>(candidates.size());
    candidates.insert(candidates.end(), orphans.begin(), orphans.end());
    std::inplace_merge(
        candidates.begin(), candidates.begin() + controlled, candidates.end(),
        [](const ObjectPtr& a, const ObjectPtr& b) { return api::name_of(*a) < api::name_of(*b); });
  }
  Claim result;
  for (ObjectPtr& object : candidates) {
    const bool selected = selector.matches(api::labels_of(*object)) && (!also || also(*object));
    const bool orphan = api::controller_of(*object) == nullptr;
    if (!orphan && !selected && !is_deleting(controller)) {
      json::value patch = *parse_json(fmt::format(
          R"({{"metadata":{{"uid":"{}","ownerReferences":[{{"$patch":"delete","uid":"{}"}}]}}}})",
          api::uid_of(*object), uid));
      plan->patch(gvr, *object, std::move(patch));
    }
    if (!selected || (orphan && is_deleting(*object))) continue;
    if (orphan) {
      json::value patch = json::object();
      set_path(patch, "metadata.uid", json::value(api::uid_of(*object)));
      json::array references;
      references.push_back(api::controller_reference(controller));
      set_path(patch, "metadata.ownerReferences", std::move(references));
      plan->patch(gvr, *object, std::move(patch));
    }
    result.owned.push_back(std::move(object));
  }
  return result;
}

void enqueue_owner(const json::value& object, std::string_view kind, const Enqueue& enqueue) {
  const json::value* owner = api::controller_of(object);
  if (owner == nullptr || get_string(*owner, "kind") != kind) return;
  enqueue(fmt::format("{}/{}", api::namespace_of(object), get_string(*owner, "name")));
}

void enqueue_owners(const World& world, const client::Gvr& owners, std::string_view kind,
                    const json::value* before, const json::value* after, const Enqueue& enqueue) {
  if (before != nullptr) enqueue_owner(*before, kind, enqueue);
  if (after == nullptr) return;
  enqueue_owner(*after, kind, enqueue);
  if (api::controller_of(*after) != nullptr) return;
  for (const ObjectPtr& owner : adopters_of(world.of(owners), *after)) {
    const auto selector = selector_of(*owner);
    if (selector.ok() && selector->matches(api::labels_of(*after))) {
      enqueue(client::object_key(*owner));
    }
  }
}

json::value pod_from_template(const json::value& controller, const json::value& pod_template) {
  json::value pod = json::object();
  json::object& root = pod.get_object();
  root["apiVersion"] = "v1";
  root["kind"] = "Pod";
  json::object metadata;
  for (const char* field : {"labels", "annotations", "finalizers"}) {
    if (const json::value* v = find_keys(pod_template, {"metadata", field})) metadata[field] = *v;
  }
  metadata["generateName"] = fmt::format("{}-", api::name_of(controller));
  metadata["namespace"] = api::namespace_of(controller);
  json::array references;
  references.push_back(api::controller_reference(controller));
  metadata["ownerReferences"] = std::move(references);
  root["metadata"] = std::move(metadata);
  if (const json::value* spec = find(pod_template, "spec")) root["spec"] = *spec;
  return pod;
}

}  // namespace coracle::controllers
