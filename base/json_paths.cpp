// Reading and writing a tree by dotted paths.
#include <utility>

#include "base/json.hpp"

namespace coracle {
namespace {

std::string_view next_key(std::string_view& path) {
  const size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  return key;
}

}  // namespace

const json::value* find(const json::value& root, std::string_view dotted_path) {
  const json::value* at = &root;
  while (!dotted_path.empty()) {
    const json::object* object = at->if_object();
    if (object == nullptr) return nullptr;
    at = object->if_contains(next_key(dotted_path));
    if (at == nullptr) return nullptr;
  }
  return at;
}

const json::value* find_keys(const json::value& root,
                             std::initializer_list<std::string_view> keys) {
  const json::value* at = &root;
  for (const std::string_view key : keys) {
    const json::object* object = at->if_object();
    if (object == nullptr) return nullptr;
    at = object->if_contains(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string_view get_string(const json::value& root, std::string_view dotted_path,
                            std::string_view fallback) {
  const json::value* at = find(root, dotted_path);
  if (at == nullptr || !at->is_string()) return fallback;
  const json::string& text = at->get_string();
  return {text.data(), text.size()};
}

std::int64_t get_int(const json::value& root, std::string_view dotted_path, std::int64_t fallback) {
  const json::value* at = find(root, dotted_path);
  if (at == nullptr) return fallback;
  if (const auto* i = at->if_int64()) return *i;
  if (const auto* u = at->if_uint64()) return static_cast<std::int64_t>(*u);
  if (const auto* d = at->if_double()) return static_cast<std::int64_t>(*d);
  return fallback;
}

bool get_bool(const json::value& root, std::string_view dotted_path, bool fallback) {
  const json::value* at = find(root, dotted_path);
  return at != nullptr && at->is_bool() ? at->get_bool() : fallback;
}

const json::array& get_array(const json::value& root, std::string_view dotted_path) {
  static const json::array empty;
  const json::value* at = find(root, dotted_path);
  return at != nullptr && at->is_array() ? at->get_array() : empty;
}

const json::object& get_object(const json::value& root, std::string_view dotted_path) {
  static const json::object empty;
  const json::value* at = find(root, dotted_path);
  return at != nullptr && at->is_object() ? at->get_object() : empty;
}

json::object& make_object(json::value& root, std::string_view dotted_path) {
  json::value* at = &root;
  if (!at->is_object()) at->emplace_object();
  while (!dotted_path.empty()) {
    at = &at->get_object()[next_key(dotted_path)];
    if (!at->is_object()) at->emplace_object();
  }
  return at->get_object();
}

void set_path(json::value& root, std::string_view dotted_path, json::value value) {
  const size_t dot = dotted_path.rfind('.');
  if (dot == std::string_view::npos) {
    make_object(root, "")[dotted_path] = std::move(value);
  } else {
    make_object(root, dotted_path.substr(0, dot))[dotted_path.substr(dot + 1)] = std::move(value);
  }
}

bool erase_key(json::object& object, std::string_view key) {
  const auto at = object.find(key);
  if (at == object.end()) return false;
  object.stable_erase(at);
  return true;
}

}  // namespace coracle
