#include "config/object_reader.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"

namespace coracle::scheduler {

Status FormErrors::status() const {
  if (!first_wrong_type.empty()) return invalid_argument(first_wrong_type);
  if (unknown.empty()) return {};
  std::vector<std::string> texts;
  for (const std::string& path : unknown)
    texts.push_back(fmt::format("unknown field \"{}\"", path));
  return invalid_argument("strict decoding error: " + join(texts, ", "));
}

ObjectReader::ObjectReader(const json::value& value, std::string path, FormErrors& errors)
    : path_(std::move(path)), errors_(errors) {
  if (value.is_object()) {
    object_ = &value.as_object();
  } else if (!value.is_null() && errors_.first_wrong_type.empty()) {
    errors_.first_wrong_type = (path_.empty() ? "document" : path_) + ": want an object";
  }
}

ObjectReader::~ObjectReader() {
  if (object_ == nullptr) return;
  for (const auto& [name, value] : *object_) {
    if (!asked_.contains(std::string_view(name))) errors_.unknown.push_back(path(name));
  }
}

const json::value* ObjectReader::find(std::string_view name) {
  asked_.emplace(name);
  const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string ObjectReader::path(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

std::string ObjectReader::path(std::string_view name, size_t index) const {
  return fmt::format("{}[{}]", path(name), index);
}

void ObjectReader::wrong(std::string_view name, std::string_view want) {
  if (errors_.first_wrong_type.empty()) {
    errors_.first_wrong_type = fmt::format("{}: want {}", path(name), want);
  }
}

bool ObjectReader::read(std::string_view name, std::string* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_string()) {
    *out = std::string(value->as_string());
  } else {
    wrong(name, "a string");
  }
  return true;
}

bool ObjectReader::read(std::string_view name, bool* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_bool()) {
    *out = value->as_bool();
  } else {
    wrong(name, "true or false");
  }
  return true;
}

bool ObjectReader::read(std::string_view name, std::int64_t* out) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_int64()) {
    *out = value->as_int64();
  } else {
    wrong(name, "a whole number");
  }
  return true;
}

bool ObjectReader::read(std::string_view name, Duration* out) {
  std::string text;
  if (!read(name, &text) || text.empty()) return false;
  const auto parsed = parse_duration(text);
  if (parsed.ok()) {
    *out = *parsed;
  } else {
    wrong(name, "a duration such as 15s");
  }
  return true;
}

bool ObjectReader::read(std::string_view name, std::vector<std::string>* out) {
  for (const json::value& value : list(name)) {
    if (value.is_string()) {
      out->emplace_back(value.as_string());
    } else {
      wrong(name, "a list of strings");
    }
  }
  return find(name) != nullptr;
}

const json::array& ObjectReader::list(std::string_view name) {
  static const json::array kNone;
  const json::value* value = find(name);
  if (value == nullptr) return kNone;
  if (value->is_array()) return value->as_array();
  wrong(name, "a list");
  return kNone;
}

}  // namespace coracle::scheduler
