// WatchStream: one bidirectional Watch stream to one endpoint, shared by several watches.
//
// Strand only. The store reads the connection when the strand has time, so a slow strand slows the
// server. One create request is under way at a time: its answer names no request.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "client/store.hpp"
#include "etcd/rpc.pb.h"
#include "net/grpc_channel.hpp"

namespace coracle::client {

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

class WatchStream final : public std::enable_shared_from_this<WatchStream> {
 public:
  static std::shared_ptr<WatchStream> start(net::GrpcChannel& channel);

  bool broken() const { return broken_; }
  size_t watches() const { return creating_.size() + live_.size(); }
  void add(const std::shared_ptr<LiveWatch>& watch);
  void remove(const std::shared_ptr<LiveWatch>& watch);  // the watch was cancelled
  void request_progress();
  // The store goes away: nothing is delivered any more.
  void abandon();

 private:
  WatchStream() = default;
  void send(const etcdserverpb::WatchRequest& request);
  void create_next();
  void on_response(etcdserverpb::WatchResponse response);
  void on_created(const etcdserverpb::WatchResponse& response);
  void on_events(LiveWatch& watch, etcdserverpb::WatchResponse& response);
  void on_progress(std::int64_t revision);
  void on_over(const std::string& why);

  std::unique_ptr<net::GrpcStream> stream_;  // null: broken
  bool broken_ = false;
  bool create_under_way_ = false;
  bool progress_asked_ = false;  // since the last notice
  std::deque<std::shared_ptr<LiveWatch>> creating_;
  std::map<std::int64_t, std::shared_ptr<LiveWatch>> live_;
};

Status from_grpc(const net::GrpcStatus& status);

}  // namespace coracle::client
