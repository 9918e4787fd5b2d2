// WorkQueue: which keys need work, each at most once. Pure: time is an argument. A key added while
// it is worked on is taken again after done(). WorkQueueDriver runs it on an Executor.
//
// Invariant: a key is in at most one of {ready, working}; working keys may be marked dirty.
// Bound: the number of distinct keys; delayed adds keep one deadline a key, the earliest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/executor.hpp"

namespace coracle::client {

struct WorkQueueOptions {
  Duration backoff_first = std::chrono::milliseconds(5);
  Duration backoff_max = std::chrono::seconds(1000);
};

class WorkQueue {
 public:
  explicit WorkQueue(WorkQueueOptions options = {}) : options_(options) {}

  void add(const std::string& key);
  void add_after(const std::string& key, Duration delay, TimePoint now);
  // After backoff_first * 2^(failures so far), at most backoff_max; counts one more failure.
  void add_rate_limited(const std::string& key, TimePoint now);
  // The key did well: its next failure waits backoff_first again.
  void forget(const std::string& key);
  int failures(const std::string& key) const;

  // The oldest ready key, now being worked on.
  std::optional<std::string> take(TimePoint now);
  void done(const std::string& key);
  // When the next delayed key becomes ready.
  std::optional<TimePoint> next_due() const;
  bool has_ready(TimePoint now);
  size_t size() const { return ready_.size(); }
  size_t waiting() const { return due_of_.size(); }
  size_t working() const { return working_.size(); }

 private:
  void promote(TimePoint now);

  WorkQueueOptions options_;
  std::deque<std::string> ready_;
  std::set<std::string> queued_, working_, dirty_;
  std::set<std::pair<TimePoint, std::string>> delayed_;
  std::map<std::string, TimePoint> due_of_;
  std::map<std::string, int> failures_;
};

// Runs `work(key, finish)` for each ready key, at most `workers` at a time, on the Executor's
// strand. `finish` is called once, now or later. Destroying it forgets everything; a late finish is
// ignored.
class WorkQueueDriver {
 public:
  enum class Outcome { kDone, kRetry };  // kDone forgets the failures; kRetry backs off
  struct Finish {
    Outcome outcome = Outcome::kDone;
    std::optional<Duration> again_after;  // with kDone: work on it again then
  };
  using Work = std::function<void(const std::string& key, std::function<void(Finish)> finish)>;

  WorkQueueDriver(Executor& executor, int workers, Work work, WorkQueueOptions options = {});
  ~WorkQueueDriver();
  WorkQueueDriver(const WorkQueueDriver&) = delete;
  WorkQueueDriver& operator=(const WorkQueueDriver&) = delete;

  // Keys may be added before start(); they wait.
  void start();
  void stop();  // what is being worked on ends, nothing new begins
  void add(const std::string& key);
  void add_after(const std::string& key, Duration delay);
  void add_rate_limited(const std::string& key);
  const WorkQueue& queue() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle::client
