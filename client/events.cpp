#include "client/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "client/unread_call.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;

const Gvr kEvents{"", "v1", "events"};
// Upstream's numbers.
constexpr size_t kSimilarMax = 10;  // distinct messages before they are combined
constexpr Duration kSimilarWindow = 10min;
constexpr double kBurst = 25;
constexpr double kTokensPerSecond = 1.0 / 300;
constexpr size_t kMessageBytesMax = 1024;

std::string cut(const std::string& message) {
  if (message.size() <= kMessageBytesMax) return message;
  size_t end = kMessageBytesMax;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return message.substr(0, end);
}

std::string_view text_of(const json::object& reference, const char* field) {
  const json::value* value = find_member(reference, field);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

// Keys are joined by a byte that names cannot hold.
std::string join_key(const json::object& regarding, std::initializer_list<std::string_view> more) {
  std::string key;
  for (const char* field : {"kind", "namespace", "name", "uid", "apiVersion", "fieldPath"}) {
    key.append(text_of(regarding, field)) += '\x1f';
  }
  for (std::string_view part : more) key += std::string(part) + '\x1f';
  return key;
}

// Unique by the time.
std::string name_of(const EventInput& input, WallTime first) {
  return fmt::format("{}.{:x}", text_of(input.regarding, "name"),
                     static_cast<std::uint64_t>(first.time_since_epoch().count()));
}

// What has not been used for longest goes first, a quarter at once: to look for the oldest costs a
// walk over all.
template <class Map, class Age>
void bound(Map& map, Age age) {
  if (map.size() <= kEventCacheMax) return;
  std::vector<TimePoint> ages;
  ages.reserve(map.size());
  for (const auto& [key, value] : map) ages.push_back(age(value));
  const auto limit = ages.begin() + kEventCacheMax / 4;
  std::nth_element(ages.begin(), limit, ages.end());
  // Of several that are as old as the limit some may stay, but not more than fit.
  std::size_t left = map.size() - kEventCacheMax * 3 / 4;
  std::erase_if(map, [&](const auto& entry) {
    const bool old = age(entry.second) <= *limit && left > 0;
    left -= old ? 1 : 0;
    return old;
  });
}

}  // namespace

json::object object_reference(const json::value& object, const std::string& field_path) {
  json::object reference;
  const auto copy = [&](const char* field, const char* path) {
    const std::string_view text = get_string(object, path);
    if (!text.empty()) reference[field] = text;
  };
  copy("kind", "kind");
  copy("namespace", "metadata.namespace");
  copy("name", "metadata.name");
  copy("uid", "metadata.uid");
  copy("apiVersion", "apiVersion");
  copy("resourceVersion", "metadata.resourceVersion");
  if (!field_path.empty()) reference["fieldPath"] = field_path;
  return reference;
}

bool EventCorrelator::spam(const Digest& key, TimePoint now) {
  const auto [entry, fresh] = buckets_.try_emplace(key, Bucket{kBurst, now});
  Bucket& bucket = entry->second;
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  bucket.tokens = std::min(kBurst, bucket.tokens + seconds * kTokensPerSecond);
  bucket.at = now;
  const bool empty = bucket.tokens < 1;
  if (!empty) bucket.tokens -= 1;
  bound(buckets_, [](const Bucket& b) { return b.at; });
  return empty;
}

std::string EventWrite::namespace_name() const {
  const std::string_view ns = text_of(input.regarding, "namespace");
  return std::string(ns.empty() ? "default" : ns);
}

json::value EventCorrelator::whole_of(const EventWrite& write) const {
  json::object event;
  event["kind"] = "Event";
  event["apiVersion"] = "v1";
  event["metadata"] = json::object{{"name", write.name}, {"namespace", write.namespace_name()}};
  event["involvedObject"] = write.input.regarding;
  event["reason"] = write.input.reason;
  event["message"] = write.input.message;
  json::object source{{"component", source_.component}};
  if (!source_.host.empty()) source["host"] = source_.host;
  event["source"] = source;
  event["firstTimestamp"] = format_time(write.first);
  event["lastTimestamp"] = format_time(write.last);
  event["count"] = write.count;
  event["type"] = write.input.type;
  event["eventTime"] = nullptr;
  event["reportingComponent"] = source_.component;
  event["reportingInstance"] = source_.host;
  return event;
}

json::value EventCorrelator::patch_of(const EventWrite& write) {
  return json::object{{"count", write.count},
                      {"lastTimestamp", format_time(write.last)},
                      {"message", write.input.message}};
}

