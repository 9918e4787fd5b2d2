// fill: small steps over a JSON tree for the defaults. Nothing here fails: what has another shape
// than expected is skipped.
#pragma once

#include <string_view>

#include "base/json.hpp"

namespace coracle::api::defaults {

inline bool has(const json::object& object, std::string_view key) {
  return find_member(object, key) != nullptr;
}

inline void set_default(json::object& object, std::string_view key, json::value value) {
  if (!has(object, key)) {
    object[key] = std::move(value);
  }
}

inline std::string_view text(const json::object& object, std::string_view key) {
  const json::value* value = find_member(object, key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

// An absent or empty text gets the value.
inline void set_text_default(json::object& object, std::string_view key, std::string_view value) {
  if (!has(object, key) || (object.at(key).is_string() && text(object, key).empty())) {
    object[key] = json::string(value);
  }
}

inline json::object* child(json::object& object, std::string_view key) {
  json::value* value = find_member(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

inline json::object* child_default(json::object& object, std::string_view key) {
  set_default(object, key, json::object());
  return child(object, key);
}

template <class Fn>
void each_object(json::object& object, std::string_view list, Fn fn) {
  json::value* value = find_member(object, list);
  json::array* items = value == nullptr ? nullptr : value->if_array();
  if (items == nullptr) {
    return;
  }
  for (json::value& item : *items) {
    if (json::object* entry = item.if_object()) {
      fn(*entry);
    }
  }
}

}  // namespace coracle::api::defaults
