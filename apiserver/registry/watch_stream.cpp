#include "apiserver/registry/watch_stream.hpp"

#include "api/protobuf.hpp"
#include "api/strategy.hpp"
#include "api/table.hpp"
#include "apiserver/registry/codec.hpp"
#include "apiserver/registry/conversion.hpp"

namespace coracle::apiserver {

namespace {

constexpr Duration kBookmarkEvery = std::chrono::seconds(60);
constexpr Duration kLastBookmark = std::chrono::seconds(2);  // before the end
constexpr std::int64_t kTimeoutMinSeconds = 1800;

const char* const kTypeNames[] = {"ADDED", "MODIFIED", "DELETED"};

// Numbers of forms that watchers share: three types each.
enum Form {
  kPlainForm = 0,
  kPartialForm = 3,
  kPartialBetaForm = 6,
  kFilledForm = 9,
  kNoForm = 12,
  kProtobuf = 100,  // added to the others
};

std::string event_text(std::string_view type, std::string_view object) {
  std::string out;
  out.reserve(object.size() + 32);
  out.append("{\"type\":\"").append(type).append("\",\"object\":").append(object).append("}\n");
  return out;
}

net::Headers stream_headers(const Context& c) {
  net::Headers headers;
  headers.add("Content-Type", c.format.protobuf ? "application/vnd.kubernetes.protobuf;stream=watch"
                                                : "application/json");
  headers.add("Cache-Control", "no-cache, private");
  add_flow_headers(c, headers);
  return headers;
}

}  // namespace

WatchStream::WatchStream(Machinery& machinery, Context context, Selection selection,
                         ListOptions options)
    : m_(machinery),
      c_(std::move(context)),
      selection_(std::move(selection)),
      options_(std::move(options)) {
  plain_ = !c_.format.protobuf && c_.format.shape == Format::Shape::kObject && served_as_stored(c_);
}

WatchStream::~WatchStream() { end(); }

std::string WatchStream::framed(const Machinery& m, const Format& format, std::string_view type,
                                const json::value& object) {
  if (!format.protobuf) return event_text(type, to_json(object));
  return api::protobuf_watch_frame(type, protobuf_object(m, format, object));
}

void WatchStream::refuse(const Machinery& m, const Context& c, const api::ApiError& error) {
  c.exchange->begin_stream(200, stream_headers(c));
  c.exchange->write(net::make_bytes(framed(m, c.format, "ERROR", error.status)));
  c.exchange->end();
}

void WatchStream::start(bool initial, std::int64_t after_revision) {
  c_.exchange->begin_stream(200, stream_headers(c_));
  const auto self = shared_from_this();
  c_.exchange->on_close([self] { self->end(); });
  if (initial) {
    send_initial();
    after_revision = m_.feed.revision();
  }
  if (ended_) return;
  const auto id = c_.cache->watch(selection_.scope(), after_revision, this);
  if (!id.ok()) {
    const api::ApiError error = api::expired_error(id.status().message());
    write(net::make_bytes(framed(m_, c_.format, "ERROR", error.status)));
    return end();
  }
  watcher_ = *id;
  if (ended_) {  // the backlog of the past alone was too much
    c_.cache->unwatch(watcher_);
    return;
  }
  schedule_end();
  if (options_.bookmarks) schedule_bookmark();
}

void WatchStream::put_off(Type type, ObjectPtr object) {
  pending_.push_back({type, std::move(object)});
  if (pending_.size() > pending_max_) {
    c_.exchange->abort();
    return end();
  }
  if (std::exchange(sending_, true)) return;
  // Not from within the feed.
  m_.executor.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      spawn(self->send_pending(), std::function<void(bool)>([self](bool) {}));
    }
  });
}

Task<bool> WatchStream::send_pending() {
  while (!ended_ && !pending_.empty()) {
    const std::size_t count = std::min(pending_.size(), kConversionBatchMax);
    const std::vector<Pending> batch(pending_.begin(),
                                     pending_.begin() + static_cast<std::ptrdiff_t>(count));
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<ObjectPtr> objects;
    for (const Pending& one : batch) {
      if (one.object) objects.push_back(one.object);
    }
    const Outcome<Done> made = co_await convert_served(m_, c_, std::move(objects));
    if (ended_) break;
    if (!made.ok()) {
      write(net::make_bytes(framed(m_, c_.format, "ERROR", made.error().status)));
      end();
      break;
    }
    for (const Pending& one : batch) {
      if (one.object) {
        write(net::make_bytes(encode(one.type, one.object)));
      } else {
        send_bookmark(true);
      }
    }
    c_.converted.reset();
  }
  sending_ = false;
  co_return true;
}

void WatchStream::send_initial() {
  if (converted_by_webhook(c_)) {
    pending_max_ += c_.cache->size();
    initial_revision_ = m_.feed.revision();
    c_.cache->scan(selection_.scope().ns, "", [this](const ObjectPtr& object) {
      if (selection_.matches(*object)) put_off(Type::kAdded, object);
      return true;
    });
    if (options_.bookmarks) put_off(Type::kAdded, nullptr);
    return;
  }
  c_.cache->scan(selection_.scope().ns, "", [this](const ObjectPtr& object) {
    if (!selection_.matches(*object)) return true;
    c_.exchange->write(net::make_bytes(encode(Type::kAdded, object)));
    return true;
  });
  allowed_backlog_ = c_.exchange->queued_bytes() + kBacklogMax;
  if (options_.bookmarks) send_bookmark(true);
}

