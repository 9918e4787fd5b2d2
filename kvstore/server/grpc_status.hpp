// The one table between our codes and gRPC's: they have the same numbers. The texts are the
// contract with clients.
#pragma once

#include <grpcpp/support/status.h>

#include "base/status.hpp"

namespace coracle::store {

inline grpc::Status to_grpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {grpc::StatusCode(int(status.code())), status.message()};
}

}  // namespace coracle::store
