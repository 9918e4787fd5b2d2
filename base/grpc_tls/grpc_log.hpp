// What gRPC has to say goes into our log, as warnings, the same sentence once a minute: a client
// with a wrong certificate tries ten times a second.
#pragma once

namespace coracle {

// For the whole process; calling it again does nothing.
void adopt_grpc_log();

}  // namespace coracle
