#include "mvcc/watch_hub.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "mvcc/errors.hpp"

namespace coracle::mvcc {
namespace {

constexpr std::size_t kHeaderBytes = 48;  // a response without events
// A parked watcher goes on when this part of its bound is free again: not for every event.
constexpr std::size_t kRoomFraction = 2;

KeyRange range_of(const WatchCreate& request) {
  return KeyRange::of(request.key.empty() ? std::string(1, '\0') : request.key, request.range_end);
}

// Reads what a key was before a revision, once for all who ask.
class Previous {
 public:
  Previous(const Store& store, const Event& event) : store_(store), event_(event) {}

  std::shared_ptr<const KeyValue> get() {
    if (!asked_ && event_.kv.create != event_.kv.mod) {
      auto kv = store_.get(event_.kv.key, event_.kv.mod.prev());
      if (kv) kv_ = std::make_shared<const KeyValue>(std::move(*kv));
    }
    asked_ = true;
    return kv_;
  }

 private:
  const Store& store_;
  const Event& event_;
  bool asked_ = false;
  std::shared_ptr<const KeyValue> kv_;
};

}  // namespace

struct Watcher {
  enum class State { kNew, kSynced, kUnsynced, kParked };

  WatcherKey id;
  KeyRange range;
  std::int64_t start = 0;
  std::int64_t next = 0;  // first revision it may still need; kept up while not synced
  State state = State::kNew;
  bool progress_notify = false;
  bool prev_kv = false;
  bool may_fragment = false;
  bool no_put = false;
  bool no_delete = false;
  bool quiet = true;  // sent nothing since the last progress tick
  std::size_t outstanding = 0;

  bool wants(const Event& event) const {
    return event.type == Event::Type::kPut ? !no_put : !no_delete;
  }
  WatchEvent give(const std::shared_ptr<const Event>& event, Previous& previous) const {
    return {event, prev_kv ? previous.get() : nullptr};
  }
};

struct WatchHub::Stream {
  std::map<std::int64_t, std::unique_ptr<Watcher>> watchers;
  // Of watchers that compaction ended: taken, as etcd does, until the client cancels them.
  std::set<std::int64_t> spent;
  std::int64_t next_id = 0;

