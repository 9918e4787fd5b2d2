#include "framework/pod_groups.hpp"

#include "base/check.hpp"

namespace coracle::scheduler {

PodGroups::MinCount PodGroups::parse(const json::value& group) {
  const json::value* gang = find(group, "spec.schedulingPolicy.gang");
  if (gang == nullptr || !gang->is_object()) return std::nullopt;
  return get_int(*gang, "minCount", 1);
}

void PodGroups::set(const std::string& key, MinCount min_count) {
  Group& group = groups_[key];
  group.known = true;
  group.min_count = min_count;
}

void PodGroups::remove(const std::string& key) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  found->second.known = false;
  found->second.min_count.reset();
  drop_if_empty(key);
}

bool PodGroups::see(const PodInfo& pod) {
  return !pod.group.empty() && groups_[pod.group].members.insert(pod.uid).second;
}

void PodGroups::lose(const PodInfo& pod) {
  if (pod.group.empty()) return;
  const auto found = groups_.find(pod.group);
  if (found == groups_.end()) return;
  found->second.members.erase(pod.uid);
  found->second.failed.erase(pod.uid);
  drop_if_empty(pod.group);
}

void PodGroups::count_placed(const PodInfo& pod, int sign) {
  if (pod.group.empty()) return;
  Group& group = groups_[pod.group];
  group.placed += sign;
  group.failed.erase(pod.uid);
  CHECK_MSG(group.placed >= 0, "group " << pod.group << " has less than no pods");
  drop_if_empty(pod.group);
}

void PodGroups::fail(const PodInfo& pod) {
  const auto found = groups_.find(pod.group);
  if (found != groups_.end()) found->second.failed.insert(pod.uid);
}

void PodGroups::forget_failures(const PodInfo& pod) {
  const auto found = groups_.find(pod.group);
  if (found != groups_.end()) found->second.failed.clear();
}

const PodGroups::Group* PodGroups::of(const PodInfo& pod) const {
  const auto found = pod.group.empty() ? groups_.end() : groups_.find(pod.group);
  return found == groups_.end() ? nullptr : &found->second;
}

void PodGroups::drop_if_empty(const std::string& key) {
  const auto found = groups_.find(key);
  const Group& group = found->second;
  if (!group.known && group.members.empty() && group.placed == 0) groups_.erase(found);
}

}  // namespace coracle::scheduler
