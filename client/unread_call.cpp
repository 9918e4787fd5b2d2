#include "client/unread_call.hpp"

#include <utility>

namespace coracle::client {

Task<std::optional<ApiError>> call_unread(Api* api, ApiRequest request) {
  const auto response = co_await api->call(std::move(request));
  if (!response.ok()) co_return error_from_no_answer(response.status());
  if (response->status >= 400) co_return error_from_response(*response);
  co_return std::nullopt;
}

}  // namespace coracle::client
