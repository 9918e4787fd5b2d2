#include "member/classroom.hpp"

#include <utility>

namespace coracle::store {

std::vector<raft::Message> Classroom::resume() {
  paused_ = turn_ = false;
  std::deque<raft::Message> held = std::exchange(held_, {});
  return {std::make_move_iterator(held.begin()), std::make_move_iterator(held.end())};
}

std::optional<raft::Message> Classroom::next_message() {
  if (held_.empty()) return std::nullopt;
  raft::Message message = std::move(held_.front());
  held_.pop_front();
  return message;
}

bool Classroom::take_turn() { return !paused_ || std::exchange(turn_, false); }

void Classroom::heal(NodeId peer) {
  if (peer == NodeId(0)) {
    cut_.clear();
  } else {
    cut_.erase(peer);
  }
}

std::vector<raft::Message> Classroom::arrive(std::vector<raft::Message> messages) {
  if (!cut_.empty()) {
    dropped_ += std::erase_if(messages, [this](const raft::Message& message) {
      return is_cut(raft::header_of(message).from);
    });
  }
  if (!paused_) return messages;
  for (raft::Message& message : messages) {
    if (held_.size() < kHeldMax) {
      held_.push_back(std::move(message));
    } else {
      ++dropped_;
    }
  }
  return {};
}

void Classroom::depart(std::vector<raft::Message>* messages) {
  if (cut_.empty()) return;
  dropped_ += std::erase_if(*messages, [this](const raft::Message& message) {
    return is_cut(raft::header_of(message).to);
  });
}

}  // namespace coracle::store
