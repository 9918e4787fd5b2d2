// Store: the port through which an apiserver reaches the replicated store. Ends: etcd v3 over gRPC
// (our kvstore or stock etcd), in-process (embedded, simulated). One conformance suite runs on all.
//
// Strand: every call is made, and every Task resumed and callback delivered, on the Executor the
// end was made with. Semantics are etcd's: revisions, compares, leases (see docs/store/kvstore.md).
// Errors: Unavailable (no leader, timed out: a write's outcome is unknown), OutOfRange (compacted
// or future revision), ResourceExhausted (no space), InvalidArgument (too large), NotFound (lease).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/task.hpp"

namespace coracle::client {

struct KeyValue {
  // What an encrypting end found: as it would write it, as it wrote it once, or with none of its
  // keys, when `value` is the reason instead.
  enum class Form : std::uint8_t { kCurrent, kOutdated, kUnreadable };

  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;
  Form form = Form::kCurrent;
};

struct RangeRequest {
  std::string key;
  std::string range_end;      // empty: the single key; prefix_end(key): everything below it
  std::int64_t limit = 0;     // 0: no limit
  std::int64_t revision = 0;  // 0: now, linearizable
  bool count_only = false;
  bool keys_only = false;
};

struct RangeResult {
  std::vector<KeyValue> kvs;  // ascending by key
  bool more = false;          // cut by limit
  std::int64_t count = 0;     // keys in range, whatever the limit
  std::int64_t revision = 0;  // of the store when read
};

// If the key's mod revision equals `expected` (0: it does not exist), then put or delete; else,
// when read_on_conflict, tell what is there. The three shapes a stock kube-apiserver uses, and no
// other.
struct GuardedWrite {
  enum class Op { kPut, kDelete };
  Op op = Op::kPut;
  std::string key;
  std::string value;
  std::int64_t expected_mod_revision = 0;
  std::int64_t lease = 0;
  bool read_on_conflict = true;
};

struct GuardedResult {
  bool succeeded = false;
  std::int64_t revision = 0;      // of the write, equal to the key's new mod revision
  std::vector<KeyValue> current;  // on conflict: what is there (none or one)
};

struct WatchEvent {
  bool is_delete = false;
  KeyValue kv;  // a delete has key and mod_revision only
  bool has_previous = false;
  KeyValue previous;  // the value before, unless created or compacted away
};

struct WatchRequest {
  std::string key;
  std::string range_end;
  std::int64_t start_revision = 0;  // first revision wanted; 0: from now
};

// One callback at a time, on the strand; none after cancel() or on_end.
struct WatchSink {
  // Events of whole revisions, ascending. `revision` >= the last event's: everything up to it was
  // delivered. Without events it is a progress notice.
  std::function<void(std::vector<WatchEvent> events, std::int64_t revision)> on_events;
  // Compacted: OutOfRange. Connection or leader lost: Unavailable; open a new watch from the
  // revision after the last one delivered.
  std::function<void(Status)> on_end;
};

// Destroying it cancels.
class Watch {
 public:
  virtual ~Watch() = default;
  // Asks for a progress notice as soon as the watch is synced with the store.
  virtual void request_progress() = 0;
};

struct StoreStatus {
  std::string version;
  std::int64_t db_size_bytes = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Task<Result<RangeResult>> range(RangeRequest request) = 0;
  virtual Task<Result<GuardedResult>> write(GuardedWrite request) = 0;
  virtual std::unique_ptr<Watch> watch(WatchRequest request, WatchSink sink) = 0;
  // The id of a lease that lives `ttl_seconds` and is never renewed.
  virtual Task<Result<std::int64_t>> grant_lease(std::int64_t ttl_seconds) = 0;
  virtual Task<Result<bool>> compact(std::int64_t revision) = 0;
  virtual Task<Result<StoreStatus>> status() = 0;
};

// The end of the range of all keys with this prefix: "a/" -> "a0"; all 0xff or empty -> "\0".
std::string prefix_end(std::string prefix);

}  // namespace coracle::client
