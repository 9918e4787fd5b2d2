// What the store's clients ask and get, as plain values; the server translates them from and to
// the wire. Field meanings and defaults are those of etcd v3 (an absent field is its default).
// A KeyValue with create == 0 never leaves the store but as a deletion's tombstone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.hpp"

namespace coracle::mvcc {

struct KeyValue {
  std::string key;
  std::string value;
  Revision create;
  Revision mod;
  std::int64_t version = 0;
  LeaseId lease;
  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

// A put is a creation iff kv.create == kv.mod. A deletion's kv carries only key and mod.
struct Event {
  enum class Type { kPut, kDelete };
  Type type = Type::kPut;
  KeyValue kv;
  friend bool operator==(const Event&, const Event&) = default;
};

// All events of one revision, in the order of their sub-revisions. Shared, so that thousands of
// watchers hold one copy of a value.
struct Change {
  Revision revision;
  std::vector<std::shared_ptr<const Event>> events;
};

enum class SortOrder : int { kNone = 0, kAscend = 1, kDescend = 2 };
enum class SortTarget : int { kKey = 0, kVersion = 1, kCreate = 2, kMod = 3, kValue = 4 };

struct RangeRequest {
  std::string key;
  std::string range_end;
  std::int64_t limit = 0;
  Revision revision;
  SortOrder sort_order = SortOrder::kNone;
  SortTarget sort_target = SortTarget::kKey;
  bool serializable = false;  // decided by the caller; the store answers from what it has applied
  bool keys_only = false;
  bool count_only = false;
  Revision min_mod, max_mod, min_create, max_create;
};

// `revision` in every result is what the response's header says.
struct RangeResult {
  Revision revision;
  std::vector<KeyValue> kvs;
  bool more = false;
  std::int64_t count = 0;
  friend bool operator==(const RangeResult&, const RangeResult&) = default;
};

struct PutRequest {
  std::string key;
  std::string value;
  LeaseId lease;
  bool prev_kv = false;
  bool ignore_value = false;
  bool ignore_lease = false;
};
struct PutResult {
  Revision revision;
  std::optional<KeyValue> prev_kv;
  friend bool operator==(const PutResult&, const PutResult&) = default;
};

struct DeleteRequest {
  std::string key;
  std::string range_end;
  bool prev_kv = false;
};
struct DeleteResult {
  Revision revision;
  std::int64_t deleted = 0;
  std::vector<KeyValue> prev_kvs;
  friend bool operator==(const DeleteResult&, const DeleteResult&) = default;
};

struct Compare {
  enum class Result : int { kEqual = 0, kGreater = 1, kLess = 2, kNotEqual = 3 };
  enum class Target : int { kVersion = 0, kCreate = 1, kMod = 2, kValue = 3, kLease = 4 };
  Result result = Result::kEqual;
  Target target = Target::kVersion;
  std::string key;
  std::string range_end;
  std::int64_t number = 0;  // for every target but kValue; 0 if the wire's union is of another kind
  std::string value;        // for kValue
};

struct RequestOp;
struct TxnRequest {
  std::vector<Compare> compare;
  std::vector<RequestOp> success;
  std::vector<RequestOp> failure;
};
// monostate: the wire's oneof was not set; check_txn refuses it.
struct RequestOp {
  std::variant<std::monostate, RangeRequest, PutRequest, DeleteRequest, TxnRequest> request;
};

struct ResponseOp;
// A nested txn's header is empty on the wire: its `revision` is 0.
struct TxnResult {
  Revision revision;
  bool succeeded = false;
  std::vector<ResponseOp> responses;
  friend bool operator==(const TxnResult&, const TxnResult&);
};
struct ResponseOp {
  std::variant<RangeResult, PutResult, DeleteResult, TxnResult> response;
  friend bool operator==(const ResponseOp&, const ResponseOp&) = default;
};
inline bool operator==(const TxnResult& a, const TxnResult& b) {
  return a.revision == b.revision && a.succeeded == b.succeeded && a.responses == b.responses;
}

}  // namespace coracle::mvcc
