// What a PostFilter plugin is given, and what it answers: which pods would have to leave a node for
// one that fits nowhere, or what must be written for it to fit one day. Pure data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "framework/candidate.hpp"
#include "framework/snapshot.hpp"
#include "framework/verdict.hpp"

namespace coracle::scheduler {

// The filters of the cycle that failed, for "what if these pods were not there". `node` is a copy
// of the caller's; who removes a pod adds it again before it goes on to the next node.
class FilterRun {
 public:
  virtual ~FilterRun() = default;
  // Pods nominated to the node count, if they are not less important.
  virtual Verdict filter(const NodeInfo& node) = 0;
  virtual void add_pod(const PodPtr& other, NodeInfo& node) = 0;
  virtual void remove_pod(const PodPtr& other, NodeInfo& node) = 0;
  // The filters, owned, if each of them sees one node only (Plugin::sees_one_node); else nothing.
  virtual std::optional<SharedWork::Plugins> if_all_see_one_node() const = 0;
};

struct PostFilterInput {
  const PodInfo& pod;
  const Snapshot& world;
  // Index into world.nodes, and what the first filter to refuse the node said.
  const std::vector<std::pair<std::uint32_t, const Verdict*>>& noes;
  FilterRun& filters;
  Rng& rng;
};

struct PostFiltered {
  Verdict verdict = Verdict::skip();  // yes: candidates are there
  Candidates candidates;
  bool clear_nomination = false;  // of a no: the nominated node is of no use either
  Writes writes;                  // of a no; made whatever the next plugin says
};

}  // namespace coracle::scheduler
