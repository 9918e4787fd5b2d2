// DevicePublisher: keeps the ResourceSlices of the devices our nodes have as their annotation
// lab.coracle.dev/devices says, or else --node-devices. What it says wrongly is told by an event of
// the node, and what was announced stays. Driver; strand: the Executor's. Bound: kPublishWorkers
// requests at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "client/work_queue.hpp"
#include "kubelet/node_devices.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/node_events.hpp"

namespace coracle::kubelet {

inline constexpr int kPublishWorkers = 8;

class DevicePublisher {
 public:
  // `everywhere`: of nodes without an annotation.
  DevicePublisher(Executor& executor, client::Api& api, NodeAgent& nodes,
                  std::vector<DeviceSet> everywhere);
  void start();
  void stop() { queue_.stop(); }

 private:
  void on_annotations(const std::string& node, const json::object& annotations);
  // Slices from before this process may be of devices that are gone.
  Task<Status> look_at_old();
  Task<Status> sync(std::string node);
  Task<Status> put(std::string node, DeviceSet set, json::value slice);

  NodeAgent& nodes_;
  const std::vector<DeviceSet> everywhere_;
  client::ResourceClient slices_;
  NodeEvents events_;
  std::map<std::string, std::vector<DeviceSet>> wanted_;  // by node; those that ever had some
  client::WorkQueueDriver queue_;                         // keys: nodes
};

}  // namespace coracle::kubelet