  bool taken(std::int64_t id) const { return watchers.contains(id) || spent.contains(id); }
};

WatchHub::WatchHub(const Store& store, WatchLimits limits)
    : store_(&store), limits_(limits), published_(store.revision().value) {}
WatchHub::~WatchHub() = default;

void WatchHub::open_stream(StreamId stream) {
  CORACLE_CHECK(streams_.emplace(stream, std::make_unique<Stream>()).second);
}

void WatchHub::close_stream(StreamId stream) {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return;
  for (const auto& [id, watcher] : it->second->watchers) leave(*watcher);
  watchers_count_ -= it->second->watchers.size();
  streams_.erase(it);
}

void WatchHub::join(Watcher& watcher) {
  leave(watcher);
  synced_.add(watcher.range, watcher.id, &watcher);
  watcher.state = Watcher::State::kSynced;
}

void WatchHub::leave(Watcher& watcher) {
  switch (watcher.state) {
    case Watcher::State::kNew:
      break;
    case Watcher::State::kSynced:
      synced_.remove(watcher.range, watcher.id);
      break;
    case Watcher::State::kUnsynced:
      unsynced_.erase({watcher.next, watcher.id});
      break;
    case Watcher::State::kParked:
      --parked_;
      break;
  }
  watcher.state = Watcher::State::kNew;
}

void WatchHub::fall_behind(Watcher& watcher, std::int64_t next) {
  leave(watcher);
  watcher.next = next;
  if (has_room(watcher)) {
    watcher.state = Watcher::State::kUnsynced;
    unsynced_.emplace(std::pair(next, watcher.id), &watcher);
  } else {
    watcher.state = Watcher::State::kParked;
    ++parked_;
  }
}

bool WatchHub::has_room(const Watcher& watcher) const {
  return watcher.outstanding < limits_.max_outstanding_bytes;
}

void WatchHub::send(Watcher& watcher, WatchResponse response, Deliveries& out) {
  response.watch_id = watcher.id.second;
  response.may_fragment = watcher.may_fragment;
  response.bytes = kHeaderBytes;
  for (const WatchEvent& event : response.events) response.bytes += wire_size(event);
  watcher.outstanding += response.bytes;
  out.push_back({watcher.id.first, std::move(response)});
}

void WatchHub::send_events(Watcher& watcher, Revision header, std::vector<WatchEvent> events,
                           Deliveries& out) {
  WatchResponse response;
  response.revision = header;
  response.events = std::move(events);
  watcher.quiet = false;
  send(watcher, std::move(response), out);
}

Status WatchHub::check_create(const Stream& stream, const WatchCreate& request) const {
  if (request.start.value < 0) return err_compacted();
  if (range_of(request).empty()) return invalid_argument("mvcc: watcher range is empty");
  if (request.watch_id != 0 && stream.taken(request.watch_id)) {
    return invalid_argument("mvcc: duplicate watch ID provided on the WatchStream");
  }
  return {};
}

Deliveries WatchHub::create(StreamId stream_id, const WatchCreate& request) {
  Stream& stream = *streams_.at(stream_id);
  Deliveries out;
  WatchResponse response;
  response.revision = Revision(published_);
  response.created = true;
  if (const Status bad = check_create(stream, request); !bad.ok()) {
    response.watch_id = kNoWatchId;
    response.canceled = true;
    response.cancel_reason = bad.message();
    response.bytes = kHeaderBytes;
    out.push_back({stream_id, std::move(response)});
    return out;
  }
  auto made = std::make_unique<Watcher>();
  Watcher& watcher = *made;
  std::int64_t id = request.watch_id;
  if (id == 0) {
    while (stream.taken(stream.next_id)) ++stream.next_id;
    id = stream.next_id++;
  }
  watcher.id = {stream_id, id};
  watcher.range = range_of(request);
  watcher.start = request.start.value;
  watcher.progress_notify = request.progress_notify;
  watcher.prev_kv = request.prev_kv;
  watcher.may_fragment = request.fragment;
  watcher.no_put = request.no_put;
  watcher.no_delete = request.no_delete;
  stream.watchers.emplace(id, std::move(made));
  ++watchers_count_;
  send(watcher, std::move(response), out);
  if (watcher.start == 0 || watcher.start > published_) {
    watcher.next = std::max(watcher.start, published_ + 1);
    join(watcher);
  } else {
    fall_behind(watcher, watcher.start);
  }
  return out;
}

Deliveries WatchHub::cancel(StreamId stream_id, std::int64_t watch_id) {
  Deliveries out;
  const auto stream = streams_.find(stream_id);
  if (stream == streams_.end()) return out;
  WatchResponse response;
  response.revision = Revision(published_);
  response.canceled = true;
  if (stream->second->spent.erase(watch_id) > 0) {
    response.watch_id = watch_id;
    response.bytes = kHeaderBytes;
    out.push_back({stream_id, std::move(response)});
    return out;
  }
  const auto it = stream->second->watchers.find(watch_id);
  if (it == stream->second->watchers.end()) return out;
  send(*it->second, std::move(response), out);
  erase(*it->second);
  return out;
}

void WatchHub::erase(Watcher& watcher) {
  leave(watcher);
  --watchers_count_;
  const WatcherKey id = watcher.id;
  streams_.at(id.first)->watchers.erase(id.second);
}

void WatchHub::publish_change(const Change& change, Deliveries& out) {
  // In the order of ids, so that a turn's answer does not depend on addresses.
  std::map<WatcherKey, std::pair<Watcher*, std::vector<WatchEvent>>> given;
  std::vector<Watcher*> found;
  for (const auto& event : change.events) {
    Previous previous(*store_, *event);
    found.clear();
    synced_.match(event->kv.key, found);
    for (Watcher* watcher : found) {
      if (change.revision.value < watcher->next || !watcher->wants(*event)) continue;
      auto& [to, events] = given[watcher->id];
      to = watcher;
      // Without room it will read this again from the history.
      if (has_room(*watcher)) events.push_back(watcher->give(event, previous));
    }
  }
  for (auto& [id, gift] : given) {
    auto& [watcher, events] = gift;
    if (events.empty()) {
      fall_behind(*watcher, change.revision.value);
    } else {
      send_events(*watcher, change.revision, std::move(events), out);
    }
  }
}

Deliveries WatchHub::publish(const std::vector<Change>& changes) {
  Deliveries out;
  for (const Change& change : changes) {
    CORACLE_CHECK(change.revision.value == published_ + 1);
    publish_change(change, out);
    published_ = change.revision.value;
  }
  return out;
}

void WatchHub::cancel_compacted(Deliveries& out) {
  while (!unsynced_.empty() && unsynced_.begin()->first.first < store_->compacted().value) {
    Watcher& watcher = *unsynced_.begin()->second;
    WatchResponse response;
    response.canceled = true;
    response.compact_revision = store_->compacted();
    send(watcher, std::move(response), out);
    streams_.at(watcher.id.first)->spent.insert(watcher.id.second);
    erase(watcher);
  }
}

std::map<WatcherKey, std::vector<WatchEvent>> WatchHub::read_history(Revision from,
                                                                     Revision& reached) {
  WatchIndex index;
  for (const auto& [id, watcher] : unsynced_) index.add(watcher->range, id.second, watcher);
  std::map<WatcherKey, std::vector<WatchEvent>> given;
  std::vector<Watcher*> found;
  std::size_t revisions = 0;
  std::size_t bytes = 0;
  reached = store_->history(from, Revision(published_), [&](const Change& change) {
    for (const auto& event : change.events) {
      Previous previous(*store_, *event);
      found.clear();
      index.match(event->kv.key, found);
      for (const Watcher* watcher : found) {
        if (change.revision.value < watcher->next || !watcher->wants(*event)) continue;
        given[watcher->id].push_back(watcher->give(event, previous));
      }
      bytes += event->kv.key.size() + event->kv.value.size();
    }
    return ++revisions < limits_.max_history_revisions && bytes < limits_.max_history_bytes;
  });
  return given;
}

Deliveries WatchHub::catch_up() {
  Deliveries out;
  cancel_compacted(out);
  if (unsynced_.empty()) return out;
  const Revision from(unsynced_.begin()->first.first);
  Revision reached(published_ + 1);
  std::map<WatcherKey, std::vector<WatchEvent>> given;
  if (from.value <= published_) given = read_history(from, reached);
  // Those that need only what lies behind this piece stay as they are.
  std::vector<Watcher*> advanced;
  for (const auto& [id, watcher] : unsynced_) {
    if (id.first < reached.value || reached.value > published_) advanced.push_back(watcher);
  }
  for (Watcher* watcher : advanced) {
    if (const auto it = given.find(watcher->id); it != given.end()) {
      send_events(*watcher, Revision(published_), std::move(it->second), out);
    }
    if (reached.value > published_) {
      join(*watcher);
      watcher->next = std::max(watcher->next, reached.value);
    } else {
      fall_behind(*watcher, reached.value);
    }
  }
  return out;
}

void WatchHub::consumed(StreamId stream_id, const WatchResponse& response) {
  const auto stream = streams_.find(stream_id);
  if (stream == streams_.end()) return;
  const auto it = stream->second->watchers.find(response.watch_id);
  if (it == stream->second->watchers.end()) return;
  Watcher& watcher = *it->second;
  // An id may have been cancelled and taken again meanwhile.
  watcher.outstanding -= std::min(watcher.outstanding, response.bytes);
  if (watcher.state == Watcher::State::kParked &&
      watcher.outstanding <= limits_.max_outstanding_bytes / kRoomFraction) {
    fall_behind(watcher, watcher.next);
  }
}

Deliveries WatchHub::request_progress(StreamId stream_id) {
  Deliveries out;
  const auto stream = streams_.find(stream_id);
  if (stream == streams_.end() || stream->second->watchers.empty()) return out;
  for (const auto& [id, watcher] : stream->second->watchers) {
    if (watcher->state != Watcher::State::kSynced || watcher->start > published_) return out;
  }
  WatchResponse response;
  response.revision = Revision(published_);
  response.watch_id = kNoWatchId;
  response.bytes = kHeaderBytes;
  out.push_back({stream_id, std::move(response)});
  return out;
}

Deliveries WatchHub::progress_tick(StreamId stream_id) {
  Deliveries out;
  const auto stream = streams_.find(stream_id);
  if (stream == streams_.end()) return out;
  for (const auto& [id, watcher] : stream->second->watchers) {
    if (!watcher->progress_notify) continue;
    const bool due = std::exchange(watcher->quiet, true);
    if (!due || watcher->state != Watcher::State::kSynced) continue;
    if (watcher->start > published_ || !has_room(*watcher)) continue;
    WatchResponse response;
    response.revision = Revision(published_);
    send(*watcher, std::move(response), out);
  }
  return out;
}

void WatchHub::restored(const Store& store) {
  store_ = &store;
  const std::int64_t before = std::exchange(published_, store.revision().value);
  for (const auto& [stream_id, stream] : streams_) {
    for (const auto& [id, watcher] : stream->watchers) {
      if (watcher->state != Watcher::State::kSynced) continue;
      watcher->next = std::max(watcher->next, before + 1);
      if (watcher->next <= published_) fall_behind(*watcher, watcher->next);
    }
  }
}

}  // namespace coracle::mvcc
