// PodInfo: what the scheduler needs of a Pod, parsed once; decisions never walk JSON. Immutable,
// shared. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/node_selector.hpp"
#include "api/selectors.hpp"
#include "api/taints.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "framework/device_claims.hpp"
#include "framework/gpus.hpp"
#include "framework/resources.hpp"

namespace coracle::scheduler {

struct HostPort {
  std::string ip, protocol;  // "0.0.0.0": every address
  std::int64_t port = 0;
  bool clashes(const HostPort& other) const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// A disk that the pod names itself (not through a claim).
struct DiskUse {
  enum class Kind : std::uint8_t { kGce, kEbs, kRbd, kIscsi, kAzure, kCinder };
  Kind kind = Kind::kGce;
  std::string id;                     // what makes two disks one
  std::vector<std::string> monitors;  // rbd: one in common is enough
  bool read_only = false;
};

// A term of pod affinity or anti-affinity.
struct PodTerm {
  api::LabelSelector selector;
  std::vector<std::string> namespaces;  // sorted
  bool by_namespace_labels = false;
  api::LabelSelector namespace_selector;
  std::string topology_key;
  std::int64_t weight = 0;  // of a preferred one
  friend std::strong_ordering operator<=>(const PodTerm&, const PodTerm&);
  friend bool operator==(const PodTerm& a, const PodTerm& b) { return (a <=> b) == 0; }
};

struct SpreadConstraint {
  std::string topology_key;
  std::int64_t max_skew = 1, min_domains = 1;
  bool hard = true;  // DoNotSchedule
  api::LabelSelector selector;
  bool honor_node_affinity = true, honor_taints = false;
};

// What plugins that see one node at a time read of a pod (Plugin::sees_one_node): their answers are
// shared by pods of equal shape.
struct PodShape {
  std::string node_name;  // empty: not placed
  Resources requests, scoring_requests;
  std::vector<HostPort> host_ports;
  std::vector<api::Toleration> tolerations;
  std::string node_rules;  // the JSON of required_nodes and preferred_nodes, which it stands for
  bool tolerates_as(const PodShape& other) const;  // the same, in the same order
  friend bool operator==(const PodShape&, const PodShape&);
};

struct PodInfo : PodShape {
  std::string key;  // "namespace/name"
  std::string ns, name, uid;
  std::string scheduler_name;
  std::int64_t priority = 0;
  bool preempts = true;  // preemptionPolicy is not Never
  bool deleting = false, finished = false;
  std::vector<std::string> gates;  // spec.schedulingGates
  std::string group;               // its PodGroup, "namespace/name"; empty: none
  bool unwanted = false;           // a scheduler said that it wants its place
  bool preempted = false;          // ... and it is deleting
  std::string start_time;          // RFC 3339; empty: not started
  std::string nominated_node;      // status.nominatedNodeName
  json::object labels;
  std::string owner_kind, owner_name;  // of the controller

  std::shared_ptr<const GpuAsk> gpu;  // null: it asks for none
  api::RequiredNodes required_nodes;
  std::vector<api::PreferredNodes> preferred_nodes;
  std::optional<std::set<std::string>> only_nodes;  // each required term names some
  std::vector<PodTerm> affinity, anti_affinity;     // required
  std::vector<PodTerm> preferred_affinity, preferred_anti_affinity;  // with weights
  std::vector<SpreadConstraint> spread;
  bool own_spread = false;  // spec.topologySpreadConstraints is not empty
  std::vector<DiskUse> disks;
  std::vector<std::string> claims;            // PersistentVolumeClaims it names, each once
  std::vector<std::string> ephemeral_claims;  // those made for it alone
  std::vector<DeviceClaimUse> device_claims;  // spec.resourceClaims, in order
  std::vector<std::string> images;            // normalised
  std::set<std::string> resource_names;       // extended ones its containers name
  int containers = 0;
  std::vector<std::string> features;  // of kubelets, which it needs; sorted

  // The PodScheduled condition as it stands, to write only what changes.
  std::string scheduled_status, scheduled_reason, scheduled_message;

  // Who started first is the older one; who has not started is younger than all.
  bool started_before(const PodInfo& other) const {
    if (start_time.empty()) return false;
    return other.start_time.empty() || start_time < other.start_time;
  }
  // By "namespace/name"; also one that is made for it alone.
  bool uses_claim(std::string_view claim) const;
  bool has_pod_affinity() const {
    return !affinity.empty() || !anti_affinity.empty() || !preferred_affinity.empty() ||
           !preferred_anti_affinity.empty();
  }
};

using PodPtr = std::shared_ptr<const PodInfo>;

// Never fails: the apiserver has validated; what does not parse matches nothing.
PodPtr parse_pod(const json::value& pod);
// The same pod placed on a node, and given these GPUs of it, if there are any.
PodPtr placed_on(const PodInfo& pod, const std::string& node,
                 const std::vector<std::uint8_t>& devices = {});
// With the tag ":latest" where there is neither tag nor digest.
std::string normal_image(std::string_view image);

}  // namespace coracle::scheduler
