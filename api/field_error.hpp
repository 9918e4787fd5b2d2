// field_error: what is wrong with one field of an object, worded as upstream words it.
// Pure values. FieldPath is an immutable text builder: child/index/key return a new path.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

enum class FieldErrorType {
  kRequired,
  kInvalid,
  kNotSupported,
  kDuplicate,
  kForbidden,
  kTooLong,
  kTooMany,
  kTooFew,
  kNotFound,
  kTypeInvalid,
  kInternal,
};

// "FieldValueRequired", ...: the reason of a Status cause.
std::string_view field_error_reason(FieldErrorType type);

// spec.containers[0].name, metadata.labels[app]. An empty path prints as "<nil>" at top level.
// Checks make many and hardly ever need one: usual lengths are kept without the heap.
class FieldPath {
 public:
  FieldPath() = default;
  explicit FieldPath(std::string_view root) { append(root); }

  FieldPath child(std::string_view name) const;
  FieldPath child(std::string_view name, std::string_view more) const;
  FieldPath index(std::size_t i) const;
  FieldPath key(std::string_view key) const;
  std::string text() const { return {text_.data(), text_.size()}; }
  bool empty() const { return text_.empty(); }

 private:
  void append(std::string_view more) { text_.insert(text_.end(), more.begin(), more.end()); }
  FieldPath with(char before, std::string_view part, char after) const;

  boost::container::small_vector<char, 96> text_;
};

// Anything a JSON value can be made of, std::string included.
struct BadValue {
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, BadValue>)
  BadValue(T&& v) : value(make(std::forward<T>(v))) {}  // NOLINT: implicit by design
  json::value value;

 private:
  template <class T>
  static json::value make(T&& v) {
    if constexpr (std::is_convertible_v<T, json::value>) {
      return std::forward<T>(v);
    } else {
      return json::value(std::string_view(v));
    }
  }
};

struct FieldError {
  FieldErrorType type = FieldErrorType::kInvalid;
  std::string field;
  json::value bad_value;  // unused for Required, Forbidden, TooLong, Internal
  bool omit_value = false;
  std::string detail;

  std::string body() const;  // `Invalid value: -1: must be ...`
  std::string text() const;  // `spec.replicas: Invalid value: -1: must be ...`
};

// Every error found, in the order found. Adders keep upstream's wording of the detail.
class FieldErrors {
 public:
  void add(FieldError error) { list_.push_back(std::move(error)); }
  void required(const FieldPath& path, std::string_view detail = {});
  void invalid(const FieldPath& path, BadValue bad, std::string_view detail);
  void not_supported(const FieldPath& path, BadValue bad,
                     const std::vector<std::string>& supported);
  void duplicate(const FieldPath& path, BadValue bad);
  void forbidden(const FieldPath& path, std::string_view detail);
  void too_long(const FieldPath& path, int max_bytes);  // "may not be more than N bytes"
  void too_many(const FieldPath& path, int actual, int max);
  void too_few(const FieldPath& path, int actual, int min);
  void not_found(const FieldPath& path, BadValue bad);
  void type_invalid(const FieldPath& path, BadValue bad, std::string_view detail);
  void internal(const FieldPath& path, std::string_view detail);
  // One Invalid error for each message (what the name checks of object.hpp return).
  void invalid_each(const FieldPath& path, const BadValue& bad,
                    const std::vector<std::string>& messages);
  void append(FieldErrors other);

  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  const std::vector<FieldError>& list() const { return list_; }
  std::vector<FieldError>& list() { return list_; }
  // As upstream's aggregate: `a`, or `[a, b]`; equal texts once.
  std::string text() const;

 private:
  std::vector<FieldError> list_;
};

}  // namespace coracle::api
