#include "deployment/rollout.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::deployment {
namespace {

std::int64_t available(const json::value& rs) { return status_number(rs, "availableReplicas"); }

// Old pods that do not work go first: they cost no availability. At most `limit`.
std::int64_t drop_unhealthy(const std::vector<ObjectPtr>& old, std::int64_t limit,
                            std::map<std::string, std::int64_t>* sizes) {
  std::int64_t dropped = 0;
  for (const ObjectPtr& rs : old) {
    if (dropped >= limit) break;
    const std::int64_t size = (*sizes)[std::string(api::name_of(*rs))];
    const std::int64_t bad = std::min(size, spec_replicas(*rs) - available(*rs));
    const std::int64_t now = std::min(limit - dropped, std::max<std::int64_t>(bad, 0));
    (*sizes)[std::string(api::name_of(*rs))] -= now;
    dropped += now;
  }
  return dropped;
}

void shrink_old(const View& view, Plan* plan) {
  const std::vector<ObjectPtr> old = view.old_with_pods();
  if (old.empty()) return;
  const std::int64_t min_available = view.desired() - view.max_unavailable();
  const std::int64_t new_unavailable = spec_replicas(*view.current) - available(*view.current);
  const std::int64_t limit = sum_spec(view.all) - min_available - new_unavailable;
  if (limit <= 0) return;
  std::map<std::string, std::int64_t> sizes;
  for (const ObjectPtr& rs : old) sizes[std::string(api::name_of(*rs))] = spec_replicas(*rs);
  const std::int64_t unhealthy = drop_unhealthy(old, limit, &sizes);

  // Then healthy ones, as far as enough stay available.
  std::int64_t spare = sum_status(view.all, "availableReplicas") - min_available;
  spare = std::min(spare, limit - unhealthy);
  for (const ObjectPtr& rs : old) {
    if (spare <= 0) break;
    std::int64_t& size = sizes[std::string(api::name_of(*rs))];
    const std::int64_t now = std::min(size, spare);
    size -= now;
    spare -= now;
  }
  for (const ObjectPtr& rs : old) scale(view, rs, sizes[std::string(api::name_of(*rs))], plan);
}

std::vector<ObjectPtr> active_sets(const View& view) {
  std::vector<ObjectPtr> sets = view.old_with_pods();
  if (view.current && spec_replicas(*view.current) > 0) sets.push_back(view.current);
  return sets;
}

std::int64_t annotated(const json::value& rs, std::string_view key, std::int64_t fallback) {
  long long n = 0;
  return parse_int(api::annotation_of(rs, key), &n) ? n : fallback;
}

// The share of `change` that falls to this ReplicaSet, by its part of the whole before.
std::int64_t share(const View& view, const json::value& rs, std::int64_t change) {
  const std::int64_t before = annotated(rs, kMax, status_number(view.deployment, "replicas"));
  if (before <= 0) return 0;
  const std::int64_t after = view.desired() + view.max_surge();
  const double exact = static_cast<double>(spec_replicas(rs)) * static_cast<double>(after) /
                       static_cast<double>(before);
  const auto part = static_cast<std::int64_t>(std::lround(exact)) - spec_replicas(rs);
  return change > 0 ? std::clamp<std::int64_t>(part, 0, change)
                    : std::clamp<std::int64_t>(part, change, 0);
}

}  // namespace

bool is_scaling_event(const View& view) {
  for (const ObjectPtr& rs : active_sets(view)) {
    const std::int64_t desired = annotated(*rs, kDesired, -1);
    if (desired >= 0 && desired != view.desired()) return true;
  }
  return false;
}

void rolling_update(const View& view, Plan* plan) {
  const std::int64_t replicas =
      spec_replicas(*view.current) > view.desired() ? view.desired() : new_replicas(view);
  if (scale(view, view.current, replicas, plan)) return;
  shrink_old(view, plan);
}

void recreate(const View& view, const std::vector<ObjectPtr>& pods, Plan* plan) {
  bool shrunk = false;
  for (const ObjectPtr& rs : view.old_with_pods()) shrunk = scale(view, rs, 0, plan) || shrunk;
  if (shrunk) return;
  for (const ObjectPtr& pod : pods) {
    const std::string_view phase = get_string(*pod, "status.phase");
    const json::value* owner = api::controller_of(*pod);
    const bool is_old = view.current == nullptr || owner == nullptr ||
                        get_string(*owner, "uid") != api::uid_of(*view.current);
    if (is_old && phase != "Succeeded" && phase != "Failed") return;  // its end comes as an event
  }
  if (view.current == nullptr) {
    ensure_current(view, plan);
  } else {
    scale(view, view.current, view.desired(), plan);
  }
}

void scale_in_proportion(const View& view, Plan* plan) {
  std::vector<ObjectPtr> active = active_sets(view);
  // One ReplicaSet has it all (or there is one to give it all to): no proportions to keep.
  if (active.size() <= 1) {
    const ObjectPtr only = !active.empty() ? active[0] : view.current;
    if (only) scale(view, only, view.desired(), plan);
    return;
  }
  const bool saturated = view.current && spec_replicas(*view.current) == view.desired() &&
                         annotated(*view.current, kDesired, -1) == view.desired() &&
                         available(*view.current) == view.desired();
  if (saturated) {
    for (const ObjectPtr& rs : view.old_with_pods()) scale(view, rs, 0, plan);
    return;
  }
  if (!view.rolling()) return;
  const std::int64_t total = sum_spec(active);
  const std::int64_t allowed = view.desired() > 0 ? view.desired() + view.max_surge() : 0;
  const std::int64_t change = allowed - total;
  // Larger ones first, so that rounding falls to them; newer before older when growing.
  std::stable_sort(active.begin(), active.end(), [&](const ObjectPtr& a, const ObjectPtr& b) {
    if (spec_replicas(*a) != spec_replicas(*b)) return spec_replicas(*a) > spec_replicas(*b);
    const auto ta = api::creation_timestamp_of(*a), tb = api::creation_timestamp_of(*b);
    return change > 0 ? ta > tb : ta < tb;
  });
  std::vector<std::int64_t> sizes;
  std::int64_t given = 0;
  for (const ObjectPtr& rs : active) {
    const std::int64_t part = change == 0 ? 0 : share(view, *rs, change - given);
    sizes.push_back(spec_replicas(*rs) + part);
    given += part;
  }
  if (!sizes.empty()) sizes[0] = std::max<std::int64_t>(0, sizes[0] + change - given);
  for (size_t i = 0; i < active.size(); ++i) scale(view, active[i], sizes[i], plan);
}

}  // namespace coracle::controllers::deployment
