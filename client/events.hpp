// Event recorder: core/v1 Events with upstream's correlation. A repeated event becomes a higher
// count (PATCH), many similar ones "(combined from similar events)", a flood is cut by a token
// bucket per source and object.
//
// EventCorrelator is pure. EventRecorder sends, one request at a time. Strand: the Executor's.
// Bound: kEventQueueMax waiting events (the oldest is dropped and counted), kEventCacheMax keys.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/executor.hpp"
#include "base/rng.hpp"
#include "client/resource.hpp"

namespace coracle::client {

inline constexpr size_t kEventQueueMax = 1000;
inline constexpr size_t kEventCacheMax = 4096;

struct EventSource {
  std::string component;  // "default-scheduler"
  std::string host;       // kubelets: the node
};

struct EventInput {
  json::object regarding;  // an ObjectReference: kind, namespace, name, uid, apiVersion, ...
  std::string type;        // Normal, Warning
  std::string reason;
  std::string message;  // cut to 1024 bytes
};

// The reference of an object that carries kind and apiVersion.
json::object object_reference(const json::value& object, const std::string& field_path = {});

// What to send for an event: a new object, or a patch of one sent before.
struct EventWrite {
  bool is_patch = false;
  std::string key;  // of the correlator
  std::string namespace_name;
  std::string name;
  json::value body;   // the Event, or the merge patch
  json::value whole;  // of a patch: what to create if the Event is gone
};

class EventCorrelator {
 public:
  explicit EventCorrelator(EventSource source) : source_(std::move(source)) {}
  // Nothing: dropped as spam. `nanos` makes the name unique.
  std::optional<EventWrite> correlate(const EventInput& input, TimePoint now, WallTime wall);
  // The write with this key failed for good: the next one starts anew.
  void forget(const std::string& key) { seen_.erase(key); }

 private:
  struct Bucket {
    double tokens = 0;
    TimePoint at;
  };
  struct Similar {
    std::set<std::string> messages;
    TimePoint last;
  };
  struct Seen {
    std::int64_t count = 0;
    std::string first_time, name;
    TimePoint last;
  };
  bool spam(const std::string& key, TimePoint now);
  json::value event_object(const EventInput& input, const Seen& seen, const std::string& message,
                           const std::string& last_time) const;

  EventSource source_;
  std::map<std::string, Bucket> buckets_;
  std::map<std::string, Similar> similar_;
  std::map<std::string, Seen> seen_;
};

class EventRecorder {
 public:
  EventRecorder(Executor& executor, Api& api, EventSource source);
  ~EventRecorder();  // what waits is lost
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void record(EventInput input);
  void normal(const json::value& object, std::string reason, std::string message);
  void warning(const json::value& object, std::string reason, std::string message);
  std::int64_t dropped() const;
  size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coracle::client
