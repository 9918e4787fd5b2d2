#include "client/memory_store.hpp"

#include <algorithm>

namespace coracle::client {
namespace {

constexpr std::int64_t kLeaseSecondsMin = 2;
constexpr std::int64_t kLeaseSecondsMax = 9'000'000'000;

bool in_range(const std::string& key, const std::string& from, const std::string& end) {
  if (end.empty()) return key == from;
  return key >= from && (end == std::string(1, '\0') || key < end);
}

}  // namespace

struct MemoryStore::State {
  struct Version {
    KeyValue kv;
    bool tombstone = false;
  };
  struct Watcher {
    WatchRequest request;
    WatchSink sink;
    std::int64_t next = 0;  // the first revision not delivered
    bool open = true;
    bool flush_posted = false;
    bool wants_progress = false;
  };
  struct Lease {
    std::set<std::string> keys;
  };

  explicit State(Executor& e) : executor(e) {}

  Result<RangeResult> range(const RangeRequest& request) const;
  Result<GuardedResult> write(const GuardedWrite& request);
  Result<bool> compact(std::int64_t at);
  Result<std::int64_t> grant(const std::shared_ptr<State>& self, std::int64_t ttl);
  void expire(std::int64_t lease);

  const Version* at(const std::vector<Version>& versions, std::int64_t at_revision) const;
  const KeyValue* live(const std::string& key) const;
  void apply_put(const GuardedWrite& request);
  void apply_delete(const std::string& key);
  void detach(const KeyValue& kv);
  void wake_watchers();
  void post_flush(const std::shared_ptr<Watcher>& watcher);
  void flush(Watcher& watcher);
  void end(Watcher& watcher, const Status& status);

  Executor& executor;
  bool reachable = true;
  Duration time_out{};
  std::int64_t revision = 1;
  std::int64_t compacted = -1;
  std::int64_t next_lease = 1;
  std::map<std::string, std::vector<Version>> keys;     // versions ascending
  std::map<std::int64_t, std::vector<WatchEvent>> log;  // revision -> what it changed
  std::map<std::int64_t, Lease> leases;
  std::vector<std::shared_ptr<Watcher>> watchers;
};

const MemoryStore::State::Version* MemoryStore::State::at(const std::vector<Version>& versions,
                                                          std::int64_t at_revision) const {
  for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
    if (it->kv.mod_revision <= at_revision) return it->tombstone ? nullptr : &*it;
  }
  return nullptr;
}

const KeyValue* MemoryStore::State::live(const std::string& key) const {
  const auto found = keys.find(key);
  if (found == keys.end()) return nullptr;
  const Version* version = at(found->second, revision);
  return version ? &version->kv : nullptr;
}

Result<RangeResult> MemoryStore::State::range(const RangeRequest& request) const {
  if (request.key.empty()) return invalid_argument("etcdserver: key is not provided");
  if (request.revision > revision) {
    return out_of_range("etcdserver: mvcc: required revision is a future revision");
  }
  if (request.revision > 0 && request.revision < compacted) {
    return out_of_range("etcdserver: mvcc: required revision has been compacted");
  }
  const std::int64_t wanted = request.revision > 0 ? request.revision : revision;
  RangeResult result;
  result.revision = revision;
  for (auto it = keys.lower_bound(request.key); it != keys.end(); ++it) {
    if (!in_range(it->first, request.key, request.range_end)) break;
    const Version* version = at(it->second, wanted);
    if (!version) continue;
    ++result.count;
    if (request.count_only) continue;
    if (request.limit > 0 && result.count > request.limit) {
      result.more = true;
      continue;
    }
    result.kvs.push_back(version->kv);
    if (request.keys_only) result.kvs.back().value.clear();
  }
  return result;
}

Result<GuardedResult> MemoryStore::State::write(const GuardedWrite& request) {
  if (request.key.empty()) return invalid_argument("etcdserver: key is not provided");
  if (request.key.size() + request.value.size() > kRequestBytesMax) {
    return invalid_argument("etcdserver: request is too large");
  }
  const KeyValue* current = live(request.key);
  GuardedResult result;
  if ((current ? current->mod_revision : 0) != request.expected_mod_revision) {
    if (current && request.read_on_conflict) result.current.push_back(*current);
    result.revision = revision;
    return result;
  }
  result.succeeded = true;
  if (request.op == GuardedWrite::Op::kPut) {
    if (request.lease != 0 && !leases.contains(request.lease)) {
      return not_found("etcdserver: requested lease not found");
    }
    ++revision;
    apply_put(request);
  } else if (current) {
    ++revision;
    apply_delete(request.key);
  }
  result.revision = revision;
  wake_watchers();
  return result;
}

