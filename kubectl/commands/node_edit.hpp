// What cordon and drain share.
#pragma once

#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {

// Marks the node (un)schedulable and says so: "node/x cordoned", "node/x already cordoned".
Status cordon_node(Invocation& call, WriteReport& report, const Target& node, bool unschedulable);

}  // namespace coracle::kubectl
