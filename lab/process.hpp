// Daemons of a lab directory as processes: started in the background, found again by their pid
// file, stopped by signal. Nothing here knows what the daemons are.
//
// A pid is believed only if the process runs the program we started: pids are reused.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"
#include "lab/layout.hpp"

namespace coracle::lab {

struct DaemonCommand {
  std::string name;     // "kvstore-1": names the pid file and the log
  std::string program;  // full path
  std::vector<std::string> arguments;
  int inherited_fd = -1;  // stays open in it
};

// The pid if the daemon runs.
std::optional<pid_t> running_pid(const Layout& layout, const std::string& name);

// Starts it detached: own session, standard input from nothing, output appended to its log. The
// pid file is there when this returns. Its death soon after is seen by running_pid.
Status start_daemon(const Layout& layout, const DaemonCommand& command);

// Sends the signal to a running daemon; NotFound if it does not run.
Status signal_daemon(const Layout& layout, const std::string& name, int signal);
// SIGTERM to all at once, then SIGKILL to what is left after `grace`. Removes their pid files.
// Returns the names that had to be killed.
std::vector<std::string> stop_daemons(const Layout& layout, const std::vector<std::string>& names,
                                      Duration grace);

// All names that have a pid file, sorted.
std::vector<std::string> known_daemons(const Layout& layout);

// The last lines of a daemon's log, for an error message.
std::string log_tail(const Layout& layout, const std::string& name, int lines);

// The directory of this program: the other programs are beside it.
std::string program_directory();
// Resident memory of a process in bytes, pages it shares with others counted by its part (so that
// the sum over the daemons is what they take together); 0 if it is gone.
std::int64_t resident_bytes(pid_t pid);

// A TCP port of 127.0.0.1 that nobody listens on now. `preferred` first, then the ones after it;
// 0: any.
Result<int> free_port(int preferred);
bool port_in_use(int port);

}  // namespace coracle::lab
