#include "kubelet_runtime/streams_of_process.hpp"

#include <fmt/format.h>
#include <signal.h>

namespace coracle::kubelet {
namespace {

constexpr Duration kHangUpGrace = std::chrono::seconds(2);

// The sink outlives neither side's interest: both the process's callbacks and the handle hold it.
struct Exec {
  std::unique_ptr<StartedProcess> process;
  std::shared_ptr<StreamSink> sink;
  ExecSpec spec;
  bool over = false;
};

class ExecHandle final : public StreamSession {
 public:
  ExecHandle(net::AsioExecutor& executor, std::shared_ptr<Exec> exec)
      : executor_(executor), exec_(std::move(exec)) {}

  ~ExecHandle() override {
    exec_->sink.reset();
    if (exec_->over || !exec_->process) return;
    exec_->process->end_input();
    exec_->process->signal(SIGHUP);
    executor_.after(kHangUpGrace, [exec = exec_] { exec->process.reset(); });
  }

  void input(std::string_view data) override {
    if (exec_->process) exec_->process->write(data);
  }
  std::size_t queued_input() const override {
    return exec_->process ? exec_->process->queued_input() : 0;
  }
  void end_input() override {
    if (exec_->process) exec_->process->end_input();
  }
  void resize(int columns, int rows) override {
    if (exec_->process) exec_->process->resize(columns, rows);
  }
  void drained() override {
    if (exec_->process) exec_->process->resume();
  }

 private:
  net::AsioExecutor& executor_;
  std::shared_ptr<Exec> exec_;
};

// As the kubelet tells of a command that could not be executed.
StreamEnd stream_end(const ProcessEnd& end) {
  if (!end.broken) return {end.exit_code, ""};
  return {
      end.exit_code,
      fmt::format("OCI runtime exec failed: exec failed: unable to start container process: {}: "
                  "unknown",
                  end.why)};
}

}  // namespace

Result<std::unique_ptr<StreamSession>> start_exec(net::AsioExecutor& executor,
                                                  const std::string& starter,
                                                  const StartOrder& order, const ExecSpec& spec,
                                                  std::shared_ptr<StreamSink> sink) {
  auto exec = std::make_shared<Exec>();
  exec->sink = std::move(sink);
  exec->spec = spec;
  ProcessEvents events;
  events.on_output = [e = exec.get()](StreamOut stream, std::string_view data) {
    const bool wanted = stream == StreamOut::kError ? e->spec.error : e->spec.output;
    if (e->sink && wanted) e->sink->on_output(stream, data);
  };
  events.on_input_room = [e = exec.get()] {
    if (e->sink) e->sink->on_input_room();
  };
  events.busy = [e = exec.get()] { return e->sink && e->sink->queued_bytes() > kStreamBacklogMax; };
  events.on_end = [&executor, weak = std::weak_ptr(exec)](const ProcessEnd& end) {
    const auto e = weak.lock();
    if (!e) return;
    e->over = true;
    // The sink may drop the session, and with it the process whose callback this is.
    executor.post([e, end] {
      if (auto last = std::exchange(e->sink, nullptr)) last->on_end(stream_end(end));
    });
  };
  ASSIGN_OR_RETURN(exec->process,
                   StartedProcess::start(executor, starter, order, spec.input, std::move(events)));
  return std::unique_ptr<StreamSession>(std::make_unique<ExecHandle>(executor, std::move(exec)));
}

void AttachedSession::tell_earlier() {
  for (const auto& [stream, data] : std::exchange(earlier, {})) output(stream, data);
}

void AttachedSession::output(StreamOut stream, std::string_view data) {
  if (!earlier.empty()) tell_earlier();
  const bool wanted = stream == StreamOut::kError ? spec_.error : spec_.output;
  if (sink_ && wanted) sink_->on_output(stream, data);
}

void AttachedSession::input_room() {
  if (sink_) sink_->on_input_room();
}

void AttachedSession::ended(const ProcessEnd& end) {
  tell_earlier();
  process_ = nullptr;
  if (auto sink = std::exchange(sink_, nullptr)) sink->on_end(stream_end(end));
}

AttachedHandle::~AttachedHandle() {
  if (session_->closes_input && session_->process()) session_->process()->end_input();
}

void AttachedHandle::input(std::string_view data) {
  if (session_->process() && session_->takes_input()) session_->process()->write(data);
}

std::size_t AttachedHandle::queued_input() const {
  return session_->process() ? session_->process()->queued_input() : 0;
}

void AttachedHandle::end_input() {
  if (session_->process() && session_->closes_input) session_->process()->end_input();
}

void AttachedHandle::resize(int columns, int rows) {
  if (session_->process()) session_->process()->resize(columns, rows);
}

void AttachedHandle::drained() {
  if (session_->process()) session_->process()->resume();
}

}  // namespace coracle::kubelet
