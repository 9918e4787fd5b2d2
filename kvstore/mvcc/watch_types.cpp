#include "mvcc/watch_types.hpp"

#include <utility>

namespace coracle::mvcc {
namespace {

// Tags, lengths and the five numbers of a KeyValue, generously.
constexpr std::size_t kFieldBytes = 48;

std::size_t wire_size(const KeyValue& kv) { return kv.key.size() + kv.value.size() + kFieldBytes; }

}  // namespace

std::size_t wire_size(const WatchEvent& event) {
  return wire_size(event.event->kv) + (event.prev_kv ? wire_size(*event.prev_kv) : 0);
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
  for (WatchEvent& event : events) {
    const std::size_t size = wire_size(event);
    if (!part.events.empty() && part.bytes + size >= max_bytes) {
      part.fragment = true;
      parts.push_back(std::exchange(part, response));
      part.bytes = 0;
    }
    part.bytes += size;
    part.events.push_back(std::move(event));
  }
  parts.push_back(std::move(part));
  return parts;
}

}  // namespace coracle::mvcc
