// exec and attach on the wire: a command's streams as channels of a WebSocket (v5, v4, the first
// version, and base64 forms) or as streams of a SPDY/3.1 connection (v4 to v1).
//
// Strand: the executor's. Bound: kStreamBacklogMax each way; over it the process is not read, or
// the client is not. The client's end hangs up the session; the process's end is told on channel 3
// (the stream "error"), then the connection closes.
#pragma once

#include <memory>

#include "base/executor.hpp"
#include "kubelet/streams.hpp"
#include "net/server.hpp"

namespace coracle::kubelet {

// From input, output, error, tty and, but for attach, command. InvalidArgument: nothing to stream.
Result<ExecSpec> parse_exec_spec(const net::Query& query, bool attach);

// Answers the exchange: upgrades it, or refuses in upstream's words.
void serve_remote_command(Executor& executor, ContainerStreams& streams,
                          const ContainerRef& container, bool attach, const net::Request& request,
                          const std::shared_ptr<net::Exchange>& exchange);

}  // namespace coracle::kubelet
