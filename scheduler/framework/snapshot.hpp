// Snapshot: the world of one decision. The cache changes it between decisions; a decision is one
// synchronous call on the same strand, so what it reads stands still without a copy.
//
// Nodes and their pods change by its functions only, which keep the sums over the cluster right.
// What decisions computed of it and may need again (`counts`, `shared`) is kept beside it; it says
// nothing that the rest does not. A copy is a world of its own. Pure data; one strand, reading
// included.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/selectors.hpp"
#include "framework/claims.hpp"
#include "framework/devices.hpp"
#include "framework/node_table.hpp"
#include "framework/nominations.hpp"
#include "framework/pod_counts.hpp"
#include "framework/pod_groups.hpp"
#include "framework/shared_work.hpp"
#include "framework/storage.hpp"

namespace coracle::scheduler {

// What selects a pod besides itself: its services and its controller. For default spreading.
struct WorkloadSelectors {
  // By namespace, then name.
  std::map<std::string, std::map<std::string, api::LabelSelector>> services;
  // By "kind/namespace/name".
  std::map<std::string, api::LabelSelector> controllers;

  // All that select `pod`, joined; nothing() when there is none.
  api::LabelSelector of(const PodInfo& pod) const;
};

// What of a PodDisruptionBudget forbids a pod to be made leave.
struct Budget {
  std::string ns;
  api::LabelSelector selector;
  std::int64_t allowed = 0;       // status.disruptionsAllowed
  std::set<std::string> leaving;  // status.disruptedPods: counted already
};
Budget parse_budget(const json::value& budget);

class Snapshot {
 public:
  NodeTable nodes;
  std::map<std::string, ClaimFacts> claims;  // by "namespace/name"
  std::map<std::string, DiskUse> volumes;    // PersistentVolumes that are disks, by name
  std::map<std::string, int> claim_pods;     // claim -> placed pods that use it
  Storage storage;                           // claims, volumes and classes, whole
  DeviceWorld devices;                       // of resource.k8s.io
  Reservations reservations;                 // of pods whose bind is under way
  std::map<std::string, int> image_nodes;    // normalised image -> nodes that have it
  WorkloadSelectors workloads;
  Nominations nominations;
  PodGroups groups;
  std::map<std::string, Budget> budgets;  // by "namespace/name"

  // Not there yet, with facts; it may have pods.
  void add_node(NodeInfo node);
  NodeInfo remove_node(std::uint32_t index);
  void set_facts(std::uint32_t index, std::shared_ptr<const NodeFacts> facts);
  void add_pod(std::uint32_t index, PodPtr pod);
  // CHECKs that it is there.
  void remove_pod(std::uint32_t index, const std::string& key);
  // Null: there is no such namespace.
  void set_namespace(const std::string& name, const json::object* labels);

  PodCounts& counts() const { return counts_; }
  SharedWork& shared() const { return shared_; }

  // Whether `term`, of a pod or for one, is about `pod`.
  bool matches(const PodTerm& term, const PodInfo& pod) const;
  // The disks a pod mounts: those it names itself, and those behind its bound claims.
  std::vector<const DiskUse*> disks_of(const PodInfo& pod) const;
  // A pod that uses claims came (+1) or went (-1).
  void count_claims(const PodInfo& pod, int sign);

 private:
  void count_images(const NodeFacts& facts, int sign);

  std::map<std::string, json::object> namespace_labels_;
  mutable PodCounts counts_;
  mutable SharedWork shared_;
};

}  // namespace coracle::scheduler
