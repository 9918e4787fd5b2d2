// Host: the thread with the member on it, and the watches that are open.
//
// Thread: run() and stop() by the owner; watches_ and what the member calls on the member's strand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "client/embedded_store.hpp"
#include "member/data_folder.hpp"
#include "member/event_loop.hpp"
#include "member/member.hpp"
#include "member/no_peers.hpp"

namespace coracle::client {

// A watch as the Executor's strand sees it.
struct EmbeddedWatch {
  WatchSink sink;
  bool open = true;
};

class Host {
 public:
  static Result<std::shared_ptr<Host>> open(Executor& executor,
                                            const EmbeddedStoreOptions& options);
  ~Host();
  void start();
  // Ends the thread; who still waits is answered, open watches end.
  void stop();

  Executor& executor() { return executor_; }
  store::Member& member() { return *member_; }
  Rng& rng() { return rng_; }

  // Runs `work` on the member's strand; false if it has no room or has ended.
  bool try_post(std::function<void()> work) { return loop_.try_post(std::move(work)); }
  void post(std::function<void()> work) { loop_.post(std::move(work)); }

  // On the member's strand.
  void add_watch(mvcc::StreamId id, const WatchRequest& request,
                 std::shared_ptr<EmbeddedWatch> watch);
  void remove_watch(mvcc::StreamId id);
  void want_progress(mvcc::StreamId id);

 private:
  struct OpenWatch {
    std::shared_ptr<EmbeddedWatch> watch;
    std::int64_t upto = 0;  // the revision it has come to
    bool progress_wanted = false;
  };

  Host(Executor& executor, const EmbeddedStoreOptions& options);
  void deliver(mvcc::Deliveries deliveries);
  void deliver_one(mvcc::StreamId id, OpenWatch& open, mvcc::WatchResponse response);
  void end(mvcc::StreamId id, const Status& status);

  Executor& executor_;
  store::EventLoop loop_;
  store::DataFolder folder_;
  store::NoPeers no_peers_;
  Rng rng_;
  std::unique_ptr<store::Member> member_;
  std::thread thread_;
  std::map<mvcc::StreamId, OpenWatch> watches_;
};

}  // namespace coracle::client
