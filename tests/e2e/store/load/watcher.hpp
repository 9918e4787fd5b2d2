// One watcher of the whole store that resumes behind its last revision whenever its stream ends.
// It must be told every revision once, in order and whole; what it misses or sees twice is a fault.
// Owner: one thread; last() may be read from others.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "store_load/client.hpp"

namespace coracle::load {

class Watcher {
 public:
  struct Options {
    int number = 0;
    std::int64_t after = 0;          // the first revision to see is the next one
    bool long_lived = false;         // else the stream is renewed every few seconds
    bool prev_kv = false;            // ask for it, and compare with what was seen before
    bool in_history = false;         // each revision becomes an `observe` of the history
    std::chrono::seconds grace{60};  // for the last revisions, once finish_at() was called
  };
  Watcher(Run* run, const Options& options, std::uint64_t seed)
      : run_(*run), options_(options), rng_(seed), last_(options.after) {}

  // Until finish_at() and the revision it named.
  void loop();
  void finish_at(std::int64_t revision) { target_.store(revision); }
  std::int64_t last() const { return last_.load(); }
  std::int64_t streams() const { return streams_; }
  // Of every revision from after + 1 on: a number that depends on all its events.
  const std::vector<std::uint64_t>& digests() const { return digests_; }

 private:
  using Stream = grpc::ClientReaderWriter<pb::WatchRequest, pb::WatchResponse>;

  bool finished() const;
  void read(Stream& stream);
  // False: the stream is of no more use.
  bool take(const pb::WatchResponse& response, TimePoint called);
  void take_revision(const std::vector<mvccpb::Event>& events, TimePoint called);
  void check_previous(const mvccpb::Event& event);
  void fault(const std::string& text);

  Run& run_;
  const Options options_;
  Rng rng_;
  StopSign pause_;  // never raised
  std::atomic<std::int64_t> last_;
  std::atomic<std::int64_t> target_{0};
  std::int64_t streams_ = 0;
  std::vector<mvccpb::Event> part_;  // of a response in fragments
  std::vector<std::uint64_t> digests_;
  std::map<std::string, mvccpb::KeyValue> alive_;  // by key, as the events tell
};

}  // namespace coracle::load
