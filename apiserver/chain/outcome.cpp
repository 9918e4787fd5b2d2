#include "apiserver/chain/outcome.hpp"

namespace coracle::apiserver {

api::ApiError store_error(const Status& status, bool repeatable) {
  switch (status.code()) {
    case Code::kUnavailable: {
      api::ApiError error =
          api::service_unavailable_error("the store cannot be reached: " + status.message());
      if (repeatable) set_path(error.status, "details.retryAfterSeconds", 1);
      return error;
    }
    case Code::kDeadlineExceeded:
      return api::timeout_error("request did not complete within the allotted timeout",
                                repeatable ? 1 : 0);
    case Code::kInvalidArgument:  // the store's own limit on the size of a value
      return api::too_large_error(status.message());
    case Code::kOutOfRange:
      return api::expired_error("The resourceVersion for the provided request is too old.");
    default:
      return api::internal_api_error(status.message());
  }
}

}  // namespace coracle::apiserver
