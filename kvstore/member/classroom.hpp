// Classroom: knobs by which an instructor slows a member down and takes its messages away. Only a
// member that was started with --teaching has them; every other refuses (FailedPrecondition).
//
// Thread: the member's strand. Pure.
// Paused: the member's Raft stands still: no ticks, no messages in, nothing out, nothing applied;
//         messages that arrive wait here, at most kHeldMax (more are lost, as a network may do).
// Cut:    no message to or from that member passes. It is as if the network between them broke.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "raft/messages.hpp"

namespace coracle::store {

namespace lesson {
struct Pause {};
struct Resume {};
struct StepTick {};
struct StepMessage {};  // NotFound when none waits
struct Campaign {};
struct Cut {
  NodeId peer;
};
struct Heal {
  NodeId peer;  // 0: everybody
};
struct Timing {
  Duration heartbeat, election;
};
}  // namespace lesson
using Lesson = std::variant<lesson::Pause, lesson::Resume, lesson::StepTick, lesson::StepMessage,
                            lesson::Campaign, lesson::Cut, lesson::Heal, lesson::Timing>;

class Classroom {
 public:
  static constexpr size_t kHeldMax = 10000;

  bool paused() const { return paused_; }
  void pause() { paused_ = true; }
  // What had been held, for the core.
  std::vector<raft::Message> resume();
  // The oldest message that waits.
  std::optional<raft::Message> next_message();
  // One turn of the paused member, for the step that was just made.
  void allow_turn() { turn_ = true; }
  bool take_turn();

  void cut(NodeId peer) { cut_.insert(peer); }
  void heal(NodeId peer);
  bool is_cut(NodeId peer) const { return cut_.contains(peer); }

  // What of the messages that arrive goes on to the core now.
  std::vector<raft::Message> arrive(std::vector<raft::Message> messages);
  // Takes out what may not leave.
  void depart(std::vector<raft::Message>* messages);

  const std::set<NodeId>& cuts() const { return cut_; }
  const std::deque<raft::Message>& held() const { return held_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool paused_ = false;
  bool turn_ = false;
  std::set<NodeId> cut_;
  std::deque<raft::Message> held_;
  std::uint64_t dropped_ = 0;
};

}  // namespace coracle::store
