// What goes in and out of the WatchHub. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "mvcc/types.hpp"

namespace coracle::mvcc {

using StreamId = Strong<struct StreamIdTag, std::uint64_t>;  // given by the driver, never reused

struct WatchLimits {
  std::size_t max_history_revisions = 1000;
  std::size_t max_history_bytes = 4u << 20;
  std::size_t max_outstanding_bytes = 4u << 20;
};

struct WatchCreate {
  std::string key;  // "" means "\0"
  std::string range_end;
  Revision start;  // 0: from the next revision on
  bool progress_notify = false;
  bool prev_kv = false;
  bool fragment = false;  // copied to the responses; the driver cuts with fragment_response()
  bool no_put = false;
  bool no_delete = false;
  std::int64_t watch_id = 0;  // 0: the stream picks
};

struct WatchEvent {
  std::shared_ptr<const Event> event;
  std::shared_ptr<const KeyValue> prev_kv;  // null: not asked for, a creation, or compacted
};

struct WatchResponse {
  Revision revision;  // header.revision
  std::int64_t watch_id = 0;
  bool created = false;
  bool canceled = false;
  Revision compact_revision;
  std::string cancel_reason;
  std::vector<WatchEvent> events;
  bool may_fragment = false;  // the watcher asked for it
  bool fragment = false;      // more parts of this response follow
  std::size_t bytes = 0;      // close to its size on the wire; consumed() takes it back
};

struct Delivery {
  StreamId stream;
  WatchResponse response;
};
using Deliveries = std::vector<Delivery>;

inline constexpr std::int64_t kNoWatchId = -1;
// etcd's default request limit plus its gRPC overhead.
inline constexpr std::size_t kFragmentBytes = (1536u + 512u) << 10;

// The response in parts smaller than max_bytes where its events allow it; every part but the last
// has `fragment` set. Their `bytes` add up to the whole's.
std::vector<WatchResponse> fragment_response(WatchResponse response,
                                             std::size_t max_bytes = kFragmentBytes);
std::size_t wire_size(const WatchEvent& event);

}  // namespace coracle::mvcc
