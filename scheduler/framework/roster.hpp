// Roster: which node was in which slot, as decisions were explained with it. Kept in pieces that
// copies share until one of them changes: a copy costs a pointer per kPiece nodes. One strand.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "framework/node_info.hpp"

namespace coracle::scheduler {

class Roster {
 public:
  using NodePtr = std::shared_ptr<const NodeFacts>;
  static constexpr size_t kPiece = 64;

  const NodePtr& at(std::uint32_t slot) const { return (*pieces_[slot / kPiece])[slot % kPiece]; }
  void set(std::uint32_t slot, NodePtr node) {
    while (pieces_.size() <= slot / kPiece) pieces_.push_back(std::make_shared<Piece>());
    std::shared_ptr<Piece>& piece = pieces_[slot / kPiece];
    if (piece.use_count() > 1) piece = std::make_shared<Piece>(*piece);
    (*piece)[slot % kPiece] = std::move(node);
  }

 private:
  using Piece = std::array<NodePtr, kPiece>;
  std::vector<std::shared_ptr<Piece>> pieces_;
};

}  // namespace coracle::scheduler
