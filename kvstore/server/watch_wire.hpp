// WatchWire: a WatchResponse as the bytes that go out. An event that thousands watch is encoded
// once, and its bytes are shared by all their responses.
//
// Thread: the strand; the bytes it returns belong to whoever has them.
// Bound:  kEventsMax encoded events are remembered, and none of them beyond forget().
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "etcd/rpc.pb.h"
#include "mvcc/watch_types.hpp"
#include "net/grpc_server.hpp"

namespace coracle::store {

namespace pb = etcdserverpb;

class WatchWire {
 public:
  static constexpr std::size_t kEventsMax = 2048;

  // `header` lacks the revision only.
  net::GrpcMessage encode(const mvcc::WatchResponse& response, const pb::ResponseHeader& header);
  // The events that were encoded last will not come again.
  void forget() { events_.clear(); }

 private:
  // The pointers stay valid while they are keys here.
  using Key = std::pair<std::shared_ptr<const mvcc::Event>, std::shared_ptr<const mvcc::KeyValue>>;

  net::Bytes event_bytes(const mvcc::WatchEvent& event);

  std::map<Key, net::Bytes> events_;
};

}  // namespace coracle::store
