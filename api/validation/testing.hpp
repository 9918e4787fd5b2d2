// testing: what the tables of the validation tests share.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api::validation {

struct Case {
  std::string_view name;
  std::string_view object;
  std::vector<std::string> errors;  // all of them, in order
  std::string_view old = "";        // "" = create
};

using Check = void (*)(const json::value&, const json::value*, FieldErrors&);
using Defaults = void (*)(json::object&);

inline json::value object_of(std::string_view text) {
  auto parsed = parse_json(text);
  INFO(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

inline std::vector<std::string> texts_of(const FieldErrors& errors) {
  std::vector<std::string> out;
  for (const FieldError& error : errors.list()) {
    out.push_back(error.text());
  }
  return out;
}

// Objects are defaulted first, as on their way through the server.
inline void run(const std::vector<Case>& cases, Check check, Defaults defaults) {
  for (const Case& c : cases) {
    INFO(c.name);
    json::value object = object_of(c.object);
    json::value old;
    if (defaults != nullptr) {
      defaults(object.get_object());
    }
    if (!c.old.empty()) {
      old = object_of(c.old);
      if (defaults != nullptr) {
        defaults(old.get_object());
      }
    }
    FieldErrors errors;
    check(object, c.old.empty() ? nullptr : &old, errors);
    CHECK(texts_of(errors) == c.errors);
  }
}

}  // namespace coracle::api::validation
