// The few messages of the etcd v3 API that the load is made of, written and read as protobuf bytes
// without message objects: the client shall cost little. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coracle::bench {

inline constexpr std::string_view kRangePath = "/etcdserverpb.KV/Range";
inline constexpr std::string_view kPutPath = "/etcdserverpb.KV/Put";
inline constexpr std::string_view kTxnPath = "/etcdserverpb.KV/Txn";
inline constexpr std::string_view kWatchPath = "/etcdserverpb.Watch/Watch";

struct Range {
  std::string_view key;
  std::string_view range_end = {};
  std::int64_t limit = 0;
  bool serializable = false;
};

std::string range_request(const Range& range);
std::string put_request(std::string_view key, std::string_view value);
// The shapes of a stock kube-apiserver: create (mod 0), update and delete at a revision.
std::string txn_put(std::string_view key, std::int64_t mod, std::string_view value);
std::string txn_delete(std::string_view key, std::int64_t mod);
std::string watch_request(std::string_view key, std::string_view range_end, bool prev_kv);

// What the load wants to know of an answer.
struct Answer {
  std::int64_t revision = 0;  // of the header
  bool succeeded = false;     // TxnResponse
  std::int64_t count = 0;     // RangeResponse
};
Answer read_txn(std::string_view message);
Answer read_range(std::string_view message);

// Calls visit(value of the kv) for each PUT event of a WatchResponse.
template <class Visit>
void visit_events(std::string_view message, const Visit& visit);

// ---- protobuf fields ----
struct Field {
  std::uint32_t number = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;
};
// False at the end, or where the message was cut.
bool next_field(std::string_view* in, Field* field);

template <class Visit>
void visit_events(std::string_view message, const Visit& visit) {
  constexpr std::uint32_t kEvents = 11, kKv = 2, kValue = 5;
  Field event, part, kv;
  while (next_field(&message, &event)) {
    if (event.number != kEvents) continue;
    while (next_field(&event.bytes, &part)) {
      if (part.number != kKv) continue;
      while (next_field(&part.bytes, &kv)) {
        if (kv.number == kValue) visit(kv.bytes);
      }
    }
  }
}

}  // namespace coracle::bench
