#include "kubelet_runtime/process_runtime.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "kubelet_runtime/process_usage.hpp"
#include "kubelet_runtime/streams_of_process.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kMemoryEvery = std::chrono::milliseconds(500);
constexpr size_t kLineMax = 16u << 10;
constexpr size_t kOutcomeMax = 10u << 10;
constexpr size_t kUnseenMax = 64u << 10;

// What a program prints; empty if it failed. Only at our start.
std::string output_of(const std::string& command, int* code) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  const int status = pclose(pipe);
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  return text;
}

// Cuts what comes into lines.
class Lines {
 public:
  template <class Fn>
  void add(std::string_view data, const Fn& line) {
    while (!data.empty()) {
      const size_t end = data.find('\n');
      const bool whole = end != std::string_view::npos;
      part_.append(data.substr(0, end));
      if (!whole && part_.size() < kLineMax) return;
      data.remove_prefix(whole ? end + 1 : data.size());
      flush(line, whole);
    }
  }
  template <class Fn>
  void finish(const Fn& line) {
    if (!part_.empty()) flush(line, false);
  }

 private:
  template <class Fn>
  void flush(const Fn& line, bool whole) {
    if (whole && !part_.empty() && part_.back() == '\r') part_.pop_back();
    line(std::exchange(part_, {}), whole);
  }
  std::string part_;
};

}  // namespace

struct ProcessRuntime::Container {
  ContainerStart start;
  ContainerEvents events;
  std::unique_ptr<StartedProcess> process;
  Lines lines[2];
  // Lines that came before the word that it has started.
  std::vector<std::pair<std::string, bool>> early;
  bool started = false, out_of_memory = false, input_taken = false;
  std::vector<std::weak_ptr<AttachedSession>> attached;
  // What a container with stdinOnce, made for one who attaches, wrote before that: a command
  // quicker than its `kubectl run -i` would seem to have said nothing. Over the bound: let go.
  EarlierOutput unseen;
  std::size_t unseen_bytes = 0;
  bool keeps_unseen = false;

  void keep_unseen(StreamOut stream, std::string_view data) {
    if (!keeps_unseen) return;
    unseen_bytes += data.size();
    if (unseen_bytes > kUnseenMax) return forget_unseen();
    unseen.emplace_back(stream, data);
  }
  void forget_unseen() {
    keeps_unseen = false;
    unseen.clear();
  }

  void line(std::string text, bool whole) {
    if (started) return events.on_line(std::move(text), whole);
    early.emplace_back(std::move(text), whole);
  }
  void now_started() {
    started = true;
    events.on_started();
    for (auto& [text, whole] : early) events.on_line(std::move(text), whole);
    early.clear();
  }

  template <class Fn>
  void each_attached(const Fn& fn) {
    std::erase_if(attached, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : std::vector(attached)) {
      if (const auto session = weak.lock()) fn(*session);
    }
  }
};

ProcessRuntime::ProcessRuntime(net::AsioExecutor& executor, RuntimeOptions options)
    : executor_(executor), options_(std::move(options)) {
  tools_ = {options_.busybox, options_.lab_image, options_.root_dir + "/commands", true};
}

ProcessRuntime::~ProcessRuntime() { executor_.cancel(memory_timer_); }

Result<std::unique_ptr<ProcessRuntime>> ProcessRuntime::create(net::AsioExecutor& executor,
                                                               RuntimeOptions options) {
  std::unique_ptr<ProcessRuntime> runtime(new ProcessRuntime(executor, std::move(options)));
  const RuntimeOptions& o = runtime->options_;
  for (const std::string& program : {o.busybox, o.lab_image}) {
    if (access(program.c_str(), X_OK) != 0) {
      return failed_precondition(fmt::format("{} is not there", program));
    }
  }
  int code = 0;
  runtime->applets_ = split(output_of("'" + o.busybox + "' --list", &code), '\n');
  if (code != 0) return failed_precondition(o.busybox + " --list failed");
  std::sort(runtime->applets_.begin(), runtime->applets_.end());
  output_of("'" + o.lab_image + "' check 2>&1", &code);
  runtime->tools_.isolated = code == 0;
  // Without a root of its own a command would have the run of the machine.
  if (code != 0 && geteuid() == 0) {
    return failed_precondition("this machine allows root no namespaces");
  }
  RETURN_IF_ERROR(make_commands(runtime->tools_, runtime->applets_));
  runtime->watch_memory();
  return runtime;
}

