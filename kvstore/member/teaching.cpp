// The knobs of the classroom, as they work on the member.
#include <fmt/format.h>

#include "member/member.hpp"

namespace coracle::store {
namespace {

// The core stands for election after one to two of its time-outs. Six tenths of the flag's make a
// leader's loss repaired within two seconds at the defaults, a split vote included.
constexpr std::int64_t kElectionTenths = 6;
constexpr Duration kElectionMax = std::chrono::minutes(10);

std::int64_t ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

int election_ticks(Duration heartbeat, Duration election) {
  return std::max<int>(2 * kTicksPerHeartbeat, int(kTicksPerHeartbeat * election.count() *
                                                   kElectionTenths / (10 * heartbeat.count())));
}

Status check_timing(Duration heartbeat, Duration election) {
  if (heartbeat < std::chrono::milliseconds(1)) {
    return invalid_argument("the heartbeat must be at least 1ms");
  }
  if (election < 5 * heartbeat) {
    return invalid_argument("the election time-out must be at least five heartbeats");
  }
  if (election > kElectionMax) {
    return invalid_argument("the election time-out must be at most 10m");
  }
  return {};
}

Status Member::teach(const Lesson& asked) {
  if (!options_.teaching) {
    return failed_precondition(
        "this member was not started with --teaching, so its knobs are locked");
  }
  Classroom& room = inside.classroom;
  const auto say = [this](NodeId peer, std::string text) {
    inside.observer.note(loop_.wall_now(), "classroom", core_->term(), peer, std::move(text));
  };
  const bool steps = std::holds_alternative<lesson::StepTick>(asked) ||
                     std::holds_alternative<lesson::StepMessage>(asked);
  if (steps && !room.paused()) return invalid_argument("only a paused member is stepped");
  if (std::holds_alternative<lesson::Pause>(asked)) {
    room.pause();
    say(NodeId(0), "paused");
  } else if (std::holds_alternative<lesson::Resume>(asked)) {
    say(NodeId(0), "resumed");
    step(room.resume());
  } else if (std::holds_alternative<lesson::StepTick>(asked)) {
    say(NodeId(0), "one tick");
    room.allow_turn();
    core_->tick();
  } else if (std::holds_alternative<lesson::StepMessage>(asked)) {
    const auto message = room.next_message();
    if (!message) return not_found("no message waits");
    say(raft::header_of(*message).from, "one message: " + describe(*message));
    room.allow_turn();
    (void)core_->step(*message);
  } else if (std::holds_alternative<lesson::Campaign>(asked)) {
    say(NodeId(0), "asked to stand for election");
    room.allow_turn();
    core_->campaign();
  } else if (const auto* cut = std::get_if<lesson::Cut>(&asked)) {
    if (cut->peer == id() || !machine_->members().contains(cut->peer)) {
      return not_found("there is no such other member");
    }
    room.cut(cut->peer);
    say(cut->peer, "cut off: messages from and to it are lost");
  } else if (const auto* heal = std::get_if<lesson::Heal>(&asked)) {
    room.heal(heal->peer);
    say(heal->peer, "connected again");
  } else if (const auto* timing = std::get_if<lesson::Timing>(&asked)) {
    RETURN_IF_ERROR(check_timing(timing->heartbeat, timing->election));
    inside.heartbeat = timing->heartbeat;
    inside.election = timing->election;
    core_->set_election_ticks(election_ticks(timing->heartbeat, timing->election));
    restart_ticking();
    say(NodeId(0), fmt::format("heartbeat {} ms, election time-out {} ms", ms(timing->heartbeat),
                               ms(timing->election)));
  }
  return {};
}

}  // namespace coracle::store
