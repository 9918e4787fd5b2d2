#include "client/resource_watch.hpp"

#include <utility>

#include "client/shared_events.hpp"

namespace coracle::client {

std::string_view event_type_name(ResourceEvent::Type type) {
  switch (type) {
    case ResourceEvent::Type::kAdded:
      return "ADDED";
    case ResourceEvent::Type::kModified:
      return "MODIFIED";
    case ResourceEvent::Type::kDeleted:
      return "DELETED";
    case ResourceEvent::Type::kBookmark:
      return "BOOKMARK";
  }
  return "";
}

namespace {

std::optional<ResourceEvent::Type> parse_type(std::string_view name) {
  using Type = ResourceEvent::Type;
  for (Type type : {Type::kAdded, Type::kModified, Type::kDeleted, Type::kBookmark}) {
    if (event_type_name(type) == name) return type;
  }
  return std::nullopt;
}

ApiError broken(const std::string& what) {
  return error_from_no_answer(unavailable("the watch sent what is no event: " + what));
}

ApiRequest watch_request(const ResourceClient& client, const ResourceWatchOptions& options) {
  QueryList query{{"watch", "true"}};
  if (!options.label_selector.empty()) query.emplace_back("labelSelector", options.label_selector);
  if (!options.field_selector.empty()) query.emplace_back("fieldSelector", options.field_selector);
  if (options.bookmarks) query.emplace_back("allowWatchBookmarks", "true");
  if (options.send_initial_events) {
    query.emplace_back("sendInitialEvents", "true");
    query.emplace_back("resourceVersionMatch", "NotOlderThan");
  }
  if (!options.resource_version.empty()) {
    query.emplace_back("resourceVersion", options.resource_version);
  }
  if (options.timeout_seconds > 0) {
    query.emplace_back("timeoutSeconds", std::to_string(options.timeout_seconds));
  }
  query.insert(query.end(), options.extra.begin(), options.extra.end());
  return {.target = client.path(options.namespace_name) + encode_query(query),
          .headers = options.headers};
}

}  // namespace

struct ResourceWatch::State : std::enable_shared_from_this<ResourceWatch::State> {
  std::shared_ptr<const JsonBrief> brief;
  ResourceWatchSink sink;
  ApiResponse head;
  std::string buffer;  // of events: an unfinished line; of an error: its body
  bool over = false;
  SharedEvents* trees = nullptr;  // of the Api, if it has some
  std::unique_ptr<ApiStream> stream;

  void on_data(std::string_view bytes);
  void on_line(std::string_view line);
  void finish(std::optional<ApiError> error);
  void on_end(const Status& status);
};

void ResourceWatch::State::on_data(std::string_view bytes) {
  if (buffer.size() + bytes.size() > kLineBytesMax) {
    return finish(broken("a line of more than 16 MiB"));
  }
  if (head.status >= 400) {
    buffer += bytes;
    return;
  }
  size_t newline;
  while (!over && (newline = bytes.find('\n')) != std::string_view::npos) {
    if (buffer.empty()) {
      on_line(bytes.substr(0, newline));
    } else {
      buffer += bytes.substr(0, newline);
      const std::string line = std::exchange(buffer, {});
      on_line(line);
    }
    bytes.remove_prefix(newline + 1);
  }
  if (!over) buffer += bytes;
}

void ResourceWatch::State::on_line(std::string_view line) {
  if (line.empty()) return;
  if (trees != nullptr) {
    // What cannot be shared is read below, and told what is wrong with it.
    const auto shared = trees->event(line);
    const json::value* object = shared ? find_member(*shared, "object") : nullptr;
    const auto type = shared ? parse_type(get_string(*shared, "type")) : std::nullopt;
    if (object != nullptr && type) return sink.on_event({*type, nullptr, {shared, object}});
  }
  std::shared_ptr<json::value> event;
  if (brief != nullptr) {
    auto parsed = brief->parse(line);
    if (!parsed.ok()) return finish(broken(parsed.status().message()));
    event = *std::move(parsed);
  } else {
    auto parsed = parse_json(line);
    if (!parsed.ok()) return finish(broken(parsed.status().message()));
    event = std::make_shared<json::value>(*std::move(parsed));
  }
  json::object* members = event->if_object();
  json::value* object = members ? find_member(*members, "object") : nullptr;
  if (!object) return finish(broken(std::string(line.substr(0, 200))));
  const std::string_view name = get_string(*event, "type");
  if (name == "ERROR") return finish(error_from_status_object(*object));
  const auto type = parse_type(name);
  if (!type) return finish(broken("type " + std::string(name)));
  sink.on_event({*type, {event, object}, nullptr});
}

void ResourceWatch::State::finish(std::optional<ApiError> error) {
  if (std::exchange(over, true)) return;
  const auto end = std::exchange(sink, {}).on_end;
  if (end) end(std::move(error));
}

void ResourceWatch::State::on_end(const Status& status) {
  if (head.status >= 400) {
    head.body = std::exchange(buffer, {});
    return finish(error_from_response(head));
  }
  if (!status.ok()) return finish(error_from_no_answer(status));
  finish(std::nullopt);
}

ResourceWatch::ResourceWatch(const ResourceClient& client, const ResourceWatchOptions& options,
                             ResourceWatchSink sink)
    : state_(std::make_shared<State>()) {
  state_->brief = options.brief;
  state_->trees = dynamic_cast<SharedEvents*>(&client.api());
  state_->sink = std::move(sink);
  // Callbacks hold the state while they run: one of them may destroy this watch.
  std::weak_ptr<State> weak = state_;
  ApiStreamSink bytes;
  bytes.on_head = [weak](const ApiResponse& head) {
    if (auto state = weak.lock()) state->head = head;
  };
  bytes.on_data = [weak](std::string_view data) {
    auto state = weak.lock();
    if (state && !state->over) state->on_data(data);
  };
  bytes.on_end = [weak](Status status) {
    if (auto state = weak.lock()) state->on_end(status);
  };
  state_->stream = client.api().stream(watch_request(client, options), std::move(bytes));
}

ResourceWatch::~ResourceWatch() {
  state_->over = true;
  state_->stream.reset();
}

}  // namespace coracle::client
