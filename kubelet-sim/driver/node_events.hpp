// NodeEvents: what nodes of ours say of themselves, as Events of their kubelets. Driver; strand:
// the Executor's. Bound: a recorder for each node that ever spoke.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "client/events.hpp"

namespace coracle::kubelet {

class NodeEvents {
 public:
  NodeEvents(Executor& executor, client::Api& api) : executor_(executor), api_(api) {}
  // `type`: "Normal" or "Warning".
  void tell(const std::string& node, std::string type, std::string reason, std::string message);

 private:
  Executor& executor_;
  client::Api& api_;
  std::map<std::string, std::unique_ptr<client::EventRecorder>> recorders_;
};

}  // namespace coracle::kubelet
