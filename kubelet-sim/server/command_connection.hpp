// CommandConnection: what the wire forms of exec and attach share: the command's session, bounds in
// both directions, and how the end is told. Internal to the server.
#pragma once

#include <memory>
#include <string>

#include "base/executor.hpp"
#include "base/json.hpp"
#include "kubelet/streams.hpp"

namespace coracle::kubelet {

class CommandConnection : public StreamSink,
                          public std::enable_shared_from_this<CommandConnection> {
 public:
  CommandConnection(Executor& executor, ContainerStreams& streams, ContainerRef container,
                    ExecSpec spec)
      : executor_(executor),
        streams_(streams),
        container_(std::move(container)),
        spec_(std::move(spec)) {}

  void on_end(const StreamEnd& end) override;
  void on_input_room() override;

 protected:
  // Tells how it ended (`text`: for the forms before v4, "" on success), then closes.
  virtual void finish(const json::value& status, const std::string& text) = 0;
  virtual void pause_input(bool paused) = 0;

  // Starts the command; a failure is told as its end.
  void run();
  void take_input(std::string_view data);
  void take_input_end();
  void take_size(std::string_view text);
  void take_drain();
  // The client is gone.
  void hang_up();
  const ExecSpec& spec() const { return spec_; }
  Executor& executor() { return executor_; }

 private:
  void drop_session();

  Executor& executor_;
  ContainerStreams& streams_;
  const ContainerRef container_;
  const ExecSpec spec_;
  std::unique_ptr<StreamSession> session_;
  bool over_ = false;
};

}  // namespace coracle::kubelet
