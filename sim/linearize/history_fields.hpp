// Fields: reads the members of one JSON object strictly: what is of another type, or was not asked
// for, is an error that done() tells.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::linearize {

class Fields {
 public:
  explicit Fields(const json::value& value) {
    if (value.is_object()) object_ = &value.get_object();
    if (object_ == nullptr) status_ = invalid_argument("an object is needed");
  }

  void text(const char* name, std::string* out) {
    if (const json::value* v = take(name)) {
      if (!v->is_string()) return wrong(name, "a string");
      *out = std::string(v->get_string());
    }
  }
  void text(const char* name, std::optional<std::string>* out) {
    std::string value;
    if (has(name)) text(name, &value), *out = value;
  }
  void number(const char* name, std::int64_t* out) {
    if (const json::value* v = take(name)) {
      if (!v->is_int64()) return wrong(name, "an integer");
      *out = v->get_int64();
    }
  }
  void number(const char* name, std::optional<std::int64_t>* out) {
    std::int64_t value = 0;
    if (has(name)) number(name, &value), *out = value;
  }
  void flag(const char* name, bool* out) {
    if (const json::value* v = take(name)) {
      if (!v->is_bool()) return wrong(name, "true or false");
      *out = v->get_bool();
    }
  }
  void flag(const char* name, std::optional<bool>* out) {
    bool value = false;
    if (has(name)) flag(name, &value), *out = value;
  }
  void any(const char* name, const json::value** out) {
    if (const json::value* v = take(name)) *out = v;
  }
  template <class T>
  void list(const char* name, std::optional<std::vector<T>>* out,
            Result<T> (*parse)(const json::value&)) {
    const json::value* v = take(name);
    if (v == nullptr) return;
    if (!v->is_array()) return wrong(name, "an array");
    out->emplace();
    for (const json::value& item : v->get_array()) {
      Result<T> parsed = parse(item);
      if (!parsed.ok()) return note(parsed.status().with_context(name));
      (*out)->push_back(std::move(parsed).value());
    }
  }

  Status done() {
    if (object_ == nullptr) return status_;
    for (const auto& member : *object_) {
      if (known_.contains(member.key())) continue;
      note(invalid_argument("unknown member: " + std::string(member.key())));
    }
    return status_;
  }

 private:
  bool has(const char* name) const { return object_ != nullptr && object_->contains(name); }
  const json::value* take(const char* name) {
    known_.insert(name);
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }
  void note(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  void wrong(const char* name, const char* needed) {
    note(invalid_argument(std::string(name) + ": " + needed + " is needed"));
  }

  const json::object* object_ = nullptr;
  std::set<std::string, std::less<>> known_;
  Status status_;
};

}  // namespace coracle::linearize
