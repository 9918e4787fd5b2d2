// Zones: how fast nodes that are not ready may be given up (their pods evicted). Pure (upstream:
// nodelifecycle's zone states and rate limits, with its default values).
//
//   a zone              evicts
//   some nodes are down    one node in 10 s
//   most are (55 %, > 2)   one in 100 s; not at all in a zone of at most 50 nodes
//   all nodes everywhere   nobody, and who was marked is unmarked: it is rather us who are cut off
//
// Without a state of its own: when the last node of a zone was marked says its NoExecute taint, and
// among those that wait the first by name is the next.
#pragma once

#include <optional>

#include "controllers/controller.hpp"

namespace coracle::controllers {

struct EvictionGate {
  enum class Rule {
    kMark,    // the node may be marked now
    kWait,    // not yet, look again after `wait`; marks that are there stay
    kUnmark,  // no node of the cluster is ready
  };
  Rule rule = Rule::kMark;
  Duration wait{0};
};

// For a node that is not ready.
EvictionGate eviction_gate(const World& world, const json::value& node, WallTime now);

}  // namespace coracle::controllers
