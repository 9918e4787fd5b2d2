// How a command says that it failed. A Status whose message is the whole text for standard error,
// "error: " and all, as kubectl words it; an empty message prints nothing. The exit code is 1.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "client/resource.hpp"

namespace coracle::kubectl {

// "error: MESSAGE", unless it begins so already.
Status fail(std::string_view message);
// "error: MESSAGE" and where to read on: "See 'kubectl COMMAND -h' for help and examples".
Status usage_failure(std::string_view command, std::string_view message);
// Nothing more to say: exit 1.
Status silent_failure();
// An answer of the server, or that none came: "Error from server (NotFound): ...", `The Pod "x" is
// invalid: ...`, "The connection to the server ... was refused". With `doing` and `source`:
// `error when creating "f.yaml": ...` in the message.
Status server_failure(const client::ApiError& error, std::string_view doing = {},
                      std::string_view source = {});
// All of them, a line each; Ok when there are none.
Status join_failures(const std::vector<Status>& failures);

}  // namespace coracle::kubectl

// The value of an ApiResult, or the server's failure to the caller.
#define TRY_SERVER_(tmp, lhs, expression)                                \
  auto tmp = (expression);                                               \
  if (!tmp.ok()) return ::coracle::kubectl::server_failure(tmp.error()); \
  lhs = std::move(tmp.value())
#define TRY_SERVER(lhs, expression) TRY_SERVER_(CORACLE_CONCAT(answer_, __LINE__), lhs, expression)
