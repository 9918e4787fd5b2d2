// WatchStream: one bidirectional Watch stream to one endpoint, shared by several watches.
//
// Threads: everything public on the strand. gRPC's threads call the On* methods, which only post to
// the strand. Reads are started from the strand, so a slow strand slows the server (that bounds
// what waits here). One create request is under way at a time: its answer names no request. Life:
// made by start(); it keeps itself until gRPC is done with it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/executor.hpp"
#include "client/store.hpp"
#include "etcd/rpc.grpc.pb.h"

namespace coracle::client {

// How many gRPC calls of a store are not over: its destructor waits for none.
class CallCount {
 public:
  void up();
  void down();
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;  // guarded by mutex_
};

// One watch, as the strand sees it.
struct LiveWatch {
  WatchRequest request;
  WatchSink sink;
  std::int64_t id = -1;       // the server's; -1: not created yet
  std::int64_t revision = 0;  // delivered up to here
  bool open = true;           // false: cancelled or ended; nothing is delivered any more
  bool progress_wanted = false;

  void end(const Status& status);
};

class WatchStream final
    : public grpc::ClientBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>,
      public std::enable_shared_from_this<WatchStream> {
 public:
  static std::shared_ptr<WatchStream> start(Executor& executor, etcdserverpb::Watch::Stub& stub,
                                            std::shared_ptr<CallCount> calls);

  bool broken() const { return broken_; }
  size_t watches() const { return creating_.size() + live_.size(); }
  void add(const std::shared_ptr<LiveWatch>& watch);
  void remove(const std::shared_ptr<LiveWatch>& watch);  // the watch was cancelled
  void request_progress();
  // The store goes away: nothing is delivered any more, and gRPC is told to be done.
  void abandon();
  std::weak_ptr<WatchStream> weak() { return weak_from_this(); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  WatchStream(Executor& executor, std::shared_ptr<CallCount> calls);
  void post(std::function<void(WatchStream&)> work);
  void send(etcdserverpb::WatchRequest request);
  void write_next();
  void create_next();
  void on_response();
  void on_created();
  void on_events(LiveWatch& watch);
  void on_progress(std::int64_t revision);
  void on_over(const grpc::Status& status);
  void release();

  Executor& executor_;
  std::shared_ptr<CallCount> calls_;
  std::shared_ptr<WatchStream> self_;  // until OnDone
  grpc::ClientContext context_;
  etcdserverpb::WatchResponse response_;  // of the read under way
  etcdserverpb::WatchRequest writing_;    // of the write under way

  // Strand.
  bool broken_ = false;
  bool held_ = true;
  bool write_under_way_ = false;
  bool create_under_way_ = false;
  std::deque<etcdserverpb::WatchRequest> to_write_;
  std::deque<std::shared_ptr<LiveWatch>> creating_;
  std::map<std::int64_t, std::shared_ptr<LiveWatch>> live_;
};

Status from_grpc(const grpc::Status& status);

}  // namespace coracle::client
