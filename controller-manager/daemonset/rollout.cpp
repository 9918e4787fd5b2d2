#include "daemonset/rollout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/int_or_percent.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"

namespace coracle::controllers::daemon_set {
namespace {

constexpr char kRolling[] = "spec.updateStrategy.rollingUpdate.";

// The one pod of each age on a node; `clear` is false while there are more.
struct Pair {
  ObjectPtr fresh, old;
  bool clear = true;
};

Pair pair_on(const View& view, const std::vector<ObjectPtr>& pods) {
  Pair pair;
  for (const ObjectPtr& pod : pods) {
    if (is_deleting(*pod)) continue;
    ObjectPtr& slot = view.is_updated(*pod) ? pair.fresh : pair.old;
    if (slot != nullptr) return {nullptr, nullptr, false};
    slot = pod;
  }
  return pair;
}

// True if an ended pod must go now.
bool must_go(const View& view, const std::string& node, const json::value& pod, Plan* plan) {
  const auto told = [&](const char* state, const char* what) {
    return fmt::format("Found {} daemon pod {}/{} on node {}, will try to {} it", state,
                       api::namespace_of(pod), api::name_of(pod), node, what);
  };
  if (phase_of(pod) == "Succeeded") {
    plan->note("SucceededDaemonPod", told("succeeded", "delete"));
    return true;
  }
  const auto created = time_at(pod, "metadata.creationTimestamp");
  const Duration left = created ? *created + kFailedRest - view.now.wall : Duration(0);
  if (left > Duration(0)) {
    plan->look_again(left);
    return false;
  }
  plan->warn("FailedDaemonPod", told("failed", "kill"));
  return true;
}

// With surge a node may have two: the oldest new one and the oldest old one, until the new one is
// available, or the old one not ready any more.
void thin_out_surged(const View& view, const std::vector<ObjectPtr>& running, Changes* changes) {
  ObjectPtr fresh, old;
  for (const ObjectPtr& pod : running) {
    ObjectPtr& slot = api::label_of(*pod, kRevisionLabel) == view.hash ? fresh : old;
    if (slot == nullptr) {
      slot = pod;
    } else {
      changes->remove.push_back(pod);
    }
  }
  if (fresh == nullptr || old == nullptr) return;
  if (!is_ready(*old) || view.is_available(*fresh)) changes->remove.push_back(old);
}

void repair_node(const View& view, const std::string& node, const std::vector<ObjectPtr>& pods,
                 Plan* plan, Changes* changes) {
  std::vector<ObjectPtr> running;
  for (const ObjectPtr& pod : pods) {
    if (is_deleting(*pod)) continue;
    if (!has_ended(*pod)) {
      running.push_back(pod);
    } else if (must_go(view, node, *pod, plan)) {
      changes->remove.push_back(pod);
    }
  }
  if (running.size() < 2) return;
  std::sort(running.begin(), running.end(), older_bound_first);
  if (view.max_surge(view.desired()) > 0) return thin_out_surged(view, running, changes);
  changes->remove.insert(changes->remove.end(), running.begin() + 1, running.end());
}

void take(std::vector<ObjectPtr> candidates, std::int64_t most, std::vector<ObjectPtr>* out) {
  const auto n = std::min<std::int64_t>(std::max<std::int64_t>(most, 0),
                                        static_cast<std::int64_t>(candidates.size()));
  out->insert(out->end(), candidates.begin(), candidates.begin() + n);
}

// Old pods make room: those that serve nobody at once, others as far as maxUnavailable allows.
Changes roll_by_removal(const View& view, std::int64_t max_unavailable) {
  Changes changes;
  std::int64_t unavailable = 0;
  std::vector<ObjectPtr> candidates;
  for (const auto& [node, pods] : view.by_node) {
    const Pair pair = pair_on(view, pods);
    if (!pair.clear || (pair.fresh == nullptr) == (pair.old == nullptr)) {
      ++unavailable;  // repair has work there
    } else if (pair.fresh != nullptr) {
      if (!view.is_available(*pair.fresh)) ++unavailable;
    } else if (!view.is_available(*pair.old)) {
      ++unavailable;
      changes.remove.push_back(pair.old);
    } else {
      candidates.push_back(pair.old);
    }
  }
  for (const auto& [node, fit] : view.nodes) {
    if (fit.run && !view.by_node.contains(node)) ++unavailable;
  }
  take(std::move(candidates), max_unavailable - unavailable, &changes.remove);
  return changes;
}

// New pods come first, beside old ones, as far as maxSurge allows.
Changes roll_by_surge(const View& view, std::int64_t max_surge) {
  Changes changes;
  std::int64_t surged = 0;
  std::vector<std::string> candidates;
  for (const auto& [node, pods] : view.by_node) {
    const Pair pair = pair_on(view, pods);
    if (!pair.clear) {
      ++surged;
    } else if (pair.old == nullptr) {
      continue;
    } else if (pair.fresh != nullptr) {
      ++surged;
      if (view.is_available(*pair.fresh)) changes.remove.push_back(pair.old);
    } else {
      const auto fit = view.nodes.find(node);
      const bool run = fit != view.nodes.end() && fit->second.run;
      if (view.is_available(*pair.old)) {
        if (run) candidates.push_back(node);
      } else if (run) {
        changes.create_on.push_back(node);  // replaces nothing that serves
      } else {
        changes.remove.push_back(pair.old);
      }
    }
  }
  const auto room = static_cast<size_t>(std::max<std::int64_t>(max_surge - surged, 0));
  if (candidates.size() > room) candidates.resize(room);
  changes.create_on.insert(changes.create_on.end(), candidates.begin(), candidates.end());
  return changes;
}

}  // namespace

bool View::is_updated(const json::value& pod) const {
  return api::label_of(pod, kRevisionLabel) == hash;
}

bool View::is_available(const json::value& pod) const {
  return controllers::is_available(pod, get_int(set, "spec.minReadySeconds"), now.wall);
}

std::int64_t View::desired() const {
  return std::count_if(nodes.begin(), nodes.end(), [](const auto& n) { return n.second.run; });
}

std::int64_t View::max_surge(std::int64_t desired) const {
  if (get_string(set, "spec.updateStrategy.type") == "OnDelete") return 0;
  return resolve_int_or_percent(find(set, std::string(kRolling) + "maxSurge"), desired, true, 0);
}

std::int64_t View::max_unavailable(std::int64_t desired) const {
  const std::int64_t n =
      resolve_int_or_percent(find(set, std::string(kRolling) + "maxUnavailable"), desired, true, 1);
  // Neither of both would never move.
  return n == 0 && max_surge(desired) == 0 ? 1 : n;
}

Changes repair(const View& view, Plan* plan) {
  Changes changes;
  for (const auto& [node, fit] : view.nodes) {
    const auto found = view.by_node.find(node);
    if (found == view.by_node.end()) {
      if (fit.run) changes.create_on.push_back(node);
    } else if (fit.stay) {
      repair_node(view, node, found->second, plan, &changes);
    } else {
      for (const ObjectPtr& pod : found->second) {
        if (!is_deleting(*pod)) changes.remove.push_back(pod);
      }
    }
  }
  // Meant for a node that is gone: nobody will ever bind them.
  for (const auto& [node, pods] : view.by_node) {
    if (view.nodes.contains(node)) continue;
    for (const ObjectPtr& pod : pods) {
      if (get_string(*pod, "spec.nodeName").empty() && !is_deleting(*pod)) {
        changes.remove.push_back(pod);
      }
    }
  }
  return changes;
}

Changes roll(const View& view) {
  const std::int64_t desired = view.desired();
  const std::int64_t surge = view.max_surge(desired);
  return surge > 0 ? roll_by_surge(view, surge)
                   : roll_by_removal(view, view.max_unavailable(desired));
}

}  // namespace coracle::controllers::daemon_set
