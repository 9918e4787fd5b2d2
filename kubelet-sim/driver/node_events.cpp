#include "kubelet_driver/node_events.hpp"

namespace coracle::kubelet {

void NodeEvents::tell(const std::string& node, std::string type, std::string reason,
                      std::string message) {
  auto& recorder = recorders_[node];
  if (!recorder) {
    recorder = std::make_unique<client::EventRecorder>(executor_, api_,
                                                       client::EventSource{"kubelet", node});
  }
  client::EventInput input;
  input.regarding = {{"kind", "Node"}, {"name", node}, {"uid", node}, {"apiVersion", "v1"}};
  input.type = std::move(type);
  input.reason = std::move(reason);
  input.message = std::move(message);
  recorder->record(std::move(input));
}

}  // namespace coracle::kubelet
