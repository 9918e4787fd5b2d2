#include "apiserver/flow/queue_set.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/check.hpp"

namespace coracle::apiserver {

namespace {

constexpr int kHandMax = 32;
// What a request is thought to take until it is known: it is corrected when it ends.
constexpr double kServiceGuessSeconds = 0.003;

struct Hand {
  std::array<int, kHandMax> cards;
  int size = 0;
};

// The k-th card drawn is one of the deck - k left; counting over those already drawn, in order,
// turns its number among the left into its number in the deck.
Hand deal(std::uint64_t hash, int deck, int hand_size) {
  Hand hand;
  std::array<int, kHandMax> sorted;
  for (int k = 0; k < hand_size; ++k) {
    const auto left = static_cast<std::uint64_t>(deck - k);
    int card = static_cast<int>(hash % left);
    hash /= left;
    int at = 0;
    while (at < k && sorted[at] <= card) {
      ++card;
      ++at;
    }
    for (int i = k; i > at; --i) sorted[i] = sorted[i - 1];
    sorted[at] = card;
    hand.cards[k] = card;
  }
  hand.size = hand_size;
  return hand;
}

}  // namespace

std::vector<int> deal_hand(std::uint64_t hash, int deck, int hand_size) {
  CHECK(hand_size <= deck && hand_size <= kHandMax);
  const Hand hand = deal(hash, deck, hand_size);
  return {hand.cards.begin(), hand.cards.begin() + hand.size};
}

void QueueSet::resize() {
  CHECK(settings_.hand_size <= kHandMax && settings_.hand_size <= std::max(settings_.queues, 0));
  const auto wanted = static_cast<std::size_t>(std::max(settings_.queues, 1));
  while (queues_.size() > wanted && !queues_.back().active()) queues_.pop_back();
  if (queues_.size() < wanted) queues_.resize(wanted);
}

void QueueSet::set_settings(Settings settings) {
  settings_ = settings;
  resize();
}

// Virtual time is the work a queue would have got done if all queues with work had shared the seats
// evenly. It stands still while there is none.
void QueueSet::advance(TimePoint now) {
  const double real = std::chrono::duration<double>(now - last_).count();
  last_ = now;
  if (active_queues_ == 0 || real <= 0) return;
  virtual_now_ += real * std::min(seats_wanted(), limit_) / active_queues_;
}

bool QueueSet::fits(int seats) const {
  // Wider than the level: alone, or it would never be served.
  if (seats > limit_) return seats_ == 0;
  return seats_ + seats <= limit_;
}

int QueueSet::choose_queue(std::uint64_t flow_hash) const {
  if (settings_.queues <= 1) return 0;
  const Hand hand = deal(flow_hash, settings_.queues, settings_.hand_size);
  int best = hand.cards[0];
  for (int i = 1; i < hand.size; ++i) {
    const int card = hand.cards[i];
    if (queues_[card].waiting_seats < queues_[best].waiting_seats) best = card;
  }
  return best;
}

void QueueSet::begin(Queue& queue, int seats) {
  queue.next_dispatch += kServiceGuessSeconds * seats;
  ++queue.executing;
  queue.seats += seats;
  ++executing_;
  seats_ += seats;
}

QueueSet::Arrival QueueSet::arrive(Id id, std::uint64_t flow_hash, int seats, TimePoint now) {
  using Verdict = Arrival::Verdict;
  advance(now);
  const int chosen = choose_queue(flow_hash);
  Queue& queue = queues_[chosen];
  const bool at_once = waiting_ == 0 && fits(seats);
  if (!at_once && settings_.queues == 0) return {Verdict::kNoSeat, chosen};
  if (!at_once && seats_ >= limit_ &&
      static_cast<int>(queue.waiting.size()) >= settings_.queue_length_max) {
    return {Verdict::kQueueFull, chosen};
  }
  if (!queue.active()) {
    queue.next_dispatch = virtual_now_;
    ++active_queues_;
  }
  if (at_once) {
    begin(queue, seats);
    return {Verdict::kExecute, chosen};
  }
  queue.waiting.push_back({id, seats, virtual_now_});
  queue.waiting_seats += seats;
  ++waiting_;
  waiting_seats_ += seats;
  return {Verdict::kWait, chosen};
}

void QueueSet::finish(int queue_index, int seats, Duration served, TimePoint now) {
  advance(now);
  Queue& queue = queues_[queue_index];
  CHECK(queue.executing > 0 && queue.seats >= seats);
  queue.next_dispatch +=
      (std::chrono::duration<double>(served).count() - kServiceGuessSeconds) * seats;
  // A queue is never ahead of the request that waits in it longest.
  if (!queue.waiting.empty()) {
    queue.next_dispatch = std::max(queue.next_dispatch, queue.waiting.front().arrived);
  }
  --queue.executing;
  queue.seats -= seats;
  --executing_;
  seats_ -= seats;
  if (!queue.active()) --active_queues_;
}

void QueueSet::leave(Id id, int queue_index, TimePoint now) {
  advance(now);
  Queue& queue = queues_[queue_index];
  const auto at = std::find_if(queue.waiting.begin(), queue.waiting.end(),
                               [&](const Waiting& one) { return one.id == id; });
  CHECK(at != queue.waiting.end());
  queue.waiting_seats -= at->seats;
  waiting_seats_ -= at->seats;
  --waiting_;
  queue.waiting.erase(at);
  if (!queue.active()) --active_queues_;
}

// Of those that wait: the one that would be through first. Equal ones take turns.
int QueueSet::next_queue() const {
  int best = -1;
  double best_finish = std::numeric_limits<double>::infinity();
  for (std::size_t step = 1; step <= queues_.size(); ++step) {
    const std::size_t at = (round_robin_ + step) % queues_.size();
    const Queue& queue = queues_[at];
    if (queue.waiting.empty()) continue;
    const double finish = queue.next_dispatch + kServiceGuessSeconds * queue.waiting.front().seats;
    if (finish < best_finish) {
      best_finish = finish;
      best = static_cast<int>(at);
    }
  }
  return best;
}

std::vector<QueueSet::Started> QueueSet::dispatch(TimePoint now) {
  std::vector<Started> out;
  if (waiting_ == 0) return out;
  advance(now);
  while (waiting_ > 0) {
    const int chosen = next_queue();
    Queue& queue = queues_[chosen];
    const Waiting first = queue.waiting.front();
    if (!fits(first.seats)) break;  // it keeps its turn
    round_robin_ = static_cast<std::size_t>(chosen);
    queue.waiting.pop_front();
    queue.waiting_seats -= first.seats;
    waiting_seats_ -= first.seats;
    --waiting_;
    queue.next_dispatch = std::max(queue.next_dispatch, first.arrived);
    begin(queue, first.seats);
    out.push_back({first.id, chosen, first.seats});
  }
  if (queues_.size() > static_cast<std::size_t>(std::max(settings_.queues, 1))) resize();
  return out;
}

QueueSet::QueueView QueueSet::view(std::size_t queue) const {
  const Queue& one = queues_[queue];
  return {static_cast<int>(one.waiting.size()), one.executing, one.seats, one.waiting_seats,
          one.next_dispatch};
}

}  // namespace coracle::apiserver
