#include "client/events.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

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

// Keys are joined by a byte that names cannot hold.
std::string join_key(const json::object& regarding, std::initializer_list<std::string_view> more) {
  std::string key;
  for (const char* field : {"kind", "namespace", "name", "uid", "apiVersion", "fieldPath"}) {
    const json::value* value = regarding.if_contains(field);
    if (value && value->is_string()) key += std::string(value->as_string());
    key += '\x1f';
  }
  for (std::string_view part : more) key += std::string(part) + '\x1f';
  return key;
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

bool EventCorrelator::spam(const std::string& key, TimePoint now) {
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

json::value EventCorrelator::event_object(const EventInput& input, const Seen& seen,
                                          const std::string& message,
                                          const std::string& last_time) const {
  const json::value regarding = input.regarding;
  std::string ns(get_string(regarding, "namespace"));
  if (ns.empty()) ns = "default";
  json::object event;
  event["kind"] = "Event";
  event["apiVersion"] = "v1";
  event["metadata"] = json::object{{"name", seen.name}, {"namespace", ns}};
  event["involvedObject"] = input.regarding;
  event["reason"] = input.reason;
  event["message"] = message;
  json::object source{{"component", source_.component}};
  if (!source_.host.empty()) source["host"] = source_.host;
  event["source"] = source;
  event["firstTimestamp"] = seen.first_time;
  event["lastTimestamp"] = last_time;
  event["count"] = seen.count;
  event["type"] = input.type;
  event["eventTime"] = nullptr;
  event["reportingComponent"] = source_.component;
  event["reportingInstance"] = source_.host;
  return event;
}

std::optional<EventWrite> EventCorrelator::correlate(const EventInput& input, TimePoint now,
                                                     WallTime wall) {
  const std::string group =
      join_key(input.regarding, {source_.component, source_.host, input.type, input.reason});
  Similar& similar = similar_[group];
  if (now - similar.last > kSimilarWindow) similar.messages.clear();
  similar.last = now;
  std::string message = cut(input.message);
  std::string key = group + message;
  similar.messages.insert(message);
  if (similar.messages.size() >= kSimilarMax) {
    similar.messages.erase(similar.messages.begin());  // bounded
    message = cut("(combined from similar events): " + message);
    key = group;
  }
  bound(similar_, [](const Similar& s) { return s.last; });
  if (spam(join_key(input.regarding, {source_.component, source_.host}), now)) return std::nullopt;

  const std::string time = format_time(wall);
  Seen& seen = seen_[key];
  seen.last = now;
  const bool repeated = seen.count++ > 0;
  if (!repeated) {
    const json::value regarding = input.regarding;
    char suffix[32];
    std::snprintf(suffix, sizeof suffix, ".%llx",
                  static_cast<unsigned long long>(wall.time_since_epoch().count()));
    seen.first_time = time;
    seen.name = std::string(get_string(regarding, "name")) + suffix;
  }
  EventWrite write;
  write.key = key;
  write.name = seen.name;
  write.whole = event_object(input, seen, message, time);
  write.namespace_name = get_string(write.whole, "metadata.namespace");
  write.is_patch = repeated;
  if (repeated) {
    write.body = json::object{{"count", seen.count}, {"lastTimestamp", time}, {"message", message}};
  } else {
    write.body = write.whole;
  }
  bound(seen_, [](const Seen& s) { return s.last; });
  return write;
}

struct EventRecorder::State : std::enable_shared_from_this<EventRecorder::State> {
  State(Executor& e, Api& api, EventSource source)
      : executor(e), events(api, kEvents), correlator(std::move(source)) {}

  void send_next();
  void send(EventWrite write, int attempt);
  void on_answer(EventWrite write, int attempt, const ApiResult<json::value>& answer);
  void proceed() {
    sending = false;
    send_next();
  }

  static constexpr int kAttempts = 12;
  static constexpr Duration kBetweenAttempts = 10s;

  Executor& executor;
  ResourceClient events;
  EventCorrelator correlator;
  std::deque<EventWrite> queue;
  bool sending = false;
  std::int64_t dropped = 0;
};

void EventRecorder::State::send_next() {
  if (sending || queue.empty()) return;
  sending = true;
  EventWrite write = std::move(queue.front());
  queue.pop_front();
  send(std::move(write), 1);
}

void EventRecorder::State::send(EventWrite write, int attempt) {
  auto task = write.is_patch ? events.patch(write.namespace_name, write.name, PatchType::kStrategic,
                                            write.body)
                             : events.create(write.namespace_name, write.body);
  spawn<ApiResult<json::value>>(std::move(task),
                                [weak = weak_from_this(), write = std::move(write),
                                 attempt](const ApiResult<json::value>& answer) mutable {
                                  if (auto self = weak.lock())
                                    self->on_answer(std::move(write), attempt, answer);
                                });
}

void EventRecorder::State::on_answer(EventWrite write, int attempt,
                                     const ApiResult<json::value>& answer) {
  if (answer.ok()) return proceed();
  const ApiError& error = answer.error();
  if (write.is_patch && error.is_not_found()) {
    // It has expired meanwhile: tell the whole again.
    write.is_patch = false;
    write.body = write.whole;
    return send(std::move(write), attempt);
  }
  if (error.is_already_exists()) return proceed();  // an earlier try did arrive
  if (!error.is_retryable() || attempt >= kAttempts) {
    correlator.forget(write.key);
    ++dropped;
    return proceed();
  }
  executor.after(kBetweenAttempts,
                 [weak = weak_from_this(), write = std::move(write), attempt]() mutable {
                   if (auto self = weak.lock()) self->send(std::move(write), attempt + 1);
                 });
}

EventRecorder::EventRecorder(Executor& executor, Api& api, EventSource source)
    : state_(std::make_shared<State>(executor, api, std::move(source))) {}
EventRecorder::~EventRecorder() = default;

void EventRecorder::record(EventInput input) {
  auto write =
      state_->correlator.correlate(input, state_->executor.now(), state_->executor.wall_now());
  if (!write) {
    ++state_->dropped;
    return;
  }
  if (state_->queue.size() >= kEventQueueMax) {
    state_->correlator.forget(state_->queue.front().key);
    state_->queue.pop_front();
    ++state_->dropped;
  }
  state_->queue.push_back(std::move(*write));
  state_->executor.post([weak = std::weak_ptr(state_)] {
    if (auto self = weak.lock()) self->send_next();
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
