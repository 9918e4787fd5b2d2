// ContainerStreams: what the kubelet's server asks of the runtime for exec, attach and
// port-forward, in whichever wire format the client speaks (server: kubelet-sim/driver; runtime:
// scripted or real processes).
//
// Strand: the executor's; no call runs a callback of the sink before it has returned.
// Bound: while StreamSink::queued_bytes() is over kStreamBacklogMax the runtime reads no more of
// what the process prints, so that a client that does not read stops the process, not the node. The
// server reads no more of the client while StreamSession::queued_input() is over it.
// Errors: NotFound for a pod or container that is not here, FailedPrecondition for one that does
// not run or a command that cannot be started (the message is what the user sees).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle::kubelet {

inline constexpr std::size_t kStreamBacklogMax = 1u << 20;

struct ContainerRef {
  std::string ns, pod, container;  // container: "" is the pod's first one
};

struct ExecSpec {
  std::vector<std::string> command;  // empty: attach to what runs
  bool input = false, output = false, error = false;
  bool tty = false;  // then there is no error stream
};

enum class StreamOut { kOutput, kError };

// How the command ended: an exit code, or why it could not be run or was lost.
struct StreamEnd {
  int exit_code = 0;
  std::string failure;  // not empty: an internal error, no exit code
};

// Towards the client. on_end is called once and last.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void on_output(StreamOut stream, std::string_view data) = 0;
  virtual void on_end(const StreamEnd& end) = 0;
  virtual std::size_t queued_bytes() const = 0;
  // The process has taken all that input() queued.
  virtual void on_input_room() = 0;
};

// Towards the process. Dropping it hangs up: the process of an exec gets SIGHUP, then SIGKILL; what
// a client was attached to goes on.
class StreamSession {
 public:
  virtual ~StreamSession() = default;
  virtual void input(std::string_view data) = 0;
  virtual std::size_t queued_input() const = 0;  // given to input(), not yet taken
  virtual void end_input() = 0;                  // after what is queued
  virtual void resize(int columns, int rows) = 0;
  // The sink has room again.
  virtual void drained() = 0;
};

class ContainerStreams {
 public:
  virtual ~ContainerStreams() = default;
  virtual Result<std::unique_ptr<StreamSession>> exec(const ContainerRef& container,
                                                      const ExecSpec& spec,
                                                      std::shared_ptr<StreamSink> sink) = 0;
  // Where ports of the pod are reached (port-forward dials it by TCP).
  virtual Result<std::string> address_of(const std::string& ns, const std::string& pod) const = 0;
};

}  // namespace coracle::kubelet
