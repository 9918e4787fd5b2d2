#include "controllers/controller.hpp"

#include <algorithm>

#include "controllers/adoption.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {

void add_common_indexes(const client::Gvr& of,
                        const std::function<void(const std::string&, client::IndexFunction)>& add) {
  add(kOwnerIndex, client::index_by_owner_uid);
  add(kControllerIndex, client::index_by_controller_uid);
  if (of == gvr::kPods || of == gvr::kReplicaSets || of == gvr::kControllerRevisions) {
    add(kOrphanIndex, index_orphan);
  }
  const auto adopters = {gvr::kReplicaSets, gvr::kReplicationControllers, gvr::kJobs,
                         gvr::kDaemonSets,  gvr::kStatefulSets,           gvr::kDeployments};
  if (std::find(adopters.begin(), adopters.end(), of) != adopters.end()) {
    add(kAdopterIndex, index_adopter);
  }
  add(kNodeIndex, client::index_by_node_name);
  if (of == gvr::kPods) add(kEndedIndex, index_ended);
}

std::pair<std::string, std::string> split_key(const std::string& key) {
  const size_t slash = key.find('/');
  if (slash == std::string::npos) return {"", key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace coracle::controllers
