#include "cycle/group_preemption.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

// The world as it will be when the pod is where it is to go.
void place(const PodInfo& pod, const std::string& node, const std::vector<PodPtr>& leaving,
           Snapshot& world) {
  const auto index = world.nodes.index_of(node);
  for (const PodPtr& victim : leaving) world.remove_pod(*index, victim->key);
  world.nominations.remove(pod.uid);
  world.add_pod(*index, placed_on(pod, node));
}

}  // namespace

std::optional<std::vector<GroupMember>> plan_for_group(const Profile& profile,
                                                       const Decision& first,
                                                       std::vector<PodPtr> waiting,
                                                       const Snapshot& world, Rotation rotation) {
  std::vector<GroupMember> members;
  const PodGroups::Group* group = world.groups.of(*first.pod);
  if (group == nullptr || !group->min_count) return members;
  std::int64_t missing = *group->min_count - group->placed - 1;
  if (missing <= 0) return members;
  Snapshot then = world;
  place(*first.pod, first.nominated, first.victims, then);
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const PodPtr& a, const PodPtr& b) { return a->priority > b->priority; });
  for (const PodPtr& pod : waiting) {
    if (missing == 0) break;
    const Decision decision = decide(profile, pod, then, rotation);
    const std::string& node = decision.node.empty() ? decision.nominated : decision.node;
    if (node.empty()) continue;
    place(*pod, node, decision.victims, then);
    members.push_back({pod, node, decision.victims});
    --missing;
  }
  return missing == 0 ? std::optional(std::move(members)) : std::nullopt;
}

}  // namespace coracle::scheduler
