#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

// core/v1 and events.k8s.io/v1 name the same members differently.
std::string_view either(const json::value& event, std::string_view core, std::string_view newer) {
  const std::string_view text = get_string(event, core);
  return text.empty() ? get_string(event, newer) : text;
}

std::string_view first_time(const json::value& event) {
  const auto first = either(event, "firstTimestamp", "deprecatedFirstTimestamp");
  return first.empty() ? get_string(event, "eventTime") : first;
}

std::string_view last_time(const json::value& event) {
  if (find(event, "series") != nullptr) {
    return get_string(event, "series.lastObservedTime");
  }
  const auto last = either(event, "lastTimestamp", "deprecatedLastTimestamp");
  return last.empty() ? first_time(event) : last;
}

json::value first_seen(const json::value& event, WallTime now) {
  return cells::text(cells::age(first_time(event), now));
}

json::value last_seen(const json::value& event, WallTime now) {
  return cells::text(cells::age(last_time(event), now));
}

json::value object(const json::value& event, WallTime) {
  const std::string kind = to_lower(either(event, "involvedObject.kind", "regarding.kind"));
  const std::string_view name = either(event, "involvedObject.name", "regarding.name");
  return cells::text(name.empty() ? kind : kind + "/" + std::string(name));
}

json::value subobject(const json::value& event, WallTime) {
  return cells::text(either(event, "involvedObject.fieldPath", "regarding.fieldPath"));
}

json::value source(const json::value& event, WallTime) {
  std::string_view component = either(event, "source.component", "deprecatedSource.component");
  std::string_view instance = either(event, "source.host", "deprecatedSource.host");
  if (component.empty()) {
    component = either(event, "reportingComponent", "reportingController");
    instance = get_string(event, "reportingInstance");
  }
  std::string text(component);
  if (!instance.empty()) {
    text += ", " + std::string(instance);
  }
  return cells::text(text);
}

json::value message(const json::value& event, WallTime) {
  return cells::text(trim(either(event, "message", "note")));
}

json::value count(const json::value& event, WallTime) {
  if (find(event, "series") != nullptr) {
    return get_int(event, "series.count");
  }
  const auto seen = get_int(event, "count", get_int(event, "deprecatedCount"));
  return seen == 0 ? 1 : seen;
}

constexpr ColumnHook kColumns[] = {
    {"event.lastSeen", last_seen},  {"event.firstSeen", first_seen}, {"event.object", object},
    {"event.subobject", subobject}, {"event.source", source},        {"event.message", message},
    {"event.count", count},
};

}  // namespace

std::span<const ColumnHook> event_columns() { return kColumns; }

}  // namespace coracle::api
