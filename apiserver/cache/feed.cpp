#include "apiserver/cache/feed.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace coracle::apiserver {

namespace {

constexpr Duration kBackoffMin = std::chrono::milliseconds(50);
constexpr Duration kBackoffMax = std::chrono::seconds(2);
// How long a reader may lack progress before the store is asked for a notice (again).
constexpr Duration kNudge = std::chrono::milliseconds(2);
constexpr Duration kNudgeAgain = std::chrono::milliseconds(100);

}  // namespace

StoreFeed::StoreFeed(Executor& executor, client::Store& store)
    : executor_(executor), store_(store) {}

StoreFeed::~StoreFeed() {
  *alive_ = false;
  stop();
}

void StoreFeed::add(ResourceCache* cache) { caches_[cache->shape().storage_prefix] = cache; }

ResourceCache* StoreFeed::cache(std::string_view storage_prefix) const {
  const auto at = caches_.find(storage_prefix);
  return at == caches_.end() ? nullptr : at->second;
}

json::value StoreFeed::tree_at(std::string_view storage_prefix, const std::string& key) const {
  const ResourceCache* in = cache(storage_prefix);
  const ObjectPtr object = in == nullptr ? nullptr : in->find(key);
  if (!object) return nullptr;
  auto tree = parse_json("{" + *object->tail());
  CHECK(tree.ok());
  return *std::move(tree);
}

void StoreFeed::start() {
  const std::uint64_t epoch = ++epoch_;
  spawn(run_list(epoch), std::function<void(bool)>([this, alive = alive_, epoch](bool ok) {
          if (!*alive || stopped_ || epoch != epoch_) return;
          if (ok) {
            open_watch();
          } else {
            retry([this] { start(); });
          }
        }));
}

void StoreFeed::stop() {
  stopped_ = true;
  ++epoch_;
  watch_.reset();
  std::vector<Done> ended = std::move(barrier_);
  barrier_.clear();
  for (auto& [wanted, waiter] : waiters_) {
    executor_.cancel(waiter->timer);
    ended.push_back(std::move(waiter->done));
  }
  waiters_.clear();
  for (Done& done : ended) done(unavailable("the apiserver is shutting down"));
}

void StoreFeed::retry(std::function<void()> work) {
  const std::uint64_t epoch = epoch_;
  executor_.after(backoff_, [this, alive = alive_, epoch, work = std::move(work)] {
    if (*alive && !stopped_ && epoch == epoch_) work();
  });
  backoff_ = std::min(backoff_ * 2, kBackoffMax);
}

ResourceCache* StoreFeed::locate(std::string_view key, std::string* below) const {
  if (!key.starts_with(kRegistry)) return nullptr;
  key.remove_prefix(kRegistry.size());
  // Prefixes have one or two parts ("pods", "services/specs"); the longer one wins.
  const std::size_t first = key.find('/');
  if (first == std::string_view::npos) return nullptr;
  const std::size_t second = key.find('/', first + 1);
  for (const std::size_t cut : {second, first}) {
    if (cut == std::string_view::npos) continue;
    if (ResourceCache* found = cache(key.substr(0, cut))) {
      *below = key.substr(cut + 1);
      return found;
    }
  }
  return nullptr;
}

Task<bool> StoreFeed::run_list(std::uint64_t epoch) {
  std::map<std::string, Found> found;
  const std::uint64_t joins = joins_;
  client::RangeRequest page;
  page.key = std::string(kRegistry);
  page.range_end = client::prefix_end(page.key);
  page.limit = kPageSize;
  const auto alive = alive_;
  while (true) {
    auto answer = co_await store_.range(page);
    if (!*alive || stopped_ || epoch != epoch_) co_return false;
    if (!answer.ok()) {
      log::warn("cannot list the store: {}", answer.status().to_string());
      co_return false;
    }
    if (page.revision == 0) page.revision = answer->revision;
    for (client::KeyValue& kv : answer->kvs) {
      page.key = kv.key + '\0';
      std::string below;
      if (ResourceCache* cache = locate(kv.key, &below)) {
        found[cache->shape().storage_prefix].emplace_back(std::move(below), std::move(kv));
      }
    }
    if (!answer->more) break;
  }
  if (joins != joins_) co_return false;  // a cache joined that this list has not seen
  ++lists_;
  for (auto& [prefix, cache] : caches_) {
    cache->replace(std::move(found[prefix]), page.revision);
  }
  synced_ = true;
  advance(page.revision);
  co_return true;
}

