#include "plugins/gang_scheduling.hpp"

#include <fmt/format.h>

namespace coracle::scheduler {
namespace {

std::string name_of_group(const PodInfo& pod) { return pod.group.substr(pod.ns.size() + 1); }

}  // namespace

Verdict GangScheduling::pre_enqueue(const PodInfo& pod, const Snapshot& world) const {
  if (pod.group.empty()) return Verdict::yes();
  const PodGroups::Group* group = world.groups.of(pod);
  if (group == nullptr || !group->known) {
    return Verdict::never(fmt::format(
        "waiting for pod's pod group \"{}\" to appear in scheduling queue", name_of_group(pod)));
  }
  if (!group->min_count || static_cast<std::int64_t>(group->members.size()) >= *group->min_count) {
    return Verdict::yes();
  }
  return Verdict::never("waiting for minCount pods from a gang to appear in scheduling queue");
}

// The pod itself counts on its node already.
Permission GangScheduling::permit(const PodInfo& pod, const std::string&,
                                  const Snapshot& world) const {
  const PodGroups::Group* group = world.groups.of(pod);
  if (group == nullptr || !group->min_count || group->placed >= *group->min_count) return {};
  return {Verdict::not_now(fmt::format("minCount ({}) is not yet satisfied: {} scheduled",
                                       *group->min_count, group->placed)),
          wait_};
}

// While as many as are needed have not failed, one failure is not the group's.
bool GangScheduling::falls_with(const PodInfo& waiting, const PodInfo& failed,
                                const Snapshot& world) const {
  if (waiting.group.empty() || waiting.group != failed.group) return false;
  const PodGroups::Group* group = world.groups.of(waiting);
  return group != nullptr && group->min_count &&
         static_cast<std::int64_t>(group->members.size() - group->failed.size()) <
             *group->min_count;
}

bool GangScheduling::helps(const PodInfo& pod, const Change& change) const {
  if (change.pod != nullptr) return change.pod->group != pod.group || pod.group.empty();
  return true;
}

}  // namespace coracle::scheduler
