// Event recorder: core/v1 Events with upstream's correlation. A repeated event becomes a higher
// count (PATCH), many similar ones "(combined from similar events)", a flood is cut by a token
// bucket per source and object.
//
// EventCorrelator is pure. EventRecorder sends, so many requests at a time as its options say;
// never two of one Event. Strand: the Executor's. Bound: waiting_max events wait, about 1 KB each
// (the oldest is dropped and counted), kEventCacheMax keys.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/digest.hpp"
#include "base/executor.hpp"
#include "base/metrics.hpp"
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

// What to send for an event: a new object, or a patch of one sent before. Made into JSON when it is
// sent: many may wait.
struct EventWrite {
  bool is_patch = false;
  Digest key;  // of the correlator
  std::string name;
  EventInput input;  // the message as it is told
  std::int64_t count = 1;
  WallTime first, last;

  std::string namespace_name() const;
};

class EventCorrelator {
 public:
  explicit EventCorrelator(EventSource source) : source_(std::move(source)) {}
  // Nothing: dropped as spam. `nanos` makes the name unique.
  std::optional<EventWrite> correlate(EventInput input, TimePoint now, WallTime wall);
  // The Event.
  json::value whole_of(const EventWrite& write) const;
  // Of a repetition: the merge patch of the Event sent before.
  static json::value patch_of(const EventWrite& write);
  // The write with this key failed for good: the next one starts anew.
  void forget(const Digest& key) { seen_.erase(key); }

 private:
  struct Bucket {
    double tokens = 0;
    TimePoint at;
  };
  struct Similar {
    std::set<Digest> messages;
    TimePoint last;
  };
  struct Seen {
    std::int64_t count = 0;
    WallTime first;
    TimePoint last;
  };
  bool spam(const Digest& key, TimePoint now);

  EventSource source_;
  // Keys are digests: a process of thousands of recorders remembers hundreds of thousands.
  std::map<Digest, Bucket> buckets_;
  std::map<Digest, Similar> similar_;
  std::map<Digest, Seen> seen_;
};

struct EventRecorderOptions {
  size_t waiting_max = kEventQueueMax;
  size_t in_flight_max = 1;
  Counter* dropped = nullptr;  // counts what was not told, if given
};

class EventRecorder {
 public:
  EventRecorder(Executor& executor, Api& api, EventSource source,
                EventRecorderOptions options = {});
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
