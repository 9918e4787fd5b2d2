// PodGroups: the groups of pods that are to be placed all or none (PodGroup of
// scheduling.k8s.io/v1alpha2, named by spec.schedulingGroup.podGroupName of its pods), and how far
// each is. Owner: the Snapshot, which counts the placed ones; the driver tells it of the others.
// Bound: the PodGroups there are and the groups that pods name. Pure data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "framework/pod_info.hpp"

namespace coracle::scheduler {

class PodGroups {
 public:
  // What a PodGroup asks for; nothing: its pods are scheduled one by one.
  using MinCount = std::optional<std::int64_t>;
  static MinCount parse(const json::value& group);

  struct Group {
    bool known = false;  // there is such a PodGroup
    MinCount min_count;
    std::set<std::string> members;  // uids of its pods, waiting and placed
    std::set<std::string> failed;   // those of them that found no node when last tried
    std::int64_t placed = 0;        // that count on a node
  };

  void set(const std::string& key, MinCount min_count);
  void remove(const std::string& key);
  // A pod is there, or gone. Nothing for pods without a group.
  bool see(const PodInfo& pod);  // whether it is new in its group
  void lose(const PodInfo& pod);
  void count_placed(const PodInfo& pod, int sign);
  void fail(const PodInfo& pod);
  // The waiting ones gave up: the next try begins anew.
  void forget_failures(const PodInfo& pod);

  // Of the pod's group; null: it has none, or nobody told of it.
  const Group* of(const PodInfo& pod) const;

 private:
  void drop_if_empty(const std::string& key);
  std::map<std::string, Group> groups_;  // by "namespace/name"
};

}  // namespace coracle::scheduler
