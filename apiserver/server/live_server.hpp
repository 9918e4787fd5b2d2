// LiveServer: the apiserver as a process: executor, store connection, HTTPS, signals.
#pragma once

#include "apiserver/server/options.hpp"

namespace coracle::apiserver {

// Serves until SIGTERM or SIGINT, then ends watches in order; the exit code. Ends the program,
// naming the flag, when it cannot start.
int run_server(ServerOptions options);

}  // namespace coracle::apiserver