void WatchStream::on_event(const EventPtr& event) {
  const bool now = event->now() && selection_.matches(*event->now());
  const bool before = event->before() && selection_.matches(*event->before());
  if (!now && !before) return;
  const Type type = !now ? Type::kDeleted : before ? Type::kModified : Type::kAdded;
  const ObjectPtr& object = now ? event->now() : event->gone();
  if (converted_by_webhook(c_)) return put_off(type, object);
  int form = kNoForm;
  if (plain_) {
    form = kPlainForm;
  } else if (c_.format.shape == Format::Shape::kPartial) {
    form = c_.format.meta_version == "v1" ? kPartialForm : kPartialBetaForm;
  } else if (c_.format.shape == Format::Shape::kObject) {
    form = c_.resource != c_.storage ? kNoForm : kFilledForm;
  }
  if (c_.format.protobuf && form != kNoForm) form += kProtobuf;
  if (form == kNoForm) {
    write(net::make_bytes(encode(type, object)));
  } else {
    write(event->memo(form + static_cast<int>(type),
                      [&] { return net::make_bytes(encode(type, object)); }));
  }
}

std::string WatchStream::encode(Type type, const ObjectPtr& object) {
  const char* const name = kTypeNames[static_cast<int>(type)];
  if (plain_) return event_text(name, head_of(*c_.resource) + *object->tail());
  json::value tree = served_tree(c_, *object->tail());
  if (c_.format.protobuf) return framed(m_, c_.format, name, tree);
  return event_text(name, to_json(shaped(std::move(tree))));
}

json::value WatchStream::shaped(json::value object) {
  if (c_.format.shape == Format::Shape::kPartial) {
    return api::partial_object(object, c_.format.meta_version);
  }
  if (c_.format.shape != Format::Shape::kTable) return object;
  api::TableOptions options;
  const auto include = api::parse_include_object(c_.request.query.get("includeObject"));
  if (include.ok()) options.include = *include;
  options.meta_version = c_.format.meta_version;
  options.with_columns = !std::exchange(columns_sent_, true);
  json::object meta;
  meta["resourceVersion"] = get_string(object, "metadata.resourceVersion");
  const json::value* one[] = {&object};
  return api::make_table(*c_.resource, m_.hooks, one, std::move(meta), m_.executor.wall_now(),
                         options);
}

void WatchStream::send_bookmark(bool end_of_initial) {
  json::object metadata;
  const bool put_off = end_of_initial && initial_revision_ != 0;
  metadata["resourceVersion"] = std::to_string(put_off ? initial_revision_ : m_.feed.revision());
  metadata["creationTimestamp"] = nullptr;
  if (end_of_initial) {
    metadata["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
  }
  json::object object;
  if (c_.format.shape == Format::Shape::kTable) {
    api::TableOptions options;
    options.meta_version = c_.format.meta_version;
    options.with_columns = !std::exchange(columns_sent_, true);
    object = api::table_of_rows(*c_.resource, {}, std::move(metadata), options).as_object();
  } else {
    const bool partial = c_.format.shape == Format::Shape::kPartial;
    object["kind"] = partial ? "PartialObjectMetadata" : c_.resource->kind;
    object["apiVersion"] =
        partial ? "meta.k8s.io/" + c_.format.meta_version : c_.resource->api_version;
    object["metadata"] = std::move(metadata);
  }
  write(net::make_bytes(framed(m_, c_.format, "BOOKMARK", json::value(std::move(object)))));
}

void WatchStream::schedule_bookmark() {
  const Duration left = end_at_ - m_.executor.now();
  Duration wait = kBookmarkEvery;
  if (left > kLastBookmark) wait = std::min(wait, left - kLastBookmark);
  if (left <= kLastBookmark) return;
  bookmark_timer_ = m_.executor.after(wait, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->ended_) return;
    // It must not promise what still waits for a webhook.
    if (!self->sending_) self->send_bookmark(false);
    if (!self->ended_) self->schedule_bookmark();
  });
}

void WatchStream::schedule_end() {
  std::int64_t seconds = options_.timeout_seconds.value_or(0);
  if (seconds <= 0) {
    seconds =
        kTimeoutMinSeconds +
        static_cast<std::int64_t>(m_.rng.below(static_cast<std::uint64_t>(kTimeoutMinSeconds)));
  }
  const Duration span = std::chrono::seconds(seconds);
  end_at_ = m_.executor.now() + span;
  end_timer_ = m_.executor.after(span, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->end();
  });
}

void WatchStream::write(Bytes bytes) {
  if (ended_) return;
  c_.exchange->write(std::move(bytes));
  if (c_.exchange->queued_bytes() > allowed_backlog_) {
    const auto self = shared_from_this();  // the exchange's on_close may be all that holds us
    c_.exchange->abort();                  // too slow to ever catch up: it must start over
    end();
  }
}

void WatchStream::end() {
  if (std::exchange(ended_, true)) return;
  if (watcher_ != 0) c_.cache->unwatch(watcher_);
  m_.executor.cancel(bookmark_timer_);
  m_.executor.cancel(end_timer_);
  // The exchange holds us by its on_close; let go of it, or neither ever dies.
  const auto exchange = std::move(c_.exchange);
  if (exchange && !exchange->closed()) exchange->end();
}

}  // namespace coracle::apiserver