std::optional<EventWrite> EventCorrelator::correlate(EventInput input, TimePoint now,
                                                     WallTime wall) {
  const std::string group =
      join_key(input.regarding, {source_.component, source_.host, input.type, input.reason});
  Similar& similar = similar_[digest_of(group)];
  if (now - similar.last > kSimilarWindow) similar.messages.clear();
  similar.last = now;
  std::string message = cut(input.message);
  Digest key = digest_of(group + message);
  similar.messages.insert(key);
  if (similar.messages.size() >= kSimilarMax) {
    similar.messages.erase(similar.messages.begin());  // bounded
    message = cut("(combined from similar events): " + message);
    key = digest_of(group);
  }
  bound(similar_, [](const Similar& s) { return s.last; });
  const Digest object = digest_of(join_key(input.regarding, {source_.component, source_.host}));
  if (spam(object, now)) return std::nullopt;

  Seen& seen = seen_[key];
  seen.last = now;
  const bool repeated = seen.count++ > 0;
  if (!repeated) seen.first = wall;
  EventWrite write;
  write.is_patch = repeated;
  write.key = key;
  write.name = name_of(input, seen.first);
  write.input = std::move(input);
  write.input.message = std::move(message);
  write.count = seen.count;
  write.first = seen.first;
  write.last = wall;
  bound(seen_, [](const Seen& s) { return s.last; });
  return write;
}

struct EventRecorder::State : std::enable_shared_from_this<EventRecorder::State> {
  State(Executor& e, Api& api, EventSource source, EventRecorderOptions o)
      : executor(e), events(api, kEvents), correlator(std::move(source)), options(o) {}

  void send_some();
  void send(EventWrite write, int attempt);
  ApiRequest request_of(const EventWrite& write) const;
  void on_answer(EventWrite write, int attempt, const std::optional<ApiError>& error);
  void finished(const Digest& key) {
    in_flight.erase(key);
    send_some();
  }
  void drop() {
    ++dropped;
    if (options.dropped != nullptr) options.dropped->add();
  }

  static constexpr int kAttempts = 12;
  static constexpr Duration kBetweenAttempts = 10s;

  Executor& executor;
  ResourceClient events;
  EventCorrelator correlator;
  const EventRecorderOptions options;
  std::deque<EventWrite> queue;
  std::set<Digest> in_flight;
  std::int64_t dropped = 0;
};

// A repetition waits until the Event it changes has been told, and those behind it with it.
void EventRecorder::State::send_some() {
  while (!queue.empty() && in_flight.size() < options.in_flight_max &&
         in_flight.insert(queue.front().key).second) {
    EventWrite write = std::move(queue.front());
    queue.pop_front();
    send(std::move(write), 1);
  }
}

void EventRecorder::State::send(EventWrite write, int attempt) {
  auto task = call_unread(&events.api(), request_of(write));
  spawn<std::optional<ApiError>>(std::move(task),
                                 [weak = weak_from_this(), write = std::move(write),
                                  attempt](const std::optional<ApiError>& error) mutable {
                                   if (auto self = weak.lock())
                                     self->on_answer(std::move(write), attempt, error);
                                 });
}

ApiRequest EventRecorder::State::request_of(const EventWrite& write) const {
  if (!write.is_patch) {
    return {.method = "POST",
            .target = events.path(write.namespace_name()),
            .body = to_json(correlator.whole_of(write))};
  }
  return {.method = "PATCH",
          .target = events.path(write.namespace_name(), write.name),
          .headers = {{"Content-Type", std::string(patch_content_type(PatchType::kStrategic))}},
          .body = to_json(EventCorrelator::patch_of(write))};
}

void EventRecorder::State::on_answer(EventWrite write, int attempt,
                                     const std::optional<ApiError>& error) {
  if (!error) return finished(write.key);
  if (write.is_patch && error->is_not_found()) {
    // It has expired meanwhile: tell the whole again.
    write.is_patch = false;
    return send(std::move(write), attempt);
  }
  if (error->is_already_exists()) return finished(write.key);  // an earlier try did arrive
  if (!error->is_retryable() || attempt >= kAttempts) {
    correlator.forget(write.key);
    drop();
    return finished(write.key);
  }
  executor.after(kBetweenAttempts,
                 [weak = weak_from_this(), write = std::move(write), attempt]() mutable {
                   if (auto self = weak.lock()) self->send(std::move(write), attempt + 1);
                 });
}

EventRecorder::EventRecorder(Executor& executor, Api& api, EventSource source,
                             EventRecorderOptions options)
    : state_(std::make_shared<State>(executor, api, std::move(source), options)) {}
EventRecorder::~EventRecorder() = default;

void EventRecorder::record(EventInput input) {
  auto write = state_->correlator.correlate(std::move(input), state_->executor.now(),
                                            state_->executor.wall_now());
  if (!write) return state_->drop();
  if (state_->queue.size() >= state_->options.waiting_max) {
    state_->correlator.forget(state_->queue.front().key);
    state_->queue.pop_front();
    state_->drop();
  }
  state_->queue.push_back(std::move(*write));
  state_->executor.post([weak = std::weak_ptr(state_)] {
    if (auto self = weak.lock()) self->send_some();
  });
}

void EventRecorder::normal(const json::value& object, std::string reason, std::string message) {
  record({object_reference(object), "Normal", std::move(reason), std::move(message)});
}

void EventRecorder::warning(const json::value& object, std::string reason, std::string message) {
  record({object_reference(object), "Warning", std::move(reason), std::move(message)});
}

std::int64_t EventRecorder::dropped() const { return state_->dropped; }
size_t EventRecorder::waiting() const { return state_->queue.size(); }

}  // namespace coracle::client
