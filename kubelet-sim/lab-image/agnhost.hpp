// agnhost's programs that have a file of their own.
#pragma once

#include "images.hpp"

namespace lab_image {

// Tells what a mounted file is like: type of the mount, mode, owner, content; makes files too.
// 1 as soon as one thing cannot be told.
int run_mounttest(const Args& args);
// The gRPC health service on --port for --service, healthy for --delay-unhealthy-sec or until
// /make-not-serving is asked for on --http-port.
int run_grpc_health(const Args& args);

}  // namespace lab_image
