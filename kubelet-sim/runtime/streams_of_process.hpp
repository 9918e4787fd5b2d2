// Sessions of exec and attach over a StartedProcess. Internal to the runtime.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kubelet/streams.hpp"
#include "kubelet_runtime/started_process.hpp"

namespace coracle::kubelet {

// A command of its own: hanging up ends it.
Result<std::unique_ptr<StreamSession>> start_exec(net::AsioExecutor& executor,
                                                  const std::string& starter,
                                                  const StartOrder& order, const ExecSpec& spec,
                                                  std::shared_ptr<StreamSink> sink);

using EarlierOutput = std::vector<std::pair<StreamOut, std::string>>;

// What a client that is attached to a container sees and says. The container outlives it, or ends
// it.
class AttachedSession {
 public:
  AttachedSession(StartedProcess& process, const ExecSpec& spec, std::shared_ptr<StreamSink> sink)
      : process_(&process), spec_(spec), sink_(std::move(sink)) {}

  void output(StreamOut stream, std::string_view data);
  void tell_earlier();  // in a later turn than the attaching; output() and ended() do it first
  void input_room();
  bool busy() const { return sink_ && sink_->queued_bytes() > kStreamBacklogMax; }
  void ended(const ProcessEnd& end);
  StartedProcess* process() const { return process_; }
  bool takes_input() const { return spec_.input; }

  bool closes_input = false;  // its leaving is the end of the container's input
  EarlierOutput earlier;      // printed before it attached, not yet told

 private:
  StartedProcess* process_;  // null when it has ended
  const ExecSpec spec_;
  std::shared_ptr<StreamSink> sink_;
};

class AttachedHandle final : public StreamSession {
 public:
  explicit AttachedHandle(std::shared_ptr<AttachedSession> session)
      : session_(std::move(session)) {}
  ~AttachedHandle() override;

  void input(std::string_view data) override;
  std::size_t queued_input() const override;
  void end_input() override;
  void resize(int columns, int rows) override;
  void drained() override;

 private:
  std::shared_ptr<AttachedSession> session_;
};

}  // namespace coracle::kubelet
