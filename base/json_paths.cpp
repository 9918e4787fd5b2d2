// Reading and writing a tree by dotted paths.
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/json.hpp"

namespace coracle {
namespace {

// Both of `size` bytes. Names are short: two loads that may overlap tell of 4 to 16.
template <class Word>
bool same_ends(const char* a, const char* b, std::size_t size) {
  Word front_a, front_b, back_a, back_b;
  std::memcpy(&front_a, a, sizeof(Word));
  std::memcpy(&front_b, b, sizeof(Word));
  std::memcpy(&back_a, a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&back_b, b + size - sizeof(Word), sizeof(Word));
  return ((front_a ^ front_b) | (back_a ^ back_b)) == 0;
}

bool same_bytes(const char* a, const char* b, std::size_t size) {
  if (size >= 8) {
    return same_ends<std::uint64_t>(a, b, size) &&
           (size <= 16 || std::memcmp(a + 8, b + 8, size - 16) == 0);
  }
  if (size >= 4) return same_ends<std::uint32_t>(a, b, size);
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Boost looks through as many one by one; larger objects have a table.
constexpr std::size_t kFew = 18;

std::string_view next_key(std::string_view& path) {
  const size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  return key;
}

}  // namespace

const json::value* find_member(const json::object& object, std::string_view name) {
  if (object.size() > kFew) return object.if_contains(name);
  for (const json::key_value_pair& member : object) {
    const json::string_view key = member.key();
    if (key.size() == name.size() && same_bytes(key.data(), name.data(), name.size())) {
      return &member.value();
    }
  }
  return nullptr;
}

json::value* find_member(json::object& object, std::string_view name) {
  return const_cast<json::value*>(find_member(std::as_const(object), name));
}

const json::value* find_member(const json::value& value, std::string_view name) {
  const json::object* object = value.if_object();
  return object == nullptr ? nullptr : find_member(*object, name);
}

const json::value* find(const json::value& root, std::string_view dotted_path) {
  const json::value* at = &root;
  while (at != nullptr && !dotted_path.empty()) at = find_member(*at, next_key(dotted_path));
  return at;
}

const json::value* find_keys(const json::value& root,
                             std::initializer_list<std::string_view> keys) {
  const json::value* at = &root;
  for (const std::string_view key : keys) {
    at = find_member(*at, key);
    if (at == nullptr) break;
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
