// A byte stream cut anywhere into the messages of a WebSocket, as kubectl tunnels SPDY. Strand
// only. A close frame of the peer, whatever its code, is the end.
#pragma once

#include <memory>

#include "net/server.hpp"
#include "net/websocket.hpp"

namespace coracle::net {

std::shared_ptr<ByteStream> bytes_of_websocket(std::shared_ptr<WebSocket> socket);

}  // namespace coracle::net
