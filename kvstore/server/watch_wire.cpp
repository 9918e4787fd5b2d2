#include "server/watch_wire.hpp"

#include <string>
#include <vector>

#include "mvcc/records.hpp"

namespace coracle::store {
namespace {

// Tags of rpc.proto and kv.proto.
constexpr char kEvents = 11 << 3 | 2, kType = 1 << 3, kKv = 2 << 3 | 2, kPrevKv = 3 << 3 | 2;

void append_message(std::string* out, char tag, const std::string& bytes) {
  out->push_back(tag);
  mvcc::append_varint(*out, bytes.size());
  out->append(bytes);
}

}  // namespace

net::Bytes WatchWire::event_bytes(const mvcc::WatchEvent& event) {
  Key key(event.event, event.prev_kv);
  if (const auto known = events_.find(key); known != events_.end()) return known->second;
  std::string message;
  if (event.event->type == mvcc::Event::Type::kDelete) message = {kType, 1};
  append_message(&message, kKv, mvcc::encode_kv(event.event->kv));
  if (event.prev_kv) append_message(&message, kPrevKv, mvcc::encode_kv(*event.prev_kv));
  std::string field;
  append_message(&field, kEvents, message);
  net::Bytes bytes = net::make_bytes(std::move(field));
  if (events_.size() < kEventsMax) events_.emplace(std::move(key), bytes);
  return bytes;
}

net::GrpcMessage WatchWire::encode(const mvcc::WatchResponse& in,
                                   const pb::ResponseHeader& header) {
  pb::WatchResponse head;
  *head.mutable_header() = header;
  head.mutable_header()->set_revision(in.revision.value);
  head.set_watch_id(in.watch_id);
  head.set_created(in.created);
  head.set_canceled(in.canceled);
  head.set_compact_revision(in.compact_revision.value);
  head.set_cancel_reason(in.cancel_reason);
  head.set_fragment(in.fragment);
  net::GrpcMessage parts;
  parts.reserve(1 + in.events.size());
  parts.push_back(net::make_bytes(head.SerializeAsString()));
  for (const mvcc::WatchEvent& event : in.events) parts.push_back(event_bytes(event));
  return parts;
}

}  // namespace coracle::store