bool ProcessRuntime::has_applet(const std::string& name) const {
  return name == "bash" || name == "curl" ||
         std::binary_search(applets_.begin(), applets_.end(), name);
}

Status ProcessRuntime::start(const ContainerId& id, ContainerStart start, ContainerEvents events) {
  if (running_.size() >= kContainersMax) {
    return {Code::kResourceExhausted,
            fmt::format("{} processes run already; no more are started", kContainersMax)};
  }
  CHECK(!running_.contains(id));
  auto container = std::make_shared<Container>();
  container->start = std::move(start);
  container->events = std::move(events);
  container->keeps_unseen = container->start.input && container->start.input_once;
  container->start.order.isolate = tools_.isolated;
  container->start.order.route = options_.route;
  // No reference to the container outlives the map's entry: the process is inside it.
  Container* c = container.get();
  ProcessEvents process;
  process.on_started = [c] { c->now_started(); };
  process.on_output = [c](StreamOut stream, std::string_view data) {
    c->lines[stream == StreamOut::kError].add(
        data, [c](std::string line, bool whole) { c->line(std::move(line), whole); });
    c->keep_unseen(stream, data);
    c->each_attached([&](AttachedSession& s) { s.output(stream, data); });
  };
  process.on_port_moved = [c](int port) {
    if (c->events.on_port_moved) c->events.on_port_moved(port);
  };
  process.on_input_room = [c] { c->each_attached([](AttachedSession& s) { s.input_room(); }); };
  process.busy = [c] {
    bool busy = false;
    c->each_attached([&](AttachedSession& s) { busy = busy || s.busy(); });
    return busy;
  };
  process.on_end = [this, id](const ProcessEnd& end) {
    const auto found = running_.find(id);
    const auto gone = found->second;
    running_.erase(found);
    for (Lines& lines : gone->lines) {
      lines.finish([&](std::string line, bool whole) { gone->line(std::move(line), whole); });
    }
    gone->each_attached([&](AttachedSession& s) { s.ended(end); });
    gone->events.on_end(end, gone->out_of_memory);
    // Its callbacks are still on the stack.
    executor_.post([gone] {});
  };
  ASSIGN_OR_RETURN(container->process,
                   StartedProcess::start(executor_, tools_.lab_image, container->start.order,
                                         container->start.input, std::move(process)));
  running_[id] = std::move(container);
  return {};
}

Status ProcessRuntime::share(const ContainerId& with, StartOrder* order) const {
  const auto found = running_.find(with);
  if (found == running_.end() || !found->second->started) {
    return failed_precondition(fmt::format("container {} does not run", with.name));
  }
  const StartOrder& other = found->second->start.order;
  order->share_pid = found->second->process->pid();
  if (order->outside_ids == 0) {
    order->uid = other.uid;
    order->gid = other.gid;
  }
  return {};
}

void ProcessRuntime::terminate(const ContainerId& id) {
  if (const auto found = running_.find(id); found != running_.end()) {
    found->second->process->signal(SIGTERM);
  }
}

void ProcessRuntime::kill(const ContainerId& id) {
  if (const auto found = running_.find(id); found != running_.end()) found->second->process->kill();
}

void ProcessRuntime::kill_pod(const std::string& pod_uid) {
  for (auto& [id, container] : running_) {
    if (id.pod_uid == pod_uid) container->process->kill();
  }
}

bool ProcessRuntime::runs_any(const std::string& pod_uid) const {
  const auto first = running_.lower_bound({pod_uid, ""});
  return first != running_.end() && first->first.pod_uid == pod_uid;
}

Result<StartOrder> ProcessRuntime::enter_order(const ContainerId& id,
                                               const std::vector<std::string>& command) const {
  const auto found = running_.find(id);
  if (found == running_.end() || !found->second->started) {
    return failed_precondition(fmt::format("container {} does not run", id.name));
  }
  StartOrder order = found->second->start.order;
  order.share_pid = 0;
  order.join_pid = found->second->process->pid();
  order.args = command;
  order.binds.clear();
  return order;
}

