#include "manager/registry.hpp"

#include "deployment/deployment.hpp"
#include "replicaset/replicaset.hpp"

namespace coracle::controllers {

std::vector<std::unique_ptr<Controller>> make_controllers(const ControllerOptions&) {
  std::vector<std::unique_ptr<Controller>> all;
  all.push_back(std::make_unique<DeploymentController>());
  all.push_back(std::make_unique<ReplicaSetController>());
  return all;
}

}  // namespace coracle::controllers
