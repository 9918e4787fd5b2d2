// ResourceCache: the objects of one resource, the latest changes to them, and who watches.
//
// Thread: apiserver strand only. Pure: no I/O, no clock; StoreFeed pushes changes in.
// Invariants: a watcher gets every change after its start once, in ascending revision; the ring
// holds every change after oldest_revision(). Bounds: ring by limits.events_max and
// limits.event_bytes_max; a slow watcher is the client's business (WatchClient must not block).
// Errors: watch() gives OutOfRange when the start is older than the ring.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/cache/object.hpp"
#include "client/store.hpp"

namespace coracle::apiserver {

// One change. Created: no `before`. Deleted: no `now`.
class CacheEvent {
 public:
  CacheEvent(std::int64_t revision, ObjectPtr now, ObjectPtr before)
      : revision_(revision), now_(std::move(now)), before_(std::move(before)) {}

  std::int64_t revision() const { return revision_; }
  const ObjectPtr& now() const { return now_; }
  const ObjectPtr& before() const { return before_; }
  // The previous body under this event's revision: what watchers that lose the object are sent.
  const ObjectPtr& gone() const;
  // Bytes made once for all watchers that share `form` (a number the encoder chooses).
  Bytes memo(int form, const std::function<Bytes()>& make) const;

 private:
  std::int64_t revision_;
  ObjectPtr now_, before_;
  mutable ObjectPtr gone_;
  mutable std::vector<std::pair<int, Bytes>> memo_;
};

using EventPtr = std::shared_ptr<const CacheEvent>;

class WatchClient {
 public:
  virtual ~WatchClient() = default;
  virtual void on_event(const EventPtr& event) = 0;
};

// Narrows which events are offered at all; empty members do not narrow.
struct WatchScope {
  std::string ns, name, node;
};

struct CacheLimits {
  std::size_t events_max = 20000;
  std::size_t event_bytes_max = 16 << 20;
};

class ResourceCache {
 public:
  explicit ResourceCache(ObjectShape shape, CacheLimits limits = {});

  const ObjectShape& shape() const { return shape_; }

  // Feed side. Keys are the part below "/registry/<prefix>/". known: the tree of kv.value, or null.
  Status put(std::string key, const client::KeyValue& kv, const json::value* known = nullptr);
  void remove(const std::string& key, std::int64_t revision);
  // The whole state as of `revision`: differences become events for the watchers there are.
  void replace(std::vector<std::pair<std::string, client::KeyValue>> all, std::int64_t revision);

  // Read side.
  ObjectPtr find(std::string_view key) const;
  // Ascending by key, those of `ns` (all when empty) with key >= from; stops when fn says false.
  void scan(std::string_view ns, std::string_view from,
            const std::function<bool(const ObjectPtr&)>& fn) const;
  // Why the stored value below this key cannot be read; of any object of `ns` (all when empty) for
  // scans. Null: all are as find and scan tell.
  const std::string* unreadable(std::string_view key) const;
  const std::string* unreadable_in(std::string_view ns) const;
  std::size_t size() const { return objects_.size(); }
  std::int64_t last_change() const { return last_change_; }
  std::int64_t oldest_revision() const { return oldest_; }

  // Watch side. Changes after `after_revision` that the ring still has are offered at once.
  using WatcherId = std::uint64_t;
  Result<WatcherId> watch(const WatchScope& scope, std::int64_t after_revision,
                          WatchClient* client);
  void unwatch(WatcherId id);
  std::size_t watchers() const { return homes_.size(); }

 private:
  struct Entry {
    WatcherId id;
    WatchClient* client;  // null once gone
    std::int64_t after;
  };
  using Bucket = std::vector<std::shared_ptr<Entry>>;

  std::string bucket_of(const WatchScope& scope) const;
  bool in_scope(const WatchScope& scope, const CacheEvent& event) const;
  std::string_view node_of(const ObjectPtr& object) const;
  void append(EventPtr event);
  void offer(const std::string& bucket, const EventPtr& event);
  void sweep();

  const ObjectShape shape_;
  const int node_field_;
  const CacheLimits limits_;
  std::map<std::string, ObjectPtr, std::less<>> objects_;
  std::map<std::string, std::string, std::less<>> unreadable_;  // mostly empty
  std::deque<EventPtr> ring_;
  std::size_t ring_bytes_ = 0;
  std::int64_t oldest_ = 0;
  std::int64_t last_change_ = 0;
  std::map<std::string, Bucket> buckets_;
  std::map<WatcherId, std::string> homes_;  // which bucket
  std::vector<std::string> dirty_;          // buckets with dead entries, swept after dispatch
  int dispatching_ = 0;
  WatcherId next_id_ = 1;
};

}  // namespace coracle::apiserver
