#include "framework/node_table.hpp"

#include "base/check.hpp"

namespace coracle::scheduler {

std::optional<std::uint32_t> NodeTable::index_of(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

const NodeInfo* NodeTable::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &nodes_[found->second];
}

const std::shared_ptr<const Roster>& NodeTable::roster() const {
  if (shown_ == nullptr) shown_ = std::make_shared<const Roster>(roster_);
  return shown_;
}

std::uint32_t NodeTable::add(NodeInfo node) {
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(stamps_.size());
    stamps_.push_back(0);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  stamps_[slot] = ++last_stamp_;
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  CHECK_MSG(index_.emplace(node.name(), index).second, "two nodes " << node.name());
  node.slot_ = slot;
  roster_.set(slot, node.facts_ptr());
  shown_ = nullptr;
  slots_.push_back(slot);
  nodes_.push_back(std::move(node));
  return index;
}

NodeInfo NodeTable::remove(std::uint32_t index) {
  ++layout_;
  NodeInfo node = std::move(nodes_[index]);
  nodes_.erase(nodes_.begin() + index);
  index_.erase(node.name());
  for (size_t i = index; i < nodes_.size(); ++i) index_[nodes_[i].name()] = i;
  free_slots_.push_back(slots_[index]);
  slots_.erase(slots_.begin() + index);
  node.slot_ = NodeInfo::kNoSlot;
  return node;
}

NodeInfo& NodeTable::change(std::uint32_t index) {
  stamps_[slots_[index]] = ++last_stamp_;
  return nodes_[index];
}

void NodeTable::set_facts(std::uint32_t index, std::shared_ptr<const NodeFacts> facts) {
  roster_.set(slots_[index], facts);
  shown_ = nullptr;
  change(index).set_facts(std::move(facts));
}

}  // namespace coracle::scheduler
