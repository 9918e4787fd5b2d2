// run_remote: a command in a container (exec), or what runs there (attach), over channels of a
// WebSocket (v5, or v4 where that is all the server has).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "live/link.hpp"
#include "live/terminal.hpp"

namespace coracle::kubectl {

struct RemoteStreams {
  std::function<void(std::string_view)> out, err;
  InputSource* input = nullptr;  // none: no standard input
  bool tty = false;              // ours: its size is told, and told again when it changes
};

// How it ended: an exit code, or why there is none.
struct RemoteEnd {
  int exit_code = 0;
  std::optional<client::ApiError> refused;  // the server would not begin
  std::string failure;                      // it was begun, and lost
};

// `target`: the path of the subresource with its parameters. Runs the link's executor until the
// command has ended. Bound: input is read while less than kRemoteBacklogMax of it is unsent.
inline constexpr std::size_t kRemoteBacklogMax = 256 << 10;
RemoteEnd run_remote(Link& link, const std::string& target, RemoteStreams streams);

// What channel 3 said.
RemoteEnd parse_remote_end(const std::string& status);

}  // namespace coracle::kubectl
