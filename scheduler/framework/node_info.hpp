// NodeInfo: a node as the scheduler sees it: what it has (NodeFacts, from the Node object) and what
// its pods use, kept up to date pod by pod.
//
// Owner: the cache's Snapshot. Invariant: used, scoring_used, affinity counts are sums over pods.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/pod_info.hpp"

namespace coracle::scheduler {

struct NodeFacts {
  std::string name;
  json::object labels;
  bool unschedulable = false;
  std::vector<api::Taint> taints;
  Resources allocatable;
  std::int64_t pods_max = 0;
  std::map<std::string, std::int64_t> volume_limits;  // "attachable-volumes-..." -> count
  std::map<std::string, std::int64_t> images;         // normalised name -> bytes

  // The node's domain under a topology key (the value of that label).
  std::optional<std::string_view> topology(std::string_view key) const;
  api::NodeLabels selectable() const { return {&labels, name}; }
};
std::shared_ptr<const NodeFacts> parse_node(const json::value& node);

class NodeInfo {
 public:
  explicit NodeInfo(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  // Null while the Node object is unknown: pods name it, nothing may be placed on it.
  const std::shared_ptr<const NodeFacts>& facts_ptr() const { return facts_; }
  const NodeFacts& facts() const { return *facts_; }
  bool known() const { return facts_ != nullptr; }
  void set_facts(std::shared_ptr<const NodeFacts> facts) { facts_ = std::move(facts); }

  const std::vector<PodPtr>& pods() const { return pods_; }
  const Resources& used() const { return used_; }
  const Resources& scoring_used() const { return scoring_used_; }
  int affinity_pods() const { return affinity_pods_; }
  int anti_affinity_pods() const { return anti_affinity_pods_; }
  bool port_clash(const std::vector<HostPort>& wanted) const;

  void add(PodPtr pod);
  // CHECKs that it is there.
  void remove(const std::string& key);

 private:
  void count(const PodInfo& pod, int sign);

  std::string name_;
  std::shared_ptr<const NodeFacts> facts_;
  std::vector<PodPtr> pods_;
  Resources used_, scoring_used_;
  int affinity_pods_ = 0;       // with any pod (anti-)affinity
  int anti_affinity_pods_ = 0;  // with a required anti-affinity
  int port_pods_ = 0;
};

}  // namespace coracle::scheduler
