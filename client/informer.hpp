// Informer: keeps an ObjectCache equal to a resource of the apiserver and tells handlers what
// changed. List + watch: WatchList (sendInitialEvents) if the server knows it, else a paged list;
// bookmarks; a 410 lists again; failures back off 0.8 s..30 s with jitter.
//
// Strand: the Executor's. Handlers run one at a time, in the order of resource versions, and may
// use the cache, which already shows the change. They must not destroy the informer. Invariants: no
// deletion is missed (what a re-list does not show is deleted, final state unknown); handlers never
// see a version of an object older than one they have seen. has_synced() turns true after the
// handlers had every object of the first list, and stays true. Bound: the cache holds what the
// selectors select, nothing else is kept.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/rng.hpp"
#include "client/object_cache.hpp"
#include "client/resource.hpp"

namespace coracle::client {

struct InformerHandler {
  std::function<void(const ObjectPtr& object, bool in_initial_list)> on_add;
  std::function<void(const ObjectPtr& before, const ObjectPtr& after)> on_update;
  // final_state_unknown: the deletion was seen by a re-list, `object` is the last version known.
  std::function<void(const ObjectPtr& object, bool final_state_unknown)> on_delete;
};

// A watch is opened anew after a time drawn between these. With bookmarks the server tells once a
// minute how far it is; without, a quiet watch that is too old to go on lists again.
struct WatchPace {
  Duration at_least = std::chrono::minutes(5), at_most = std::chrono::minutes(10);
  bool bookmarks = true;
};

struct InformerOptions {
  Gvr gvr;
  std::string namespace_name;  // empty: all
  std::string label_selector, field_selector;
  // Applied to each object before it is kept, without managedFields: drop what is not needed.
  std::function<void(json::value&)> transform;
  // What the cache keeps of an object that the handlers are shown whole, for those who keep what
  // they need themselves: name, namespace, uid and resourceVersion (stub_of) at least. Later
  // handlers, and `before` of an update, are shown no more than that.
  std::function<json::value(const json::value&)> stub;
  // With a stub: members that no handler reads, and that may be missing in what it is shown. Given:
  // handlers keep no object, and what they are shown is parsed for one look.
  std::vector<std::string> left_out;
  std::int64_t page = 500;
  bool use_watch_list = true;
  WatchPace watch;
  Duration backoff_first = std::chrono::milliseconds(800);
  Duration backoff_max = std::chrono::seconds(30);
};

// Only what names an object and its version.
json::value stub_of(const json::value& object);

struct InformerCounters {
  std::int64_t lists = 0, watches = 0, events = 0, errors = 0;
};

class Informer {
 public:
  Informer(Executor& executor, Api& api, Rng rng, InformerOptions options);
  ~Informer();  // stops; no handler runs afterwards
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  // Before or after start(). A late handler is given on_add for everything in the cache, at once.
  void add_handler(InformerHandler handler);
  void add_index(const std::string& name, IndexFunction function);
  void start();
  void stop();

  bool has_synced() const;
  // Runs `work` when has_synced() turns true; at once if it is.
  void when_synced(std::function<void()> work);
  const ObjectCache& cache() const;
  // The version the cache has reached; empty before the first list.
  const std::string& resource_version() const;
  const InformerCounters& counters() const;
  // The last failure, empty when all is well: for /debug/state and logs.
  const std::string& last_error() const;
  const Gvr& gvr() const;

  class Core;

 private:
  std::shared_ptr<Core> core_;
};

// One informer per resource, shared by all who ask. Its owner outlives the users.
class InformerFactory {
 public:
  InformerFactory(Executor& executor, Api& api, Rng rng)
      : executor_(executor), api_(api), rng_(rng) {}
  // Made on first use; the same gvr, namespace and selectors give the same one.
  Informer& get(InformerOptions options);
  Informer& get(Gvr gvr) { return get(InformerOptions{.gvr = std::move(gvr)}); }
  void start();
  void stop();
  bool has_synced() const;
  void when_synced(std::function<void()> work);
  std::vector<Informer*> informers() const;

 private:
  Executor& executor_;
  Api& api_;
  Rng rng_;
  bool started_ = false;
  std::map<std::string, std::unique_ptr<Informer>> informers_;
};

}  // namespace coracle::client