Result<std::unique_ptr<StreamSession>> ProcessRuntime::exec(const ContainerId& id,
                                                            const ExecSpec& spec,
                                                            std::shared_ptr<StreamSink> sink) {
  ASSIGN_OR_RETURN(StartOrder order, enter_order(id, spec.command));
  if (spec.command.empty()) return attach(*running_.find(id)->second, spec, std::move(sink));
  order.tty = spec.tty;
  if (spec.tty) order.environment.emplace_back("TERM", "xterm");
  return start_exec(executor_, tools_.lab_image, order, spec, std::move(sink));
}

Result<std::unique_ptr<StreamSession>> ProcessRuntime::attach(Container& c, const ExecSpec& spec,
                                                              std::shared_ptr<StreamSink> sink) {
  if (spec.tty && !c.start.order.tty) {
    return failed_precondition("the container was started without a terminal");
  }
  auto session = std::make_shared<AttachedSession>(*c.process, spec, std::move(sink));
  c.attached.push_back(session);
  session->closes_input = spec.input && c.start.input_once;
  session->earlier = std::move(c.unseen);
  c.forget_unseen();
  executor_.post([session] { session->tell_earlier(); });
  return std::unique_ptr<StreamSession>(std::make_unique<AttachedHandle>(std::move(session)));
}

void ProcessRuntime::run(const ContainerId& id, std::vector<std::string> command, Duration timeout,
                         std::function<void(Outcome)> done) {
  auto order = enter_order(id, command);
  const auto failed = [&](const Status& why) {
    Outcome outcome;
    outcome.end = {true, 1, why.message()};
    executor_.post([done, outcome] { done(outcome); });
  };
  if (!order.ok()) return failed(order.status());
  order->tty = false;
  struct Running {
    std::unique_ptr<StartedProcess> process;
    Outcome outcome;
    Executor::TimerId timer = 0;
    std::function<void(Outcome)> done;
  };
  auto run = std::make_shared<Running>();
  run->done = std::move(done);
  ProcessEvents events;
  events.on_output = [r = run.get()](StreamOut, std::string_view data) {
    r->outcome.output.append(
        data.substr(0, kOutcomeMax - std::min(kOutcomeMax, r->outcome.output.size())));
  };
  // The timer owns the run; its end lets go of it.
  events.on_end = [this, weak = std::weak_ptr(run)](const ProcessEnd& end) {
    const auto r = weak.lock();
    if (!r || !r->done) return;
    executor_.cancel(r->timer);
    r->outcome.end = end;
    executor_.post([r] {
      if (auto then = std::exchange(r->done, nullptr)) then(std::move(r->outcome));
    });
  };
  auto process =
      StartedProcess::start(executor_, tools_.lab_image, *order, false, std::move(events));
  if (!process.ok()) return failed(process.status());
  run->process = std::move(*process);
  run->timer = executor_.after(timeout, [run] {
    if (!run->done) return;
    run->outcome.timed_out = true;
    run->process.reset();
    std::exchange(run->done, nullptr)(std::move(run->outcome));
  });
}

std::optional<Usage> ProcessRuntime::usage(const ContainerId& id) const {
  const auto found = running_.find(id);
  if (found == running_.end() || found->second->process->pid() == 0) return std::nullopt;
  return usage_of_tree(found->second->process->pid());
}

// Instead of a kernel's group of processes, which needs a privilege: look, and kill what is over.
void ProcessRuntime::watch_memory() {
  for (auto& [id, c] : running_) {
    if (c->start.memory_limit_bytes == 0 || c->process->pid() == 0 || c->out_of_memory) continue;
    if (usage_of_tree(c->process->pid()).memory_bytes <= c->start.memory_limit_bytes) continue;
    c->out_of_memory = true;
    c->process->kill();
  }
  memory_timer_ = executor_.after(kMemoryEvery, [this] { watch_memory(); });
}

}  // namespace coracle::kubelet