StoreFeed::Joining* StoreFeed::joining(std::string_view key) {
  for (auto& [prefix, waiting] : joining_) {
    std::string_view rest = key;
    if (!rest.starts_with(kRegistry)) return nullptr;
    rest.remove_prefix(kRegistry.size());
    if (rest.starts_with(prefix) && rest.substr(prefix.size()).starts_with('/')) return &waiting;
  }
  return nullptr;
}

Task<Result<StoreFeed::Found>> StoreFeed::list_prefix(std::string prefix, std::int64_t revision) {
  Found found;
  client::RangeRequest page;
  page.key = std::string(kRegistry) + prefix + "/";
  page.range_end = client::prefix_end(page.key);
  page.limit = kPageSize;
  page.revision = revision;
  const std::size_t cut = page.key.size();
  const auto alive = alive_;
  while (true) {
    auto answer = co_await store_.range(page);
    if (!*alive) co_return unavailable("the apiserver is shutting down");
    if (!answer.ok()) co_return answer.status();
    for (client::KeyValue& kv : answer->kvs) {
      page.key = kv.key + '\0';
      std::string below = kv.key.substr(cut);
      found.emplace_back(std::move(below), std::move(kv));
    }
    if (!answer->more) co_return found;
  }
}

Task<bool> StoreFeed::join(std::shared_ptr<ResourceCache> cache) {
  const auto alive = alive_;
  const std::string prefix = cache->shape().storage_prefix;
  while (!stopped_) {
    if (synced_) {
      const std::uint64_t lists = lists_;
      const std::int64_t revision = revision_;
      joining_[prefix] = {};
      auto found = co_await list_prefix(prefix, revision);
      if (!*alive || stopped_) co_return false;
      Joining waited = std::move(joining_[prefix]);
      joining_.erase(prefix);
      if (found.ok() && lists == lists_) {
        cache->replace(*std::move(found), revision);
        ++joins_;
        caches_[prefix] = cache.get();
        joined_[prefix] = std::move(cache);
        for (client::WatchEvent& event : waited.events) apply(event);
        co_return true;
      }
      if (!found.ok()) log::warn("cannot list {}: {}", prefix, found.status().to_string());
    }
    co_await sleep_on(executor_, kBackoffMin);
    if (!*alive) co_return false;
  }
  co_return false;
}

void StoreFeed::leave(const std::string& storage_prefix) {
  if (joined_.erase(storage_prefix) > 0) caches_.erase(storage_prefix);
}

std::shared_ptr<ResourceCache> StoreFeed::hold(std::string_view storage_prefix) const {
  const auto at = joined_.find(storage_prefix);
  return at == joined_.end() ? nullptr : at->second;
}

void StoreFeed::open_watch() {
  client::WatchRequest request;
  request.key = std::string(kRegistry);
  request.range_end = client::prefix_end(request.key);
  request.start_revision = revision_ + 1;
  const std::uint64_t epoch = ++epoch_;
  const auto current = [this, alive = alive_, epoch] {
    return *alive && !stopped_ && epoch == epoch_;
  };
  client::WatchSink sink;
  sink.on_events = [this, current](std::vector<client::WatchEvent> events, std::int64_t revision) {
    if (current()) on_watch(std::move(events), revision);
  };
  sink.on_end = [this, current](Status status) {
    if (current()) on_watch_end(std::move(status));
  };
  watch_ = store_.watch(std::move(request), std::move(sink));
  if (!waiters_.empty()) nudge();
}

void StoreFeed::on_watch(std::vector<client::WatchEvent> events, std::int64_t revision) {
  backoff_ = kBackoffMin;
  for (client::WatchEvent& event : events) apply(event);
  if (!events.empty()) revision = std::max(revision, events.back().kv.mod_revision);
  advance(revision);
}

