// The scheduler's side of coracle_plugin.h: what a plugin may ask of pods and nodes.
#pragma once

#include "framework/node_info.hpp"
#include "plugin_abi/coracle_plugin.h"

namespace coracle::scheduler {

const coracle_host& plugin_host();

// The plugin's opaque pointers are ours in disguise.
inline const coracle_pod* disguised(const PodInfo& pod) {
  return reinterpret_cast<const coracle_pod*>(&pod);
}
inline const coracle_node* disguised(const NodeInfo& node) {
  return reinterpret_cast<const coracle_node*>(&node);
}

}  // namespace coracle::scheduler
