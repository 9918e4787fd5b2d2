// StoreClient: one server's end of a differential run. Every call blocks until it is answered.
// Thread: one owner; each watch stream has a reader of its own inside.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "differential/operation.hpp"

namespace coracle::differential {

// What came back: gRPC's code and text, and the message if the code is 0.
struct Answer {
  int code = 0;
  std::string text;
  std::shared_ptr<google::protobuf::Message> message;
};

class WatchSession {
 public:
  virtual ~WatchSession() = default;
  virtual void send(const pb::WatchRequest& request) = 0;
  // Waits until what arrived since the last take() satisfies `enough`. False: it did not in time,
  // or the stream ended.
  using Responses = std::vector<pb::WatchResponse>;
  virtual bool wait(const std::function<bool(const Responses&)>& enough) = 0;
  virtual Responses take() = 0;
  // How the stream ended, if the server ended it.
  virtual std::optional<Answer> ended() const = 0;
};

class StoreClient {
 public:
  static std::unique_ptr<StoreClient> connect(const std::string& target);
  virtual ~StoreClient() = default;

  // False: it did not serve a linearizable read in time.
  virtual bool wait_until_ready(Duration timeout) = 0;
  // Everything but watches and ShortLease; those two answer code -1.
  virtual Answer call(const Operation& operation) = 0;
  virtual std::unique_ptr<WatchSession> watch() = 0;
};

}  // namespace coracle::differential
