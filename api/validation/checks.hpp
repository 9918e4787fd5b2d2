// checks: what the kinds' validations share. Each adds what it finds to `errors`, worded as
// upstream words it. Pure; a missing member never fails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/field_error.hpp"
#include "api/object.hpp"
#include "api/validate.hpp"
#include "base/json.hpp"

namespace coracle::api::checks {

inline constexpr std::string_view kNotNegative = "must be greater than or equal to 0";
inline constexpr std::string_view kPositive = "must be greater than 0";
inline constexpr std::string_view kImmutable = "field is immutable";

// The member, or nullptr: also for keys that hold dots.
const json::value* member(const json::value& object, std::string_view key);
// The member, or an empty object.
const json::value& child_or_empty(const json::value& object, std::string_view key);
// null when there is nothing.
json::value value_or_null(const json::value* value);
std::string_view text_of(const json::value& object, std::string_view key);
json::value text_value(std::string_view text);
bool is_empty(const json::value* value);  // absent, null, "", [] or {}
// Equal, where absent and empty are the same.
bool same(const json::value* a, const json::value* b);
std::vector<std::string> sorted_names(const json::object& object);

// {path}.{key} must be a text from the list, shown in this order. "" is `Required value`.
void one_of(const json::value& object, std::string_view key, const FieldPath& path,
            const std::vector<std::string>& supported, FieldErrors& errors);
// The same, but an absent one is fine.
void one_of_if_set(const json::value& object, std::string_view key, const FieldPath& path,
                   const std::vector<std::string>& supported, FieldErrors& errors);
// Whether the text is there; `Required value` otherwise.
bool required_text(const json::value& object, std::string_view key, const FieldPath& path,
                   FieldErrors& errors, std::string_view detail = {});
// Every present member of these must not be negative.
void non_negative(const json::value& object, std::initializer_list<std::string_view> keys,
                  const FieldPath& path, FieldErrors& errors);
void in_range(const json::value* value, std::int64_t low, std::int64_t high, const FieldPath& path,
              FieldErrors& errors);
void port_number(const json::value* value, const FieldPath& path, FieldErrors& errors);
void port_number_or_name(const json::value* value, const FieldPath& path, FieldErrors& errors);
void label_name(std::string_view key, const FieldPath& path, FieldErrors& errors);
void dns_label(std::string_view text, const FieldPath& path, FieldErrors& errors);
void dns_subdomain(std::string_view text, const FieldPath& path, FieldErrors& errors);
// "acme.io/foo": a domain, a slash and a path.
void domain_prefixed_path(std::string_view text, const FieldPath& path, FieldErrors& errors);
// "*.example.com".
void wildcard_host(std::string_view text, const FieldPath& path, FieldErrors& errors);
void protocol(const json::value& port, const FieldPath& path, FieldErrors& errors);
// Ids of users and groups: 0 to 2147483647.
void user_or_group(const json::value* id, const FieldPath& path, FieldErrors& errors);
// The messages of a domain that may hold underscores.
std::vector<std::string> dns_subdomain_with_underscore(std::string_view text);

bool has_backsteps(std::string_view text);  // an element is ".."
void no_backsteps(std::string_view text, const FieldPath& path, FieldErrors& errors);
// A path inside a volume: relative, no "..".
void descending_path(std::string_view text, const FieldPath& path, FieldErrors& errors);
// The same; nor may it begin with "..", which the kubelet keeps for itself.
void local_path(std::string_view text, const FieldPath& path, FieldErrors& errors);

// How an error shows a part of an object that upstream prints from its own structs: members in
// the order of `keys`, with Go's names, null where there is nothing.
json::value go_struct(const json::value& object, std::initializer_list<std::string_view> keys);

// A number that is not negative, or a percentage.
void int_or_percent(const json::value* value, const FieldPath& path, FieldErrors& errors);
void at_most_100_percent(const json::value* value, const FieldPath& path, FieldErrors& errors);
// The number in front of the % or the number itself; 0 for anything else.
std::int64_t int_or_percent_value(const json::value* value);

}  // namespace coracle::api::checks
