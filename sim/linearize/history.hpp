// A history: what clients asked the store, when, and what they were told (docs/formats/history.md).
// Plain values. What an answer does not name was not recorded and is not compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mvcc/types.hpp"

namespace coracle::linearize {

struct CompactRequest {
  std::int64_t revision = 0;
};
struct GrantRequest {
  LeaseId lease;
  std::int64_t ttl = 0;
};
struct RevokeRequest {
  LeaseId lease;
};
// What a watcher was told about one revision.
struct ObserveRequest {
  std::string key;
  std::string range_end;
  std::int64_t revision = 0;
};

using Request =
    std::variant<mvcc::RangeRequest, mvcc::PutRequest, mvcc::DeleteRequest, mvcc::TxnRequest,
                 CompactRequest, GrantRequest, RevokeRequest, ObserveRequest>;

// Refusals that follow from the state.
inline constexpr const char* kCompacted = "compacted";
inline constexpr const char* kFuture = "future";
inline constexpr const char* kLeaseNotFound = "lease not found";
inline constexpr const char* kLeaseExists = "lease exists";
inline constexpr const char* kKeyNotFound = "key not found";

struct SeenKv {
  std::string key;
  std::optional<std::string> value;
  std::optional<std::int64_t> create, mod, version, lease;
  bool deleted = false;  // in events only
};

struct Answer {
  std::string error;  // empty: done
  std::optional<std::int64_t> revision;
  std::optional<std::vector<SeenKv>> kvs, prev_kvs, events;
  std::optional<std::int64_t> count, deleted;
  std::optional<bool> more, succeeded;
  std::optional<std::vector<Answer>> responses;
};

struct Operation {
  std::int64_t client = 0;
  std::int64_t call = 0;
  std::int64_t returned = 0;     // meaningless without an answer
  std::optional<Answer> answer;  // nothing: unknown; it happened at any time after `call`, or never
  Request request;
  std::size_t line = 0;  // where it was read, for messages
};

using History = std::vector<Operation>;

// Everything `seen` names is the same in `full`.
bool matches(const SeenKv& seen, const SeenKv& full);
bool matches(const Answer& seen, const Answer& full);

SeenKv seen(const mvcc::KeyValue& kv);

}  // namespace coracle::linearize
