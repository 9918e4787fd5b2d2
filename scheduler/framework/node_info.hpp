// NodeInfo: a node as the scheduler sees it: what it has (NodeFacts, from the Node object) and what
// its pods use, kept up to date pod by pod.
//
// Owner: the cache's Snapshot. Invariant: used, scoring_used are sums over pods.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
  int gpus = 0;                                       // devices
  std::string gpu_model;
  std::set<std::string> features;  // status.declaredFeatures

  // The node's domain under a topology key (the value of that label).
  std::optional<std::string_view> topology(std::string_view key) const;
  api::NodeLabels selectable() const { return {&labels, name}; }
};
std::shared_ptr<const NodeFacts> parse_node(const json::value& node);

class NodeInfo {
 public:
  static constexpr std::uint32_t kNoSlot = 0xffff'ffff;
  explicit NodeInfo(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  // Where the NodeTable has it; a copy keeps it. kNoSlot: in none.
  std::uint32_t slot() const { return slot_; }
  // Null while the Node object is unknown: pods name it, nothing may be placed on it.
  const std::shared_ptr<const NodeFacts>& facts_ptr() const { return facts_; }
  const NodeFacts& facts() const { return *facts_; }
  bool known() const { return facts_ != nullptr; }
  void set_facts(std::shared_ptr<const NodeFacts> facts);

  const std::vector<PodPtr>& pods() const { return pods_; }
  const Resources& used() const { return used_; }
  std::int64_t cpu_free() const { return facts_->allocatable.cpu_milli - used_.cpu_milli; }
  const Resources& scoring_used() const { return scoring_used_; }
  // What its pods leave of its devices. Who was given none counts on the tightest that fit.
  const GpuUse& gpus() const { return gpus_; }
  bool port_clash(const std::vector<HostPort>& wanted) const;

  void add(PodPtr pod);
  // CHECKs that it is there.
  PodPtr remove(const std::string& key);

 private:
  friend class NodeTable;
  void count(const PodInfo& pod, int sign);
  void count_gpus();

  std::string name_;
  std::uint32_t slot_ = kNoSlot;
  std::shared_ptr<const NodeFacts> facts_;
  std::vector<PodPtr> pods_;
  Resources used_, scoring_used_;
  GpuUse gpus_;
  int port_pods_ = 0;
};

}  // namespace coracle::scheduler
