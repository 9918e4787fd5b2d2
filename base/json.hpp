// The tree type of the project (docs/decisions/json.md): Boost.JSON, insertion-ordered objects.
// This header is the adapter that keeps its exceptions in; nobody else calls json::parse.
//
// Trap: json::value{x} and json::array{x} with braces may mean a one-element array. Write
// json::value v = x; or v.emplace_object() and assign members.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle {

namespace json = boost::json;

struct JsonLimits {
  size_t depth_max = 200;
};

// Strict RFC 8259, valid UTF-8 only. A repeated member keeps the last value; the paths of repeated
// members ("data.a", "spec.containers[0].name") are appended to `duplicates` when it is given.
// No number is infinite. InvalidArgument names the line and column. O(n).
Result<json::value> parse_json(std::string_view text,
                               std::vector<std::string>* duplicates = nullptr,
                               const JsonLimits& limits = {});
std::string to_json(const json::value& value);
// Two-space (or `indent`) indented, as Go's MarshalIndent: "[]" and "{}" when empty.
std::string to_pretty_json(const json::value& value, std::string_view indent = "  ");
// Members of every object in byte order, recursively.
json::value sorted_keys(const json::value& value);

// The member of that name; nullptr where there is none. What Boost's if_contains answers; that one
// calls into its library for the lookup and again for every name of the right length. Linear in
// the members of a small object, as there.
const json::value* find_member(const json::object& object, std::string_view name);
json::value* find_member(json::object& object, std::string_view name);
// The same of any value: nullptr when it is no object.
const json::value* find_member(const json::value& value, std::string_view name);

// Walk "a.b.c" through objects; nullptr where there is nothing. Keys that hold dots: the variant
// with a list. Both accept any value as root.
const json::value* find(const json::value& root, std::string_view dotted_path);
const json::value* find_keys(const json::value& root, std::initializer_list<std::string_view> keys);
// Like find, with a default where the member is missing or of another type.
std::string_view get_string(const json::value& root, std::string_view dotted_path,
                            std::string_view fallback = {});
std::int64_t get_int(const json::value& root, std::string_view dotted_path,
                     std::int64_t fallback = 0);
bool get_bool(const json::value& root, std::string_view dotted_path, bool fallback = false);
// The array there, or an empty one that lives for ever.
const json::array& get_array(const json::value& root, std::string_view dotted_path);
const json::object& get_object(const json::value& root, std::string_view dotted_path);
// The object at the path, made (with the objects on the way) if it is not there or not an object.
json::object& make_object(json::value& root, std::string_view dotted_path);
// Sets the value at the path, making objects on the way.
void set_path(json::value& root, std::string_view dotted_path, json::value value);
// Erases keeping the order of the rest (Boost's erase moves the last member into the gap).
bool erase_key(json::object& object, std::string_view key);

}  // namespace coracle
