// Asking: the filters and scorers of one decision about one node at a time, taking from SharedWork
// what was said of a pod of that shape before. Pure but for the SharedWork; the world must stand
// still while it is used.
#pragma once

#include <cstdint>
#include <vector>

#include "cycle/explanation.hpp"
#include "cycle/filters.hpp"

namespace coracle::scheduler {

class FilterAsking {
 public:
  // `shares`: what SharedWork::shares said of the pod. `why` is where verdicts get their numbers.
  FilterAsking(const Profile& profile, const PodInfo& pod, const Snapshot& world, bool shares,
               Filters& filters, Explanation& why);

  // All filters of the node say yes, as known without asking. False: it is to be asked.
  bool known_to_fit(const NodeInfo& node, std::uint32_t slot) const {
    return all_shared_ && kept_->fits[slot] == world_.nodes.stamp(slot) && !has_nominated(node);
  }
  // So many of the `count` nodes from `index` on, in a row; maybe fewer than there are.
  size_t known_to_fit(size_t index, size_t count) const;
  // Why it does not fit: the first no, and the column of who said it. Yes: it fits.
  Verdict look(const NodeInfo& node, size_t* column);
  // What one filter says, whatever the others: a number of `why` or Explanation::kPassed.
  std::uint16_t ask(const NodeInfo& node, size_t column);

 private:
  bool has_nominated(const NodeInfo& node) const {
    return nominations_ && !world_.nominations.on(node.name()).empty();
  }
  // False: a plugin failed, and nothing is kept.
  bool refresh(const NodeInfo& node, std::uint32_t slot);
  std::uint16_t number_of(std::uint16_t text);

  const PodInfo& pod_;
  const Snapshot& world_;
  Filters& filters_;
  Explanation& why_;
  const bool nominations_;
  static constexpr std::uint16_t kAlone = 0xffff;
  std::vector<std::uint16_t> places_;     // by column: the filter's place in kept_, or kAlone
  SharedWork::Filtered* kept_ = nullptr;  // null: nothing is shared
  bool all_shared_ = false;
  std::vector<std::int32_t> numbers_;  // by index of kept_->texts: the number in why_, or -1
};

// Nodes by index, and the slot of each.
struct ScoredNodes {
  const std::vector<std::uint32_t>&indexes, &slots;
};
// The scores of one plugin for the nodes, before normalize.
void ask_scores(const Profile& profile, const Plugin& plugin, const PodInfo& pod,
                const PluginState* state, const Snapshot& world, const ScoredNodes& nodes,
                bool shares, std::vector<std::int64_t>& scores);

}  // namespace coracle::scheduler
