// WatchHub: hands committed revisions to the watchers of many streams. Pure: every call returns
// what to send; the driver sends it in that order per stream and reports with consumed().
//
// Thread:    the store's strand only.
// Invariant: a watcher gets every matching event from its start on, once, ascending; a revision is
//            never split (but fragment()); nothing of a watcher precedes its `created`.
// States:    synced    has everything up to the published revision, is fed by publish();
//            unsynced  is behind, is fed from the history by catch_up();
//            parked    its driver has not consumed enough: fed by nobody until consumed().
// Bound:     per watcher max_outstanding_bytes of responses handed out and not consumed (one
//            response more, however large); nothing is queued here, so memory does not grow with
//            slowness, and no consumer can hold up apply or be dropped.
// Cost:      watchers of a key are found by hash (watch_index.hpp), not by asking each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "mvcc/store.hpp"
#include "mvcc/types.hpp"
#include "mvcc/watch_index.hpp"
#include "mvcc/watch_types.hpp"

namespace coracle::mvcc {

class WatchHub {
 public:
  WatchHub(const Store& store, WatchLimits limits);
  ~WatchHub();

  void open_stream(StreamId stream);
  void close_stream(StreamId stream);  // drops its watchers; nothing is sent

  // Always one response: created, or created+canceled with watch_id -1 and the reason. A start
  // below the compacted revision is told by the next catch_up().
  Deliveries create(StreamId stream, const WatchCreate& request);
  // canceled, or nothing for an unknown id.
  Deliveries cancel(StreamId stream, std::int64_t watch_id);

  // The turn's changes, right after they were written. A watcher that has no room parks.
  Deliveries publish(const std::vector<Change>& changes);
  // One bounded piece of catching up: at most max_history_revisions (and bytes) of history, for all
  // watchers waiting for that piece. Call it (in a later turn) while needs_catch_up().
  Deliveries catch_up();
  bool needs_catch_up() const { return !unsynced_.empty(); }

  // A response left the stream's queue. May make a parked watcher need catch_up().
  void consumed(StreamId stream, const WatchResponse& response);

  // WatchProgressRequest: one response with watch_id -1 if every watcher of the stream (at least
  // one) is synced and none starts in the future; else nothing, and the client asks again.
  Deliveries request_progress(StreamId stream);
  // The driver's timer for progress_notify (every 10 min + 0..10 % jitter per stream): an empty
  // response for each such watcher that is synced and was sent nothing since the last tick.
  Deliveries progress_tick(StreamId stream);

  // After the store's contents were replaced by a leader's snapshot (`store` is the new one):
  // everyone continues from where he was, out of the history.
  void restored(const Store& store);

  std::size_t watchers() const { return watchers_count_; }
  std::size_t slow_watchers() const { return unsynced_.size() + parked_; }

 private:
  struct Stream;

  void join(Watcher& watcher);   // into the synced
  void leave(Watcher& watcher);  // out of whatever set it is in
  void fall_behind(Watcher& watcher, std::int64_t next);
  bool has_room(const Watcher& watcher) const;
  void send(Watcher& watcher, WatchResponse response, Deliveries& out);
  void send_events(Watcher& watcher, Revision header, std::vector<WatchEvent> events,
                   Deliveries& out);
  void publish_change(const Change& change, Deliveries& out);
  Status check_create(const Stream& stream, const WatchCreate& request) const;
  void cancel_compacted(Deliveries& out);
  // The unsynced watchers that need a part of [from, reached), with what they get of it.
  std::map<WatcherKey, std::vector<WatchEvent>> read_history(Revision from, Revision& reached);
  void erase(Watcher& watcher);

  const Store* store_;
  WatchLimits limits_;
  std::int64_t published_;  // everything up to it went through publish()
  std::map<StreamId, std::unique_ptr<Stream>> streams_;
  WatchIndex synced_;
  std::map<std::pair<std::int64_t, WatcherKey>, Watcher*> unsynced_;  // by the revision they need
  std::size_t watchers_count_ = 0;
  std::size_t parked_ = 0;
};

}  // namespace coracle::mvcc
