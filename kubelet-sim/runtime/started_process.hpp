// StartedProcess: one command that a starter (lab-image start, enter) runs for us: its streams, its
// report, its end. Owns the descriptors; destroying it kills the starter and so the command.
//
// Strand: the executor's. Reading stops while `busy()` says so (its reader is behind), and for the
// rest of a turn of kTurn after kBytesATurn bytes, so that a flooding command costs a bounded
// share. Bound: kInputMax bytes of queued input; more is the caller's to hold back
// (queued_input()).
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "kubelet/streams.hpp"
#include "kubelet_runtime/start_order.hpp"
#include "net/asio_executor.hpp"
#include "net/fd_watch.hpp"

namespace coracle::kubelet {

struct ProcessEnd {
  bool broken = false;  // it was never executed: `why`
  int exit_code = 0;
  std::string why;
};

struct ProcessEvents {
  std::function<void()> on_started;
  std::function<void(StreamOut, std::string_view)> on_output;
  // Once, last: after all output.
  std::function<void(const ProcessEnd&)> on_end;
  std::function<void()> on_input_room;
  std::function<void(int port)> on_port_moved;  // see kubelet/low_ports.hpp
  std::function<bool()> busy;
};

class StartedProcess {
 public:
  // `starter`: the path of lab-image. `input`: keep a way to its standard input.
  // Unavailable: no process or descriptor could be had.
  static Result<std::unique_ptr<StartedProcess>> start(net::AsioExecutor& executor,
                                                       const std::string& starter,
                                                       const StartOrder& order, bool input,
                                                       ProcessEvents events);
  ~StartedProcess();
  StartedProcess(const StartedProcess&) = delete;
  StartedProcess& operator=(const StartedProcess&) = delete;

  pid_t pid() const;  // of the command, seen from outside; 0 before it is known
  bool tty() const;
  void write(std::string_view data);
  std::size_t queued_input() const;
  void end_input();  // after what is queued
  void resize(int columns, int rows);
  void resume();            // busy() is over
  void signal(int number);  // to the command, by its starter
  void kill();              // SIGKILL, to all of it

 private:
  struct State;
  explicit StartedProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace coracle::kubelet
