// The objects a lab puts into its cluster beside what the apiserver makes. They are made when they
// are not there, and never changed afterwards: who edits one keeps it so.
#pragma once

#include "base/status.hpp"
#include "lab/cluster.hpp"

namespace coracle::lab {

// `decisions`: lab.coracle.dev/v1alpha1, which the schedulers serve.
Status install_addons(Cluster& cluster, const ClusterShape& shape, bool decisions);

}  // namespace coracle::lab
