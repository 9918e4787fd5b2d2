// Snapshot: the world of one decision. The cache changes it between decisions; a decision is one
// synchronous call on the same strand, so what it reads stands still without a copy.
//
// Order: nodes are in the order in which they became known; an index is valid until the next
// removal. Pure data.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/selectors.hpp"
#include "framework/claims.hpp"
#include "framework/node_info.hpp"
#include "framework/nominations.hpp"
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
  std::vector<NodeInfo> nodes;
  std::map<std::string, json::object> namespace_labels;
  std::map<std::string, ClaimFacts> claims;  // by "namespace/name"
  std::map<std::string, DiskUse> volumes;    // PersistentVolumes that are disks, by name
  std::map<std::string, int> claim_pods;     // claim -> placed pods that use it
  Storage storage;                           // claims, volumes and classes, whole
  Reservations reservations;                 // of pods whose bind is under way
  std::map<std::string, int> image_nodes;    // normalised image -> nodes that have it
  WorkloadSelectors workloads;
  Nominations nominations;
  std::map<std::string, Budget> budgets;  // by "namespace/name"
  int known_nodes = 0;                    // of nodes, with facts
  int affinity_pods = 0;                  // placed pods with any pod (anti-)affinity
  int anti_affinity_pods = 0;             // placed pods with a required anti-affinity

  // Whether `term`, of a pod or for one, is about `pod`.
  bool matches(const PodTerm& term, const PodInfo& pod) const;
  // The disks a pod mounts: those it names itself, and those behind its bound claims.
  std::vector<const DiskUse*> disks_of(const PodInfo& pod) const;
  // A pod that uses claims came (+1) or went (-1).
  void count_claims(const PodInfo& pod, int sign);
};

}  // namespace coracle::scheduler