void StoreFeed::apply(client::WatchEvent& event) {
  std::string below;
  ResourceCache* cache = locate(event.kv.key, &below);
  if (Joining* waiting = joining(event.kv.key)) waiting->events.push_back(event);
  if (cache == nullptr) return;
  if (event.is_delete) {
    cache->remove(below, event.kv.mod_revision);
    return;
  }
  const json::value* known = recent_.seen(event.kv.key, event.kv.value, event.kv.mod_revision);
  const Status status = cache->put(std::move(below), event.kv, known);
  if (!status.ok()) log::error("{}", status.to_string());
}

void StoreFeed::on_watch_end(Status status) {
  watch_.reset();
  log::warn("the store's watch ended at revision {}: {}", revision_, status.to_string());
  if (status.code() == Code::kOutOfRange) {
    retry([this] { start(); });  // compacted under us: list again
  } else {
    retry([this] { open_watch(); });
  }
}

void StoreFeed::advance(std::int64_t revision) {
  revision_ = std::max(revision_, revision);
  std::vector<Done> ready;
  while (!waiters_.empty() && waiters_.begin()->first <= revision_) {
    executor_.cancel(waiters_.begin()->second->timer);
    ready.push_back(std::move(waiters_.begin()->second->done));
    waiters_.erase(waiters_.begin());
  }
  for (Done& done : ready) done(Status());
}

void StoreFeed::add_waiter(std::int64_t wanted, Duration timeout, Done done) {
  if (synced_ && revision_ >= wanted) return done(Status());
  if (waiters_.size() >= kWaitersMax) {
    return done(Status(Code::kResourceExhausted, "too many requests wait for the store"));
  }
  auto waiter = std::make_shared<Waiter>();
  waiter->done = std::move(done);
  const auto at = waiters_.emplace(wanted, waiter);
  waiter->timer = executor_.after(timeout, [this, alive = alive_, at, wanted] {
    if (!*alive) return;
    const std::shared_ptr<Waiter> late = at->second;
    waiters_.erase(at);
    late->done(deadline_exceeded("revision " + std::to_string(wanted) + " was not reached"));
  });
  if (!nudging_) {
    nudging_ = true;
    executor_.after(kNudge, [this, alive = alive_] {
      if (*alive) nudge();
    });
  }
}

// Changes outside /registry/ raise the store's revision without an event for us.
void StoreFeed::nudge() {
  nudging_ = !waiters_.empty() && !stopped_;
  if (!nudging_) return;
  if (watch_) watch_->request_progress();
  executor_.after(kNudgeAgain, [this, alive = alive_] {
    if (*alive) nudge();
  });
}

void StoreFeed::ask_store() {
  asking_ = true;
  auto batch = std::make_shared<std::vector<Done>>(std::move(barrier_));
  barrier_.clear();
  client::RangeRequest question;
  question.key = "/registry/health";  // one key, there or not: the answer tells the revision
  question.count_only = true;
  spawn(store_.range(std::move(question)),
        std::function<void(Result<client::RangeResult>)>(
            [this, alive = alive_, batch](Result<client::RangeResult> answer) {
              if (!*alive) return;
              asking_ = false;
              if (!barrier_.empty()) ask_store();
              for (Done& done : *batch) {
                if (stopped_) {
                  done(unavailable("the apiserver is shutting down"));
                } else if (!answer.ok()) {
                  done(answer.status());
                } else {
                  add_waiter(answer->revision, kFreshTimeout, std::move(done));
                }
              }
            }));
}

Task<Status> StoreFeed::read_barrier() {
  co_return co_await Callback<Status>([this](std::function<void(Status)> done) {
    if (stopped_) return done(unavailable("the apiserver is shutting down"));
    barrier_.push_back(std::move(done));
    if (!asking_) ask_store();
  });
}

Task<Status> StoreFeed::wait_for(std::int64_t wanted, Duration timeout) {
  co_return co_await Callback<Status>([this, wanted, timeout](std::function<void(Status)> done) {
    if (stopped_) return done(unavailable("the apiserver is shutting down"));
    add_waiter(wanted, timeout, std::move(done));
  });
}

}  // namespace coracle::apiserver