void MemoryStore::State::detach(const KeyValue& kv) {
  const auto lease = leases.find(kv.lease);
  if (lease != leases.end()) lease->second.keys.erase(kv.key);
}

void MemoryStore::State::apply_put(const GuardedWrite& request) {
  WatchEvent event;
  if (const KeyValue* before = live(request.key)) {
    detach(*before);
    event.has_previous = true;
    event.previous = *before;
  }
  event.kv = {request.key,
              request.value,
              event.has_previous ? event.previous.create_revision : revision,
              revision,
              event.previous.version + 1,
              request.lease};
  if (request.lease != 0) leases.at(request.lease).keys.insert(request.key);
  keys[request.key].push_back({event.kv, false});
  log[revision].push_back(std::move(event));
}

void MemoryStore::State::apply_delete(const std::string& key) {
  const KeyValue* before = live(key);
  detach(*before);
  WatchEvent event{.is_delete = true, .has_previous = true, .previous = *before};
  event.kv.key = key;
  event.kv.mod_revision = revision;
  keys[key].push_back({event.kv, true});
  log[revision].push_back(std::move(event));
}

Result<bool> MemoryStore::State::compact(std::int64_t at_revision) {
  if (at_revision <= compacted) {
    return out_of_range("etcdserver: mvcc: required revision has been compacted");
  }
  if (at_revision > revision) {
    return out_of_range("etcdserver: mvcc: required revision is a future revision");
  }
  compacted = at_revision;
  for (auto it = keys.begin(); it != keys.end();) {
    auto& versions = it->second;
    // The newest version at or below the mark stays if it is a put.
    auto keep = std::find_if(versions.begin(), versions.end(),
                             [&](const Version& v) { return v.kv.mod_revision > at_revision; });
    if (keep != versions.begin() && !std::prev(keep)->tombstone) --keep;
    versions.erase(versions.begin(), keep);
    it = versions.empty() ? keys.erase(it) : std::next(it);
  }
  log.erase(log.begin(), log.lower_bound(at_revision));
  const auto edge = log.find(at_revision);
  if (edge != log.end()) {
    for (WatchEvent& event : edge->second) {
      event.has_previous = false;
      event.previous = {};
    }
  }
  return true;
}

Result<std::int64_t> MemoryStore::State::grant(const std::shared_ptr<State>& self,
                                               std::int64_t ttl) {
  if (ttl > kLeaseSecondsMax) return out_of_range("etcdserver: too large lease TTL");
  const std::int64_t id = next_lease++;
  leases.emplace(id, Lease{});
  executor.after(std::chrono::seconds(std::max(ttl, kLeaseSecondsMin)),
                 [weak = std::weak_ptr<State>(self), id] {
                   if (auto state = weak.lock()) state->expire(id);
                 });
  return id;
}

void MemoryStore::State::expire(std::int64_t id) {
  const std::set<std::string> attached = leases.at(id).keys;
  if (!attached.empty()) ++revision;  // all of them in one revision
  for (const std::string& key : attached) apply_delete(key);
  leases.erase(id);
  wake_watchers();
}

void MemoryStore::State::wake_watchers() {
  std::erase_if(watchers, [](const auto& watcher) { return !watcher->open; });
  for (const auto& watcher : watchers) post_flush(watcher);
}

void MemoryStore::State::post_flush(const std::shared_ptr<Watcher>& watcher) {
  if (watcher->flush_posted) return;
  watcher->flush_posted = true;
  executor.post([this, watcher] {
    // `this` lives as long as an open watcher: the store's destructor closes them all.
    watcher->flush_posted = false;
    if (watcher->open) flush(*watcher);
  });
}

void MemoryStore::State::flush(Watcher& watcher) {
  if (watcher.next < compacted) {
    return end(watcher, out_of_range("etcdserver: mvcc: required revision has been compacted"));
  }
  std::vector<WatchEvent> events;
  for (auto it = log.lower_bound(watcher.next); it != log.end(); ++it) {
    for (const WatchEvent& event : it->second) {
      if (in_range(event.kv.key, watcher.request.key, watcher.request.range_end)) {
        events.push_back(event);
      }
    }
  }
  watcher.next = std::max(watcher.next, revision + 1);
  const bool progress = std::exchange(watcher.wants_progress, false);
  const auto sink = watcher.sink.on_events;  // the callback may destroy the watch
  if (!events.empty() || progress) sink(std::move(events), revision);
}

