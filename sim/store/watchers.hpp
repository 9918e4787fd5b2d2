// Watchers: watch clients, some of them slow, that come back where they were when a stream ends;
// and W1 to W11: what they are told is, event by event, what the oracle says happened.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "mvcc/watch_types.hpp"
#include "store_sim/schedule.hpp"

namespace coracle::store_sim {

class World;
class SimMember;

class Watchers {
 public:
  explicit Watchers(World& world) : world_(world) {}

  void start();
  // What a member's hub sends.
  void deliver(SimMember& member, mvcc::Deliveries deliveries);
  void on_end(const SimMember& member);
  // W4, W11: everybody was told everything.
  void check_end();

 private:
  struct Watcher {
    std::string key, range_end;
    bool prev_kv = false;
    bool progress = false;
    std::int64_t next = 0;  // everything before was told; 0: not created yet
    SimMember* member = nullptr;
    std::uint64_t life = 0;
    mvcc::StreamId stream;
    bool created = false;
    std::deque<mvcc::WatchResponse> inbox;
    bool consuming = false;
    std::size_t outstanding = 0;  // bytes handed out that the member does not know to be taken
  };

  void connect(Watcher& watcher);
  void reconnect(Watcher& watcher);
  void ask_for_progress(Watcher& watcher);
  void consume(Watcher& watcher);
  void on_response(Watcher& watcher, const mvcc::WatchResponse& response);
  void on_events(Watcher& watcher, const mvcc::WatchResponse& response);
  void on_progress(Watcher& watcher, Revision revision);
  std::vector<mvcc::WatchEvent> expected(const Watcher& watcher, std::int64_t revision) const;
  void fail(const Watcher& watcher, const std::string& what);
  bool connected(const Watcher& watcher, mvcc::StreamId stream) const;

  World& world_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::uint64_t last_stream_ = 0;
};

}  // namespace coracle::store_sim
