#include "api/field_error.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::api {

namespace {

std::string_view type_text(FieldErrorType type) {
  switch (type) {
    case FieldErrorType::kRequired:
      return "Required value";
    case FieldErrorType::kInvalid:
      return "Invalid value";
    case FieldErrorType::kNotSupported:
      return "Unsupported value";
    case FieldErrorType::kDuplicate:
      return "Duplicate value";
    case FieldErrorType::kForbidden:
      return "Forbidden";
    case FieldErrorType::kTooLong:
      return "Too long";
    case FieldErrorType::kTooMany:
      return "Too many";
    case FieldErrorType::kTooFew:
      return "Too few";
    case FieldErrorType::kNotFound:
      return "Not found";
    case FieldErrorType::kTypeInvalid:
      return "Invalid value";
    case FieldErrorType::kInternal:
      return "Internal error";
  }
  return "Internal error";
}

bool shows_value(FieldErrorType type) {
  return type != FieldErrorType::kRequired && type != FieldErrorType::kForbidden &&
         type != FieldErrorType::kTooLong && type != FieldErrorType::kInternal;
}

std::string counted(int n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

}  // namespace

std::string_view field_error_reason(FieldErrorType type) {
  switch (type) {
    case FieldErrorType::kRequired:
      return "FieldValueRequired";
    case FieldErrorType::kInvalid:
      return "FieldValueInvalid";
    case FieldErrorType::kNotSupported:
      return "FieldValueNotSupported";
    case FieldErrorType::kDuplicate:
      return "FieldValueDuplicate";
    case FieldErrorType::kForbidden:
      return "FieldValueForbidden";
    case FieldErrorType::kTooLong:
      return "FieldValueTooLong";
    case FieldErrorType::kTooMany:
      return "FieldValueTooMany";
    case FieldErrorType::kTooFew:
      return "FieldValueTooFew";
    case FieldErrorType::kNotFound:
      return "FieldValueNotFound";
    case FieldErrorType::kTypeInvalid:
      return "FieldValueTypeInvalid";
    case FieldErrorType::kInternal:
      return "InternalError";
  }
  return "InternalError";
}

FieldPath FieldPath::with(char before, std::string_view part, char after) const {
  FieldPath path(*this);
  if (before != 0) path.text_.push_back(before);
  path.append(part);
  if (after != 0) path.text_.push_back(after);
  return path;
}

FieldPath FieldPath::child(std::string_view name) const {
  return with(text_.empty() ? 0 : '.', name, 0);
}

FieldPath FieldPath::child(std::string_view name, std::string_view more) const {
  FieldPath path = child(name);
  path.text_.push_back('.');
  path.append(more);
  return path;
}

FieldPath FieldPath::index(std::size_t i) const {
  const fmt::format_int text(i);
  return with('[', {text.data(), text.size()}, ']');
}

FieldPath FieldPath::key(std::string_view key) const { return with('[', key, ']'); }

std::string FieldError::body() const {
  std::string text(type_text(type));
  if (shows_value(type) && !omit_value) {
    text += ": ";
    text += bad_value.is_string() ? quoted(bad_value.as_string()) : to_json(bad_value);
  }
  if (!detail.empty()) text += ": " + detail;
  return text;
}

std::string FieldError::text() const {
  return (field.empty() ? std::string("<nil>") : field) + ": " + body();
}

void FieldErrors::required(const FieldPath& path, std::string_view detail) {
  add({FieldErrorType::kRequired, path.text(), "", false, std::string(detail)});
}

void FieldErrors::invalid(const FieldPath& path, BadValue bad, std::string_view detail) {
  add({FieldErrorType::kInvalid, path.text(), std::move(bad.value), false, std::string(detail)});
}

void FieldErrors::not_supported(const FieldPath& path, BadValue bad,
                                const std::vector<std::string>& supported) {
  std::string detail;
  for (const std::string& value : supported) {
    detail += detail.empty() ? "supported values: " : ", ";
    detail += quoted(value);
  }
  add({FieldErrorType::kNotSupported, path.text(), std::move(bad.value), false, std::move(detail)});
}

void FieldErrors::duplicate(const FieldPath& path, BadValue bad) {
  add({FieldErrorType::kDuplicate, path.text(), std::move(bad.value), false, {}});
}

void FieldErrors::forbidden(const FieldPath& path, std::string_view detail) {
  add({FieldErrorType::kForbidden, path.text(), "", false, std::string(detail)});
}

void FieldErrors::too_long(const FieldPath& path, int max_bytes) {
  add({FieldErrorType::kTooLong, path.text(), "<value omitted>", false,
       "may not be more than " + counted(max_bytes, "byte", "bytes")});
}

void FieldErrors::too_many(const FieldPath& path, int actual, int max) {
  add({FieldErrorType::kTooMany, path.text(), actual, false,
       "must have at most " + counted(max, "item", "items")});
}

void FieldErrors::too_few(const FieldPath& path, int actual, int min) {
  add({FieldErrorType::kTooFew, path.text(), actual, false,
       "must have at least " + counted(min, "item", "items")});
}

void FieldErrors::not_found(const FieldPath& path, BadValue bad) {
  add({FieldErrorType::kNotFound, path.text(), std::move(bad.value), false, {}});
}

void FieldErrors::type_invalid(const FieldPath& path, BadValue bad, std::string_view detail) {
  add({FieldErrorType::kTypeInvalid, path.text(), std::move(bad.value), false,
       std::string(detail)});
}

void FieldErrors::internal(const FieldPath& path, std::string_view detail) {
  add({FieldErrorType::kInternal, path.text(), "", false, std::string(detail)});
}

void FieldErrors::invalid_each(const FieldPath& path, const BadValue& bad,
                               const std::vector<std::string>& messages) {
  for (const std::string& message : messages) invalid(path, bad, message);
}

void FieldErrors::append(FieldErrors other) {
  for (FieldError& error : other.list_) list_.push_back(std::move(error));
}

std::string FieldErrors::text() const {
  std::vector<std::string> texts;
  for (const FieldError& error : list_) {
    std::string text = error.text();
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) {
      texts.push_back(std::move(text));
    }
  }
  return texts.size() == 1 ? texts[0] : "[" + join(texts, ", ") + "]";
}

}  // namespace coracle::api
