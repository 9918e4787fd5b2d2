#include "client/work_queue.hpp"

#include <algorithm>

namespace coracle::client {

void WorkQueue::add(const std::string& key) {
  if (working_.contains(key)) {
    dirty_.insert(key);
  } else if (queued_.insert(key).second) {
    ready_.push_back(key);
  }
}

void WorkQueue::add_after(const std::string& key, Duration delay, TimePoint now) {
  if (delay <= Duration::zero()) return add(key);
  const TimePoint due = now + delay;
  const auto [entry, added] = due_of_.emplace(key, due);
  if (!added) {
    if (entry->second <= due) return;
    delayed_.erase({entry->second, key});
    entry->second = due;
  }
  delayed_.insert({due, key});
}

void WorkQueue::add_rate_limited(const std::string& key, TimePoint now) {
  const int failures = failures_[key]++;
  Duration delay = options_.backoff_first;
  for (int i = 0; i < failures && delay < options_.backoff_max; ++i) delay *= 2;
  add_after(key, std::min(delay, options_.backoff_max), now);
}

void WorkQueue::forget(const std::string& key) { failures_.erase(key); }

int WorkQueue::failures(const std::string& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

void WorkQueue::promote(TimePoint now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const std::string key = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    due_of_.erase(key);
    add(key);
  }
}

std::optional<std::string> WorkQueue::take(TimePoint now) {
  promote(now);
  if (ready_.empty()) return std::nullopt;
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  queued_.erase(key);
  working_.insert(key);
  return key;
}

void WorkQueue::done(const std::string& key) {
  working_.erase(key);
  if (dirty_.erase(key)) add(key);
}

std::optional<TimePoint> WorkQueue::next_due() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.begin()->first;
}

bool WorkQueue::has_ready(TimePoint now) {
  promote(now);
  return !ready_.empty();
}

// What is begun before others of the strand have their turn: so many, or what takes so long.
constexpr int kKeysATurn = 64;
constexpr Duration kTurn = std::chrono::milliseconds(5);

struct WorkQueueDriver::State : std::enable_shared_from_this<WorkQueueDriver::State> {
  State(Executor& e, int n, Work w, WorkQueueOptions options)
      : executor(e), workers(n), work(std::move(w)), queue(options) {}

  void pump_soon();
  void pump();
  void finish(const std::string& key, const Finish& finish);

  Executor& executor;
  const int workers;
  Work work;
  WorkQueue queue;
  int busy = 0;
  bool running = false;
  bool pump_posted = false;
  Executor::TimerId timer = 0;
  TimePoint timer_due;
};

void WorkQueueDriver::State::pump_soon() {
  if (!running || std::exchange(pump_posted, true)) return;
  executor.post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->pump_posted = false;
    self->pump();
  });
}

void WorkQueueDriver::State::pump() {
  const TimePoint end = executor.now() + kTurn;
  for (int begun = 0; running && busy < workers; ++begun) {
    // Work that ends at once would else keep the strand for as long as there are keys.
    const TimePoint now = executor.now();
    if (begun == kKeysATurn || now >= end) return pump_soon();
    auto key = queue.take(now);
    if (!key) break;
    ++busy;
    work(*key, [weak = weak_from_this(), key = *key](Finish how) {
      if (auto self = weak.lock()) self->finish(key, how);
    });
  }
  if (busy >= workers) return;  // who finishes looks again; a timer that is due would only spin
  const auto due = queue.next_due();
  if (!running || !due || (timer && timer_due <= *due)) return;
  if (timer) executor.cancel(timer);
  timer_due = *due;
  timer = executor.after(*due - executor.now(), [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->timer = 0;
    self->pump();
  });
}

void WorkQueueDriver::State::finish(const std::string& key, const Finish& how) {
  --busy;
  if (how.outcome == Outcome::kRetry) {
    queue.add_rate_limited(key, executor.now());
  } else {
    queue.forget(key);
    if (how.again_after) queue.add_after(key, *how.again_after, executor.now());
  }
  queue.done(key);
  pump_soon();
}

WorkQueueDriver::WorkQueueDriver(Executor& executor, int workers, Work work,
                                 WorkQueueOptions options)
    : state_(std::make_shared<State>(executor, workers, std::move(work), options)) {}

WorkQueueDriver::~WorkQueueDriver() { stop(); }

void WorkQueueDriver::start() {
  state_->running = true;
  state_->pump_soon();
}

void WorkQueueDriver::stop() {
  state_->running = false;
  if (state_->timer) state_->executor.cancel(std::exchange(state_->timer, 0));
}

void WorkQueueDriver::add(const std::string& key) {
  state_->queue.add(key);
  state_->pump_soon();
}

void WorkQueueDriver::add_after(const std::string& key, Duration delay) {
  state_->queue.add_after(key, delay, state_->executor.now());
  state_->pump_soon();
}

void WorkQueueDriver::add_rate_limited(const std::string& key) {
  state_->queue.add_rate_limited(key, state_->executor.now());
  state_->pump_soon();
}

const WorkQueue& WorkQueueDriver::queue() const { return state_->queue; }

}  // namespace coracle::client
