// NodeTable: the nodes of a Snapshot, in the order in which they became known.
//
// Two numbers name a node: its index here, valid until the next removal, and its slot, its own
// until it leaves and another's later; arrays by slot survive removals. A node's stamp changes
// whenever the node does, and no stamp comes twice in one table: what was computed of a slot holds
// while its stamp is the same. Only the Snapshot changes it. A copy is a table of its own. Pure
// data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "framework/node_info.hpp"
#include "framework/roster.hpp"

namespace coracle::scheduler {

class NodeTable {
 public:
  using Iterator = std::vector<NodeInfo>::const_iterator;

  size_t size() const { return nodes_.size(); }
  bool empty() const { return nodes_.empty(); }
  const NodeInfo& operator[](size_t index) const { return nodes_[index]; }
  Iterator begin() const { return nodes_.begin(); }
  Iterator end() const { return nodes_.end(); }
  std::optional<std::uint32_t> index_of(const std::string& name) const;
  // Null when it is not there.
  const NodeInfo* find(const std::string& name) const;

  std::uint32_t slot(size_t index) const { return slots_[index]; }
  std::uint64_t stamp(std::uint32_t slot) const { return stamps_[slot]; }
  // Changes when indexes do.
  std::uint64_t layout() const { return layout_; }
  // Above every slot in use.
  size_t slots_end() const { return stamps_.size(); }
  // Who is in which slot now.
  const std::shared_ptr<const Roster>& roster() const;

 private:
  friend class Snapshot;
  std::uint32_t add(NodeInfo node);  // its index
  NodeInfo remove(std::uint32_t index);
  NodeInfo& change(std::uint32_t index);  // stamps it
  void set_facts(std::uint32_t index, std::shared_ptr<const NodeFacts> facts);

  std::vector<NodeInfo> nodes_;
  std::unordered_map<std::string, std::uint32_t> index_;  // never iterated
  std::vector<std::uint32_t> slots_;                      // by index
  std::vector<std::uint64_t> stamps_;                     // by slot
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t last_stamp_ = 0, layout_ = 0;
  Roster roster_;
  mutable std::shared_ptr<const Roster> shown_;  // a copy of roster_; null: it changed since
};

}  // namespace coracle::scheduler
