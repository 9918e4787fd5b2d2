// StoreFeed: keeps every ResourceCache in step with the store by one list and one watch of
// /registry/, so that all caches stand at one revision.
//
// Thread: apiserver strand only. The Executor and the Store outlive it.
// Invariant: revision() never falls; every change up to it has been put into the caches and offered
// to their watchers.
// When the watch is lost it resumes after revision(); when that was compacted it lists again, and
// the caches turn the differences into events: watchers stay. Bounds: kWaitersMax waiting readers,
// further ones are refused (ResourceExhausted). Errors: Unavailable (no store in time),
// DeadlineExceeded (revision not reached in time).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/cache/recent_trees.hpp"
#include "apiserver/cache/resource_cache.hpp"
#include "base/executor.hpp"

namespace coracle::apiserver {

inline constexpr std::string_view kRegistry = "/registry/";

class StoreFeed {
 public:
  static constexpr std::size_t kWaitersMax = 100000;
  static constexpr std::int64_t kPageSize = 1000;
  static constexpr Duration kFreshTimeout = std::chrono::seconds(3);

  StoreFeed(Executor& executor, client::Store& store);
  ~StoreFeed();

  // Before start(). The caches outlive the feed.
  void add(ResourceCache* cache);
  void start();
  void stop();

  bool synced() const { return synced_; }
  std::int64_t revision() const { return revision_; }
  // A cache that joins while the feed runs: filled from the store, then in step like the others.
  // False: the feed was stopped. One at a time for a prefix; an older one of that prefix is
  // replaced.
  Task<bool> join(std::shared_ptr<ResourceCache> cache);
  void leave(const std::string& storage_prefix);
  // Keeps a cache that has joined alive; null for the others, who outlive the feed.
  std::shared_ptr<ResourceCache> hold(std::string_view storage_prefix) const;

  // What writes of this apiserver have made, until their events have passed and were used.
  RecentTrees& recent() { return recent_; }
  // The cache of a storage prefix, or null.
  ResourceCache* cache(std::string_view storage_prefix) const;
  // The object under "namespace/name" or "name" there; null when there is none.
  json::value tree_at(std::string_view storage_prefix, const std::string& key) const;

  // Ok once the caches hold everything that was in the store when this was called. Callers that
  // come while a question to the store is under way share the next one.
  Task<Status> read_barrier();
  // Ok once revision() >= wanted; DeadlineExceeded after `timeout`.
  Task<Status> wait_for(std::int64_t wanted, Duration timeout = kFreshTimeout);

 private:
  using Done = std::function<void(Status)>;
  struct Waiter {
    Done done;
    Executor::TimerId timer = 0;
  };

  // A cache on its way in: what happened since its list began.
  struct Joining {
    std::vector<client::WatchEvent> events;
  };
  using Found = std::vector<std::pair<std::string, client::KeyValue>>;

  Task<bool> run_list(std::uint64_t epoch);
  Task<Result<Found>> list_prefix(std::string prefix, std::int64_t revision);
  Joining* joining(std::string_view key);
  void open_watch();
  void on_watch(std::vector<client::WatchEvent> events, std::int64_t revision);
  void on_watch_end(Status status);
  void retry(std::function<void()> work);
  void apply(client::WatchEvent& event);
  void advance(std::int64_t revision);
  void ask_store();
  void add_waiter(std::int64_t wanted, Duration timeout, Done done);
  void nudge();
  ResourceCache* locate(std::string_view key, std::string* below) const;

  Executor& executor_;
  client::Store& store_;
  std::map<std::string, ResourceCache*, std::less<>> caches_;
  std::map<std::string, std::shared_ptr<ResourceCache>, std::less<>> joined_;
  std::map<std::string, Joining, std::less<>> joining_;
  std::uint64_t lists_ = 0, joins_ = 0;  // so that a list and a join see each other
  std::unique_ptr<client::Watch> watch_;
  RecentTrees recent_;
  bool synced_ = false;
  bool stopped_ = false;
  std::uint64_t epoch_ = 0;  // answers to an older life of the feed are dropped
  std::int64_t revision_ = 0;
  Duration backoff_ = std::chrono::milliseconds(50);
  std::vector<Done> barrier_;  // wait for the next question to the store
  bool asking_ = false;
  std::multimap<std::int64_t, std::shared_ptr<Waiter>> waiters_;
  bool nudging_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace coracle::apiserver
