// WatchStream: one watcher's answer: events of its selection, encoded once for all who share the
// form, bookmarks, the end by time-out, by a slow reader, or by the server's stop.
//
// Thread: apiserver strand. Owned by its exchange's on_close, and owning the exchange: alive until
// that closes or end() was called.
// Bound: kBacklogMax unsent bytes, and kPendingMax events that wait for a conversion webhook,
// beyond the initial events; over it the stream ends.
#pragma once

#include <deque>
#include <memory>

#include "apiserver/registry/list_options.hpp"
#include "apiserver/registry/selection.hpp"

namespace coracle::apiserver {

class WatchStream final : public WatchClient, public std::enable_shared_from_this<WatchStream> {
 public:
  static constexpr std::size_t kBacklogMax = 8 << 20;
  static constexpr std::size_t kPendingMax = 5000;

  WatchStream(Machinery& machinery, Context context, Selection selection, ListOptions options);
  ~WatchStream() override;

  // Sends the head and what the options ask for, and stays. `initial`: the present objects come
  // first as ADDED; else events after `after_revision`.
  void start(bool initial, std::int64_t after_revision);
  // The head, one ERROR event, the end: for a watch that cannot be.
  static void refuse(const Machinery& m, const Context& c, const api::ApiError& error);

  void on_event(const EventPtr& event) override;
  const ResourceCache* cache() const { return c_.cache; }
  // The orderly end of the stream. Idempotent.
  void end();

 private:
  enum class Type { kAdded, kModified, kDeleted };
  // What waits for its turn while a webhook converts; without object: the bookmark that ends the
  // initial events.
  struct Pending {
    Type type = Type::kAdded;
    ObjectPtr object;
  };

  static std::string framed(const Machinery& m, const Format& format, std::string_view type,
                            const json::value& object);
  void send_initial();
  void send_bookmark(bool end_of_initial);
  void schedule_bookmark();
  void schedule_end();
  void put_off(Type type, ObjectPtr object);
  Task<bool> send_pending();
  Bytes frame(Type type, const ObjectPtr& object);
  std::string encode(Type type, const ObjectPtr& object);
  json::value shaped(json::value object);
  void write(Bytes bytes);

  Machinery& m_;
  Context c_;
  const Selection selection_;
  const ListOptions options_;
  bool plain_ = false;  // stored bytes can be sent as they are
  bool columns_sent_ = false;
  bool ended_ = false;
  std::deque<Pending> pending_;
  std::size_t pending_max_ = kPendingMax;
  bool sending_ = false;
  std::int64_t initial_revision_ = 0;  // of the initial events, where they are put off
  std::size_t allowed_backlog_ = kBacklogMax;
  ResourceCache::WatcherId watcher_ = 0;
  Executor::TimerId bookmark_timer_ = 0, end_timer_ = 0;
  TimePoint end_at_{};
};

}  // namespace coracle::apiserver
