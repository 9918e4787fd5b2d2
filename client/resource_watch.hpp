// ResourceWatch: one watch of one resource, its stream of bytes cut into events. What the informer,
// `kubectl get -w` and the lab's page stand on.
//
// Strand: the Api's. One callback at a time, none after destruction or on_end. Bound: a line of
// more than kLineBytesMax ends the watch.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/json_brief.hpp"
#include "client/resource.hpp"

namespace coracle::client {

struct ResourceEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark };
  Type type = Type::kAdded;
  std::shared_ptr<json::value> object;  // null only if there is the other:
  // The object of an Api whose events are shared (SharedEvents): not to be changed, and without its
  // managedFields.
  std::shared_ptr<const json::value> shared = nullptr;

  const json::value& seen() const { return shared ? *shared : *object; }
};
std::string_view event_type_name(ResourceEvent::Type type);

struct ResourceWatchOptions {
  std::string namespace_name;  // empty: all
  std::string label_selector, field_selector;
  std::string resource_version;
  bool bookmarks = false;
  bool send_initial_events = false;  // adds resourceVersionMatch=NotOlderThan
  std::int64_t timeout_seconds = 0;  // 0: the server's choice
  HeaderList headers;                // e.g. Accept for Tables
  QueryList extra;
  // How events ("object.spec") are parsed whose objects are not kept. Null: as a whole.
  std::shared_ptr<const JsonBrief> brief;
};

struct ResourceWatchSink {
  std::function<void(ResourceEvent)> on_event;
  // Nothing: the server ended it in order. An error answer, an ERROR event, a lost connection
  // (http 0), or bytes that are not events: the error.
  std::function<void(std::optional<ApiError>)> on_end;
};

inline constexpr size_t kLineBytesMax = 16u << 20;

// Destroying it closes the connection.
class ResourceWatch {
 public:
  ResourceWatch(const ResourceClient& client, const ResourceWatchOptions& options,
                ResourceWatchSink sink);
  ~ResourceWatch();
  ResourceWatch(const ResourceWatch&) = delete;
  ResourceWatch& operator=(const ResourceWatch&) = delete;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace coracle::client
