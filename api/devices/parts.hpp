// parts: what the validations of this folder share. Internal. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "api/field_error.hpp"
#include "api/quantity.hpp"
#include "base/json.hpp"

namespace coracle::api::devices {

// Calls check(entry, path) for each entry of {holder}.{key}; too many are one error and no calls.
template <class Check>
void each(const json::value& holder, std::string_view key, std::size_t max, const FieldPath& path,
          FieldErrors& errors, Check check) {
  const json::array& list = get_array(holder, key);
  const FieldPath at = path.child(key);
  if (list.size() > max) {
    errors.too_many(at, static_cast<int>(list.size()), static_cast<int>(max));
    return;
  }
  for (std::size_t i = 0; i < list.size(); ++i) check(list[i], at.index(i));
}

// The same for entries that have a key, which must be theirs alone.
template <class Check, class Key>
void each_of_set(const json::value& holder, std::string_view key, std::size_t max,
                 const FieldPath& path, FieldErrors& errors, Check check, Key key_of) {
  each(holder, key, max, path, errors, check);
  const json::array& list = get_array(holder, key);
  if (list.size() > max) return;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string own(key_of(list[i]));
    if (!seen.insert(own).second) errors.duplicate(path.child(key).index(i), own);
  }
}

// An amount; none where it does not parse, which the schema has told.
Quantity amount(const json::value& value);
void not_negative(const json::value& holder, std::string_view key, const FieldPath& path,
                  FieldErrors& errors);
void driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void pool_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
// "model" or "gpu.example.com/model"; `whole`: the latter.
void qualified_name(std::string_view name, bool whole, const FieldPath& path, FieldErrors& errors);
// {opaque: {driver, parameters}}
void configuration(const json::value& config, const FieldPath& path, FieldErrors& errors);
void selectors(const json::value& holder, const FieldPath& path, FieldErrors& errors);
void tolerations(const json::value& holder, const FieldPath& path, FieldErrors& errors);

// Of a claim, or what a template holds of one (claim.cpp).
void claim_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors);
// The requests' names, and "request/alternative".
std::set<std::string, std::less<>> request_names(const json::value& spec);
// A text that must be one of those.
void request_name_of(const json::value& name, const std::set<std::string, std::less<>>& known,
                     const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api::devices
