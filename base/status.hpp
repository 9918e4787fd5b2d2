// Status and Result<T>: how a function says that input, a peer or the environment misbehaved.
// Our own broken invariants are CHECKs, wrong start-up flags are fail_startup (base/check.hpp).
//
// The codes are the canonical ones of gRPC, with its numbers; HTTP appears only in net and
// apiserver.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace coracle {

enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

std::string_view code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // "NotFound: key x", or "Ok".
  std::string to_string() const;
  // The same code with "context: " before the message; an Ok stays Ok.
  Status with_context(std::string_view context) const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status invalid_argument(std::string m) { return {Code::kInvalidArgument, std::move(m)}; }
inline Status not_found(std::string m) { return {Code::kNotFound, std::move(m)}; }
inline Status already_exists(std::string m) { return {Code::kAlreadyExists, std::move(m)}; }
inline Status failed_precondition(std::string m) {
  return {Code::kFailedPrecondition, std::move(m)};
}
inline Status out_of_range(std::string m) { return {Code::kOutOfRange, std::move(m)}; }
inline Status unavailable(std::string m) { return {Code::kUnavailable, std::move(m)}; }
inline Status deadline_exceeded(std::string m) { return {Code::kDeadlineExceeded, std::move(m)}; }
inline Status internal_error(std::string m) { return {Code::kInternal, std::move(m)}; }
inline Status data_loss(std::string m) { return {Code::kDataLoss, std::move(m)}; }
inline Status unimplemented(std::string m) { return {Code::kUnimplemented, std::move(m)}; }

// A value or the Status that says why there is none. value() on a failure is a CHECK.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) { CORACLE_CHECK(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const { return status_; }

  T& value() & { return must(), *value_; }
  const T& value() const& { return must(), *value_; }
  T&& value() && { return must(), std::move(*value_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void must() const { CHECK_MSG(ok(), status_.to_string()); }

  std::optional<T> value_;
  Status status_;
};

}  // namespace coracle

// Return the failure of a Status (or Result) expression to the caller.
#define RETURN_IF_ERROR(expression)                  \
  do {                                               \
    ::coracle::Status status_of_call = (expression); \
    if (!status_of_call.ok()) return status_of_call; \
  } while (false)

#define CORACLE_CONCAT_(a, b) a##b
#define CORACLE_CONCAT(a, b) CORACLE_CONCAT_(a, b)

// ASSIGN_OR_RETURN(auto x, f());  and the same inside a coroutine: CO_ASSIGN_OR_RETURN.
#define ASSIGN_OR_RETURN_(tmp, lhs, expression, ret) \
  auto tmp = (expression);                           \
  if (!tmp.ok()) ret tmp.status();                   \
  lhs = std::move(tmp).value()
#define ASSIGN_OR_RETURN(lhs, expression) \
  ASSIGN_OR_RETURN_(CORACLE_CONCAT(result_, __LINE__), lhs, expression, return)
#define CO_ASSIGN_OR_RETURN(lhs, expression) \
  ASSIGN_OR_RETURN_(CORACLE_CONCAT(result_, __LINE__), lhs, expression, co_return)
