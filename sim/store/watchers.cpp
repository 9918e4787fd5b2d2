#include "store_sim/watchers.hpp"

#include "mvcc/key_range.hpp"
#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

std::string text_of(const mvcc::WatchEvent& e) {
  return (e.event->type == mvcc::Event::Type::kDelete ? "-" : "+") + e.event->kv.key + "@" +
         std::to_string(e.event->kv.mod.value) +
         (e.prev_kv ? " (before: " + e.prev_kv->value + ")" : "");
}

std::string text_of(const std::vector<mvcc::WatchEvent>& events) {
  std::string out = "[";
  for (const auto& e : events) out += " " + text_of(e);
  return out + " ]";
}

}  // namespace

void Watchers::start() {
  for (int i = 0; i < world_.profile().watchers; ++i) {
    auto& watcher = *watchers_.emplace_back(std::make_unique<Watcher>());
    Rng& rng = world_.rng();
    switch (i % 3) {
      case 0:  // everything
        watcher.range_end = std::string(1, '\0');
        break;
      case 1:
        watcher.key = "a/";
        watcher.range_end = mvcc::prefix_end("a/");
        break;
      default:
        watcher.key = world_.clients().key(1);
    }
    watcher.prev_kv = rng.chance(0.5);
    watcher.progress = rng.chance(0.5);
    // Some begin in the past, some in the future.
    if (rng.chance(0.3)) watcher.next = rng.between(1, 20);
    reconnect(watcher);
    ask_for_progress(watcher);
  }
}

bool Watchers::connected(const Watcher& watcher, mvcc::StreamId stream) const {
  return watcher.member != nullptr && watcher.stream == stream && watcher.member->running() &&
         watcher.member->life() == watcher.life;
}

void Watchers::reconnect(Watcher& watcher) {
  if (watcher.member != nullptr && watcher.member->running() &&
      watcher.member->life() == watcher.life) {
    watcher.member->post(
        [m = watcher.member, stream = watcher.stream] { m->member().hub().close_stream(stream); });
  }
  watcher.member = nullptr;
  watcher.inbox.clear();
  watcher.consuming = false;
  world_.at(world_.rng().between(1000, 200'000), [this, &watcher] {
    if (watcher.member == nullptr) connect(watcher);
  });
}

void Watchers::connect(Watcher& watcher) {
  SimMember* member = world_.random_running();
  if (member == nullptr || member->retired()) return reconnect(watcher);
  watcher.member = member;
  watcher.life = member->life();
  watcher.stream = mvcc::StreamId(++last_stream_);
  watcher.created = false;
  watcher.outstanding = 0;
  mvcc::WatchCreate create;
  create.key = watcher.key;
  create.range_end = watcher.range_end;
  create.start = Revision(watcher.next);
  create.prev_kv = watcher.prev_kv;
  create.progress_notify = watcher.progress;
  world_.count("watch opened");
  member->post([this, member, create, stream = watcher.stream] {
    member->member().hub().open_stream(stream);
    deliver(*member, member->member().hub().create(stream, create));
  });
}

// Now and then; also: the client changes the member, or sees that the member has no leader.
void Watchers::ask_for_progress(Watcher& watcher) {
  world_.at(world_.rng().between(50'000, 500'000), [this, &watcher] {
    ask_for_progress(watcher);
    if (!connected(watcher, watcher.stream)) {
      if (watcher.member != nullptr) reconnect(watcher);
      return;
    }
    SimMember& member = *watcher.member;
    const bool lost = member.member().long_without_leader() || member.retired();
    if (lost || (world_.faulty() && world_.rng().chance(0.05))) return reconnect(watcher);
    const bool tick = world_.rng().chance(0.3);
    member.post([this, &member, stream = watcher.stream, tick] {
      mvcc::WatchHub& hub = member.member().hub();
      deliver(member, tick ? hub.progress_tick(stream) : hub.request_progress(stream));
    });
  });
}

void Watchers::on_end(const SimMember& member) {
  for (const auto& watcher : watchers_) {
    if (watcher->member != &member) continue;
    watcher->member = nullptr;
    reconnect(*watcher);
  }
}

void Watchers::deliver(SimMember& member, mvcc::Deliveries deliveries) {
  for (mvcc::Delivery& delivery : deliveries) {
    for (const auto& watcher : watchers_) {
      if (watcher->member != &member || watcher->stream != delivery.stream) continue;
      const mvcc::WatchResponse& response = delivery.response;
      // Asked for explicitly, or the last one: these are few, and come in any case.
      const bool events = !response.events.empty();
      if (events) world_.bounds().on_watch_response(member, watcher->outstanding);
      if (response.watch_id != mvcc::kNoWatchId) watcher->outstanding += response.bytes;
      watcher->inbox.push_back(std::move(delivery.response));
      consume(*watcher);
      break;
    }
  }
}

void Watchers::consume(Watcher& watcher) {
  if (watcher.consuming || watcher.inbox.empty()) return;
  watcher.consuming = true;
  const Micros takes = world_.faulty() ? world_.profile().consume_max : 2000;
  world_.at(world_.rng().between(100, takes), [this, &watcher, stream = watcher.stream] {
    if (watcher.stream != stream || watcher.inbox.empty()) return;
    watcher.consuming = false;
    mvcc::WatchResponse response = std::move(watcher.inbox.front());
    watcher.inbox.pop_front();
    on_response(watcher, response);
    if (!connected(watcher, stream)) return;
    watcher.member->post([m = watcher.member, &watcher, stream, response] {
      m->member().hub().consumed(stream, response);
      const bool same = watcher.stream == stream && response.watch_id != mvcc::kNoWatchId;
      if (same) watcher.outstanding -= std::min(watcher.outstanding, response.bytes);
    });
    consume(watcher);
  });
}

