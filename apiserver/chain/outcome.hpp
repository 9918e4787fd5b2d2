// Outcome<T>: a value, or the failure ready to be sent to the client.
#pragma once

#include <optional>
#include <utility>

#include "api/status_object.hpp"
#include "base/check.hpp"

namespace coracle::apiserver {

template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : value_(std::move(value)) {}              // NOLINT: implicit by design
  Outcome(api::ApiError error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return value_.has_value(); }
  T& operator*() & { return must(), *value_; }
  const T& operator*() const& { return must(), *value_; }
  T&& operator*() && { return must(), std::move(*value_); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  const api::ApiError& error() const {
    CHECK(error_.has_value());
    return *error_;
  }

 private:
  void must() const { CHECK_MSG(ok(), error_->message()); }

  std::optional<T> value_;
  std::optional<api::ApiError> error_;
};

struct Done {};  // Outcome<Done>: it worked, nothing to tell

// What the store said, as clients should hear it. `repeatable`: a retry cannot do harm, so the
// answer asks for one.
api::ApiError store_error(const Status& status, bool repeatable);

}  // namespace coracle::apiserver

#define OUTCOME_TRY_(tmp, lhs, expression, ret) \
  auto tmp = (expression);                      \
  if (!tmp.ok()) ret tmp.error();               \
  lhs = *std::move(tmp)
// TRY_OUTCOME(auto x, f());  and inside coroutines CO_TRY_OUTCOME.
#define TRY_OUTCOME(lhs, expression) \
  OUTCOME_TRY_(CORACLE_CONCAT(outcome_, __LINE__), lhs, expression, return)
#define CO_TRY_OUTCOME(lhs, expression) \
  OUTCOME_TRY_(CORACLE_CONCAT(outcome_, __LINE__), lhs, expression, co_return)