void MemoryStore::State::end(Watcher& watcher, const Status& status) {
  watcher.open = false;
  const auto sink = watcher.sink.on_end;
  if (sink) sink(status);
}

namespace {

class MemoryWatch final : public Watch {
 public:
  explicit MemoryWatch(std::function<void(bool)> control) : control_(std::move(control)) {}
  ~MemoryWatch() override { control_(false); }
  void request_progress() override { control_(true); }

 private:
  std::function<void(bool)> control_;  // true: progress; false: cancel
};

}  // namespace

MemoryStore::MemoryStore(Executor& executor) : state_(std::make_shared<State>(executor)) {}

MemoryStore::~MemoryStore() {
  // A sink may own the watch that keeps its watcher: each would keep the other.
  for (const auto& watcher : std::exchange(state_->watchers, {})) {
    watcher->open = false;
    const WatchSink sink = std::exchange(watcher->sink, {});
  }
}

namespace {

// A call takes effect, and is answered, in a later turn of the strand.
template <class T, class S>
Task<Result<T>> later(std::shared_ptr<S> state, std::function<Result<T>(S&)> work) {
  const bool reached = co_await Callback<bool>([state](std::function<void(bool)> done) {
    state->executor.post([state, done = std::move(done)] { done(state->reachable); });
  });
  if (!reached) {
    co_await sleep_on(state->executor, state->time_out);
    co_return unavailable("etcdserver: request timed out");
  }
  co_return work(*state);
}

}  // namespace

Task<Result<RangeResult>> MemoryStore::range(RangeRequest request) {
  return later<RangeResult, State>(
      state_, [request = std::move(request)](State& s) { return s.range(request); });
}

Task<Result<GuardedResult>> MemoryStore::write(GuardedWrite request) {
  return later<GuardedResult, State>(
      state_, [request = std::move(request)](State& s) { return s.write(request); });
}

Task<Result<std::int64_t>> MemoryStore::grant_lease(std::int64_t ttl_seconds) {
  return later<std::int64_t, State>(state_, [self = std::weak_ptr(state_), ttl_seconds](State& s) {
    return s.grant(self.lock(), ttl_seconds);
  });
}

Task<Result<bool>> MemoryStore::compact(std::int64_t revision) {
  return later<bool, State>(state_, [revision](State& s) { return s.compact(revision); });
}

Task<Result<StoreStatus>> MemoryStore::status() {
  return later<StoreStatus, State>(state_, [](State& s) -> Result<StoreStatus> {
    StoreStatus status{.version = "3.6.14"};
    for (const auto& [key, versions] : s.keys) {
      for (const auto& version : versions) {
        status.db_size_bytes += static_cast<std::int64_t>(key.size() + version.kv.value.size());
      }
    }
    return status;
  });
}

std::unique_ptr<Watch> MemoryStore::watch(WatchRequest request, WatchSink sink) {
  auto watcher = std::make_shared<State::Watcher>();
  watcher->next = request.start_revision > 0 ? request.start_revision : state_->revision + 1;
  watcher->request = std::move(request);
  watcher->sink = std::move(sink);
  if (state_->reachable) {
    state_->watchers.push_back(watcher);
    state_->post_flush(watcher);
  } else {
    state_->executor.post([state = state_, watcher] {
      if (watcher->open) state->end(*watcher, unavailable("etcdserver: no leader"));
    });
  }
  return std::make_unique<MemoryWatch>([weak = std::weak_ptr(state_), watcher](bool progress) {
    auto state = weak.lock();
    if (progress && state && watcher->open) {
      watcher->wants_progress = true;
      state->post_flush(watcher);
    }
    if (!progress) watcher->open = false;
  });
}

void MemoryStore::set_reachable(bool reachable, Duration time_out) {
  state_->reachable = reachable;
  state_->time_out = time_out;
  if (!reachable) end_watches(unavailable("etcdserver: no leader"));
}

void MemoryStore::end_watches(const Status& status) {
  const auto watchers = std::exchange(state_->watchers, {});
  for (const auto& watcher : watchers) {
    state_->executor.post([state = state_, watcher, status] {
      if (watcher->open) state->end(*watcher, status);
    });
  }
}

std::int64_t MemoryStore::revision() const { return state_->revision; }

}  // namespace coracle::client
