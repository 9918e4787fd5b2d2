#include "api/columns/cells.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::api::cells {

json::value text(std::string_view value) { return json::value(json::string(value)); }

json::value text_or(std::string_view value, std::string_view fallback) {
  return text(value.empty() ? fallback : value);
}

json::value string_at(const json::value& object, std::string_view path, std::string_view fallback) {
  return text_or(get_string(object, path), fallback);
}

std::string scalar_text(const json::value* value) {
  if (value == nullptr) {
    return {};
  }
  if (value->is_string()) {
    return std::string(std::string_view(value->get_string()));
  }
  return value->is_number() || value->is_bool() ? to_json(*value) : std::string();
}

std::string age(std::string_view since, WallTime now) {
  if (since.empty()) {
    return std::string(kUnknown);
  }
  auto start = parse_time(since);
  return start.ok() ? human_duration(now - *start) : std::string(kUnknown);
}

std::string labels_text(const json::object& labels) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels) {
    parts.push_back(std::string(key) + "=" + scalar_text(&value));
  }
  std::sort(parts.begin(), parts.end());
  return parts.empty() ? std::string(kNone) : join(parts, ",");
}

std::string first_three(const std::vector<std::string>& items, std::string_view fallback) {
  constexpr std::size_t kShown = 3;
  if (items.empty()) {
    return std::string(fallback);
  }
  const std::size_t shown = std::min(items.size(), kShown);
  std::string out = join({items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown)}, ",");
  if (items.size() > kShown) {
    out += " + " + std::to_string(items.size() - kShown) + " more...";
  }
  return out;
}

std::string join_members(const json::value& object, std::string_view path, std::string_view name) {
  std::vector<std::string> parts;
  for (const json::value& item : get_array(object, path)) {
    parts.emplace_back(get_string(item, name));
  }
  return join(parts, ",");
}

bool condition_is_true(const json::value& object, std::string_view type) {
  for (const json::value& condition : get_array(object, "status.conditions")) {
    if (get_string(condition, "type") == type) {
      return get_string(condition, "status") == "True";
    }
  }
  return false;
}

}  // namespace coracle::api::cells
