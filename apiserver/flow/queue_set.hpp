// QueueSet: the requests of one priority level: who executes, who waits, who is refused, and who is
// next. Fair queuing with shuffle sharding, after "An Efficient Fair Queuing Algorithm" as upstream
// bends it to servers: a flow is dealt a hand of queues and waits in the one with the least work; a
// freed seat goes to the queue whose next request would finish first in virtual time, so that a
// busy flow cannot shut the others out.
//
// Pure: time is an argument, which never goes back. One owner. Bounds: queue_length_max waiting
// requests a queue; what comes to a full one while no seat is free is refused.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/clock.hpp"

namespace coracle::apiserver {

class QueueSet {
 public:
  using Id = std::uint64_t;
  struct Settings {
    int queues = 0;  // 0: nobody waits
    int hand_size = 0;
    int queue_length_max = 0;
    bool operator==(const Settings&) const = default;
  };
  struct Arrival {
    enum class Verdict { kExecute, kWait, kQueueFull, kNoSeat };
    Verdict verdict = Verdict::kExecute;
    int queue = 0;
  };
  struct QueueView {
    int waiting = 0, executing = 0, seats = 0, waiting_seats = 0;
    double next_dispatch = 0;  // virtual seconds
  };
  struct Waiting {
    Id id;
    int seats;
    double arrived;  // virtual seconds
  };

  QueueSet(Settings settings, int limit) : settings_(settings), limit_(limit) { resize(); }

  // `id` names the request in what dispatch() returns, should it have to wait.
  Arrival arrive(Id id, std::uint64_t flow_hash, int seats, TimePoint now);
  // An executing request of this queue ended; call dispatch() after it.
  void finish(int queue, int seats, Duration served, TimePoint now);
  // A waiting one gives up.
  void leave(Id id, int queue, TimePoint now);
  // Waiting requests that execute from now on, in order.
  struct Started {
    Id id;
    int queue;
    int seats;
  };
  std::vector<Started> dispatch(TimePoint now);

  // Fewer queues: those too many are drained first. Call dispatch() after either.
  void set_settings(Settings settings);
  void set_limit(int seats) { limit_ = seats; }

  int limit() const { return limit_; }
  int executing() const { return executing_; }
  int waiting() const { return waiting_; }
  int seats_in_use() const { return seats_; }
  int seats_wanted() const { return seats_ + waiting_seats_; }
  bool idle() const { return executing_ == 0 && waiting_ == 0; }
  std::size_t queue_count() const { return queues_.size(); }
  QueueView view(std::size_t queue) const;
  const std::deque<Waiting>& waiting_in(std::size_t queue) const { return queues_[queue].waiting; }

 private:
  struct Queue {
    std::deque<Waiting> waiting;
    int executing = 0, seats = 0, waiting_seats = 0;
    double next_dispatch = 0;
    bool active() const { return executing > 0 || !waiting.empty(); }
  };
  void resize();
  void advance(TimePoint now);
  int choose_queue(std::uint64_t flow_hash) const;
  bool fits(int seats) const;
  void begin(Queue& queue, int seats);
  int next_queue() const;

  Settings settings_;
  int limit_;
  std::vector<Queue> queues_;  // at least one: also without waiting, requests belong to a queue
  double virtual_now_ = 0;
  TimePoint last_{};
  int executing_ = 0, waiting_ = 0, seats_ = 0, waiting_seats_ = 0, active_queues_ = 0;
  mutable std::size_t round_robin_ = 0;
};

// The queues a flow may wait in: `hand_size` different ones below `deck`, each hand as likely as
// any other when hashes are. deck >= hand_size, hand_size <= 32.
std::vector<int> deal_hand(std::uint64_t hash, int deck, int hand_size);

}  // namespace coracle::apiserver
