// What exec, attach, run -i, debug and cp share: a remote command with our standard streams.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kubectl/command.hpp"
#include "live/remote_command.hpp"

namespace coracle::kubectl {

// The connection for it; failures are worded for people.
Result<std::unique_ptr<Link>> make_link(Session& session);

struct RemoteRequest {
  std::string ns, pod, container;
  std::vector<std::string> command;  // empty: attach
  bool input = false, tty = false;
};
// "/api/v1/namespaces/.../exec?..."
std::string remote_target(const RemoteRequest& request);

// Whether -t can be had: standard input is a terminal; else says so on standard error.
bool usable_terminal(Session& session, bool wanted);

// With our streams until it ends. A remote exit code becomes ours: `command terminated with exit
// code 3`.
Status run_remote_here(Session& session, const RemoteRequest& request);
// The failure that an end is.
Status remote_failure(Session& session, const RemoteEnd& end);

}  // namespace coracle::kubectl
