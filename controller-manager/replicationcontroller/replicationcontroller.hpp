// ReplicationController: the elder of ReplicaSet, with the same decisions; its selector is a plain
// map. Pure (upstream: pkg/controller/replication).
#pragma once

#include "replicaset/replicaset.hpp"

namespace coracle::controllers {

class ReplicationManager final : public ReplicaSetController {
 public:
  ReplicationManager()
      : ReplicaSetController(
            {"replication-controller", "ReplicationController", gvr::kReplicationControllers}) {}
};

}  // namespace coracle::controllers