void Watchers::on_response(Watcher& watcher, const mvcc::WatchResponse& response) {
  if (world_.tracing()) {
    world_.trace("watcher of " + watcher.key + " at revision " + std::to_string(watcher.next) +
                 " gets " + text_of(response.events) + " header " +
                 std::to_string(response.revision.value));
  }
  if (response.created) {
    if (watcher.created || response.canceled) fail(watcher, "W: created twice, or refused");
    watcher.created = true;
    if (watcher.next == 0) watcher.next = response.revision.value + 1;
    return;
  }
  if (!watcher.created) return fail(watcher, "W: something comes before created");
  if (response.canceled) {
    const std::int64_t compacted = response.compact_revision.value;
    if (compacted <= watcher.next || compacted > world_.oracle().compacted()) {
      return fail(watcher, "W9: canceled for compaction at " + std::to_string(compacted));
    }
    world_.count("watch compacted");
    watcher.next = compacted;
    return reconnect(watcher);
  }
  world_.count(response.events.empty() ? "watch progress" : "watch responses");
  response.events.empty() ? on_progress(watcher, response.revision) : on_events(watcher, response);
}

std::vector<mvcc::WatchEvent> Watchers::expected(const Watcher& watcher,
                                                 std::int64_t revision) const {
  std::vector<mvcc::WatchEvent> out;
  const auto range = mvcc::KeyRange::of(watcher.key.empty() ? std::string(1, '\0') : watcher.key,
                                        watcher.range_end);
  for (const TrueEvent& e : world_.oracle().events(revision)) {
    if (!range.contains(e.event.kv.key)) continue;
    mvcc::WatchEvent& event = out.emplace_back();
    event.event = std::make_shared<mvcc::Event>(e.event);
    if (watcher.prev_kv && e.before) event.prev_kv = std::make_shared<mvcc::KeyValue>(*e.before);
  }
  return out;
}

void Watchers::on_events(Watcher& watcher, const mvcc::WatchResponse& response) {
  const std::int64_t last = response.events.back().event->kv.mod.value;
  if (last < watcher.next)
    return fail(watcher, "W1/W2/W10: told of revision " + std::to_string(last));
  if (last > world_.oracle().revision()) {
    return fail(watcher, "D2: told of revision " + std::to_string(last) + ", not committed");
  }
  std::vector<mvcc::WatchEvent> must;
  for (std::int64_t r = std::max<std::int64_t>(watcher.next, 2); r <= last; ++r) {
    auto events = expected(watcher, r);
    must.insert(must.end(), std::make_move_iterator(events.begin()),
                std::make_move_iterator(events.end()));
  }
  bool same = must.size() == response.events.size();
  for (std::size_t i = 0; same && i < must.size(); ++i) {
    const mvcc::WatchEvent& is = response.events[i];
    same = *is.event == *must[i].event;
    if (is.prev_kv && must[i].prev_kv) same = same && *is.prev_kv == *must[i].prev_kv;
    if (is.prev_kv && !must[i].prev_kv) same = false;
    // It may have been compacted away.
    if (!is.prev_kv && must[i].prev_kv) {
      same = same && is.event->kv.mod.value <= world_.oracle().compacted();
    }
  }
  if (!same) {
    return fail(watcher,
                "W2/W3/W4/W7/W8: told " + text_of(response.events) + ", not " + text_of(must));
  }
  watcher.next = last + 1;
}

void Watchers::on_progress(Watcher& watcher, Revision revision) {
  if (revision.value < watcher.next - 1) {
    // It may only repeat what is known; below a future start there is silence.
    return fail(watcher, "W6/W10: progress at " + std::to_string(revision.value));
  }
  if (revision.value > world_.oracle().revision())
    return fail(watcher, "W6: progress of the future");
  for (std::int64_t r = std::max<std::int64_t>(watcher.next, 2); r <= revision.value; ++r) {
    const auto missing = expected(watcher, r);
    if (!missing.empty()) {
      return fail(watcher, "W6: progress at " + std::to_string(revision.value) + " before " +
                               text_of(missing));
    }
  }
  watcher.next = std::max(watcher.next, revision.value + 1);
}

void Watchers::check_end() {
  for (const auto& watcher : watchers_) {
    if (watcher->next == 0) return fail(*watcher, "W11: never created");
    for (std::int64_t r = std::max<std::int64_t>(watcher->next, 2); r <= world_.oracle().revision();
         ++r) {
      const auto missing = expected(*watcher, r);
      if (!missing.empty()) return fail(*watcher, "W4/W11: was not told of " + text_of(missing));
    }
  }
}

void Watchers::fail(const Watcher& watcher, const std::string& what) {
  world_.fail(what + " (watcher of \"" + watcher.key + "\" next " + std::to_string(watcher.next) +
              (watcher.member ? " at " + watcher.member->name() : "") + ")");
}

}  // namespace coracle::store_sim
