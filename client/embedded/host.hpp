// Host: the thread with the member on it, and its desk.
//
// Thread: start() and stop() by the owner; the desk on the member's strand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "client/embedded_store.hpp"
#include "client_embedded/member_desk.hpp"
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
  MemberDesk& desk() { return *desk_; }
  void add_watch(mvcc::StreamId id, const WatchRequest& request,
                 std::shared_ptr<EmbeddedWatch> watch);

 private:
  Host(Executor& executor, const EmbeddedStoreOptions& options);

  Executor& executor_;
  store::EventLoop loop_;
  store::DataFolder folder_;
  store::NoPeers no_peers_;
  Rng rng_;
  std::unique_ptr<store::Member> member_;
  std::optional<MemberDesk> desk_;
  std::thread thread_;
};

}  // namespace coracle::client
