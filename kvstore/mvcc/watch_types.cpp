#include "mvcc/watch_types.hpp"

#include <bit>
#include <utility>

namespace coracle::mvcc {
namespace {

// Sizes on the wire: every tag of these messages takes one byte.
std::size_t varint_size(std::uint64_t number) {
  return (static_cast<std::size_t>(std::bit_width(number | 1)) + 6) / 7;
}
std::size_t field_size(std::int64_t number) {
  return number == 0 ? 0 : 1 + varint_size(static_cast<std::uint64_t>(number));
}
std::size_t submessage_size(std::size_t size) { return 1 + varint_size(size) + size; }
std::size_t field_size(const std::string& bytes) {
  return bytes.empty() ? 0 : submessage_size(bytes.size());
}

std::size_t wire_size(const KeyValue& kv) {
  return field_size(kv.key) + field_size(kv.create.value) + field_size(kv.mod.value) +
         field_size(kv.version) + field_size(kv.value) + field_size(kv.lease.value);
}

}  // namespace

std::size_t wire_size(const WatchEvent& event) {
  std::size_t size = submessage_size(wire_size(event.event->kv));
  if (event.event->type == Event::Type::kDelete) size += 2;
  if (event.prev_kv) size += submessage_size(wire_size(*event.prev_kv));
  return submessage_size(size);
}

std::vector<WatchResponse> fragment_response(WatchResponse response, std::size_t max_bytes) {
  std::vector<WatchResponse> parts;
  if (response.bytes < max_bytes || response.events.size() < 2) {
    parts.push_back(std::move(response));
    return parts;
  }
  std::vector<WatchEvent> events = std::exchange(response.events, {});
  std::size_t all = 0;
  for (const WatchEvent& event : events) all += wire_size(event);
  const std::size_t overhead = response.bytes - std::min(all, response.bytes);
  WatchResponse part = response;
  part.bytes = overhead;
  std::size_t on_wire = overhead;  // every part has a header; the whole's `bytes` counts one
  for (WatchEvent& event : events) {
    const std::size_t size = wire_size(event);
    if (!part.events.empty() && on_wire + size >= max_bytes) {
      part.fragment = true;
      parts.push_back(std::exchange(part, response));
      part.bytes = 0;
      on_wire = overhead;
    }
    part.bytes += size;
    on_wire += size;
    part.events.push_back(std::move(event));
  }
  parts.push_back(std::move(part));
  return parts;
}

}  // namespace coracle::mvcc
