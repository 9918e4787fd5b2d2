// Which nodes a DaemonSet's pods belong on, and what such a pod looks like. Pure (upstream:
// pkg/controller/daemon/util, NodeShouldRunDaemonPod).
#pragma once

#include <string>

#include "api/node_selector.hpp"
#include "api/taints.hpp"
#include "base/json.hpp"

namespace coracle::controllers::daemon_set {

// Of pods, beside kRevisionLabel, when the set counts its templates in an annotation.
inline constexpr char kGenerationLabel[] = "pod-template-generation";

// `run`: a pod should be there. `stay`: one that is there may go on; that is so with `run`, and
// where only a NoSchedule taint keeps new ones away.
struct Fit {
  bool run = false, stay = false;
};

// The set's demands, read once for all nodes.
class Placement {
 public:
  explicit Placement(const json::value& set);
  Fit fit(const json::value& node) const;

 private:
  std::string only_node_;  // spec.template.spec.nodeName
  api::RequiredNodes required_;
  std::vector<api::Toleration> tolerations_;
};

// A pod of the set for that node: the scheduler binds it there because its affinity names it.
json::value pod_for(const json::value& set, const std::string& node, const std::string& hash);
// The node a pod is on, or is meant for; empty when nobody knows.
std::string target_node(const json::value& pod);

}  // namespace coracle::controllers::daemon_set
