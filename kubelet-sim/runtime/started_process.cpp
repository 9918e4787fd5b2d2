#include "kubelet_runtime/started_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kTurn = std::chrono::milliseconds(100);
constexpr std::size_t kBytesATurn = 1u << 20;
constexpr std::size_t kReportMax = 64u << 10;
constexpr int kLostStarter = 137;
constexpr int kHandedOver = 5;  // a starter finds its streams, order and report at 0 .. 4

Status no(const char* what) {
  return unavailable(fmt::format("{}: {}", what, std::strerror(errno)));
}

// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  // To a number that is none of the first `numbers`.
  bool move_behind(int numbers) {
    if (fd_ < 0 || fd_ >= numbers) return true;
    Fd moved(fcntl(fd_, F_DUPFD_CLOEXEC, numbers));
    std::swap(fd_, moved.fd_);
    return fd_ >= 0;
  }

 private:
  int fd_ = -1;
};

// Ours and the process's end of each stream.
struct Streams {
  Fd in, out, error, report;                                 // ours
  Fd child_in, child_out, child_error, child_report, order;  // its
};

Status make_pipe(Fd* read_end, Fd* write_end) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return no("pipe");
  *read_end = Fd(fds[0]);
  *write_end = Fd(fds[1]);
  return {};
}

Status make_pair(Fd* one, Fd* other) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return no("socketpair");
  *one = Fd(fds[0]);
  *other = Fd(fds[1]);
  return {};
}

Status make_terminal(Streams* s) {
  Fd ours(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[128];
  if (ours.get() < 0 || grantpt(ours.get()) != 0 || unlockpt(ours.get()) != 0 ||
      ptsname_r(ours.get(), name, sizeof name) != 0) {
    return no("terminal");
  }
  s->child_in = Fd(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (s->child_in.get() < 0) return no("terminal");
  s->out = std::move(ours);
  return {};
}

Status open_streams(const std::string& order, bool input, bool tty, Streams* s) {
  s->order = Fd(memfd_create("order", MFD_CLOEXEC));
  if (s->order.get() < 0 ||
      ::write(s->order.get(), order.data(), order.size()) != static_cast<ssize_t>(order.size()) ||
      lseek(s->order.get(), 0, SEEK_SET) != 0) {
    return no("order");
  }
  RETURN_IF_ERROR(make_pair(&s->report, &s->child_report));
  if (tty) return make_terminal(s);
  RETURN_IF_ERROR(make_pipe(&s->out, &s->child_out));
  RETURN_IF_ERROR(make_pipe(&s->error, &s->child_error));
  if (input) return make_pipe(&s->child_in, &s->in);
  s->child_in = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return s->child_in.get() < 0 ? no("/dev/null") : Status();
}

// None of the process's ends is at a number that another is copied to: the copies, one after the
// other, would overwrite it.
Status make_streams(const std::string& order, bool input, bool tty, Streams* s) {
  RETURN_IF_ERROR(open_streams(order, input, tty, s));
  for (Fd* fd : {&s->child_in, &s->child_out, &s->child_error, &s->order, &s->child_report}) {
    if (!fd->move_behind(kHandedOver)) return no("descriptor");
  }
  return {};
}

Result<pid_t> spawn_starter(const std::string& starter, bool enter, const Streams& s) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const bool tty = s.child_out.get() < 0;
  const std::array<int, kHandedOver> from = {
      s.child_in.get(), tty ? s.child_in.get() : s.child_out.get(),
      tty ? s.child_in.get() : s.child_error.get(), s.order.get(), s.child_report.get()};
  for (int i = 0; i < kHandedOver; ++i) {
    posix_spawn_file_actions_adddup2(&actions, from[static_cast<size_t>(i)], i);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, kHandedOver);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  const char* const argv[] = {"lab-image", enter ? "enter" : "start", nullptr};
  char* const no_environment[] = {nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, starter.c_str(), &actions, &attributes,
                                const_cast<char* const*>(argv), no_environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return unavailable(fmt::format("{}: {}", starter, std::strerror(error)));
  return pid;
}

}  // namespace

struct StartedProcess::State : std::enable_shared_from_this<StartedProcess::State> {
  explicit State(net::AsioExecutor& e) : executor(e) {}

  struct Output {
    std::unique_ptr<net::FdWatch> watch;
    StreamOut kind = StreamOut::kOutput;
    bool waiting = false;
  };

  void begin() {
    for (Output& o : outputs) {
      if (o.watch) wait(o);
    }
    await_report();  // not read at once: whoever starts us is told nothing before it has us
    wait_end();
  }

  void wait(Output& o) {
    if (over || o.waiting || !o.watch->open()) return;
    o.waiting = true;
    o.watch->when_readable([self = shared_from_this(), &o] {
      o.waiting = false;
      self->read(o);
    });
  }

  void read(Output& o) {
    while (!over && o.watch->open()) {
      if (events.busy && events.busy()) return;  // resume() goes on
      if (turn_bytes >= kBytesATurn) return next_turn();
      if (!take(o)) return;
    }
  }

  // One piece; false: nothing there now.
  bool take(Output& o) {
    char buffer[16384];
    const ssize_t n = ::read(o.watch->fd(), buffer, sizeof buffer);
    if (n > 0) {
      turn_bytes += static_cast<size_t>(n);
      events.on_output(o.kind, {buffer, static_cast<size_t>(n)});
      return true;
    }
    if (n < 0 && errno == EAGAIN) return wait(o), false;
    if (n < 0 && errno == EINTR) return true;
    o.watch->close();
    return false;
  }

  void next_turn() {
    if (turn_timer != 0) return;
    turn_timer = executor.after(kTurn, [self = shared_from_this()] {
      self->turn_timer = 0;
      self->turn_bytes = 0;
      for (Output& o : self->outputs) {
        if (o.watch) self->read(o);
      }
    });
  }

  void await_report() {
    report->when_readable([self = shared_from_this()] { self->read_report(); });
  }

  void read_report() {
    char buffer[4096];
    while (report->open()) {
      const ssize_t n = ::read(report->fd(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return await_report();
      if (n <= 0) return report->close();
      report_text.append(buffer, static_cast<size_t>(n));
      if (report_text.size() > kReportMax) return report->close();
      for (size_t end = 0; (end = report_text.find('\n')) != std::string::npos;) {
        const std::string line = report_text.substr(0, end);
        report_text.erase(0, end + 1);
        on_report(line);
      }
    }
  }

  void on_report(const std::string& line) {
    if (line.size() < 1) return;
    const std::string rest = line.size() > 2 ? line.substr(2) : "";
    long long number = 0;
    switch (line[0]) {
      case 'P':
        if (parse_int(rest, &number)) command = static_cast<pid_t>(number);
        break;
      case 'S':
        if (!end.broken && events.on_started) events.on_started();
        break;
      case 'B': {
        const size_t space = rest.find(' ');
        if (!end.broken && parse_int(rest.substr(0, space), &number)) {
          end = {true, static_cast<int>(number), rest.substr(space + 1)};
        }
        break;
      }
      case 'M':
        if (parse_int(rest, &number) && events.on_port_moved) {
          events.on_port_moved(static_cast<int>(number));
        }
        break;
      case 'Q':
        answer_route(split(rest, ' '));
        break;
      case 'X':
        if (parse_int(rest, &number)) code = static_cast<int>(number);
        break;
      default:
        break;
    }
  }

  // A starter asks one question at a time and waits: there is room for the answer.
  void answer_route(const std::vector<std::string>& asked) {
    long long port = 0;
    if (asked.size() != 4 || !parse_int(asked[3], &port) || port < 0 || port > 65535) return;
    Route route{false, static_cast<std::uint16_t>(port)};
    if (ask_route) {
      route = ask_route({address, asked[2], static_cast<std::uint16_t>(port), asked[1] == "udp"});
    }
    const std::string text = fmt::format("{} {}\n", asked[0], route.dropped ? 0 : route.port);
    [[maybe_unused]] const ssize_t n =
        ::send(report->fd(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // The starter is a child of ours: its descriptor is readable when it has ended.
  void wait_end() {
    ended->when_readable([self = shared_from_this()] {
      int status = 0;
      if (waitpid(self->starter, &status, WNOHANG) == 0) return self->wait_end();
      self->starter = 0;
      self->finish();
    });
  }

  void finish() {
    if (over) return;
    read_report();
    if (!over) drain();
    if (over) return;  // whoever was told let go of us
    over = true;
    executor.cancel(turn_timer);
    executor.cancel(input_timer);
    for (Output& o : outputs) o.watch.reset();
    input.reset();
    report.reset();
    if (!end.broken) end.exit_code = code.value_or(kLostStarter);
    if (auto done = std::move(events.on_end)) done(end);
  }

  // What the pipes still hold; nobody writes any more.
  void drain() {
    for (Output& o : outputs) {
      for (size_t i = 0; o.watch && o.watch->open() && i < kBytesATurn / 16384; ++i) {
        char buffer[16384];
        const ssize_t n = ::read(o.watch->fd(), buffer, sizeof buffer);
        if (n <= 0 || over) break;
        events.on_output(o.kind, {buffer, static_cast<size_t>(n)});
      }
    }
  }

  int input_fd() const {
    return input ? input->fd() : outputs[0].watch ? outputs[0].watch->fd() : -1;
  }

  void flush_input() {
    const bool had = !queue.empty();
    while (!queue.empty() && !over) {
      const ssize_t n = ::write(input_fd(), queue.data(), queue.size());
      if (n > 0) {
        queue.erase(0, static_cast<size_t>(n));
      } else if (errno == EAGAIN) {
        return wait_input();
      } else if (errno != EINTR) {
        queue.clear();  // it has closed its input
      }
    }
    if (queue.empty() && input_ended) input.reset();
    if (had && events.on_input_room) events.on_input_room();
  }

  void wait_input() {
    net::FdWatch* watch = input ? input.get() : outputs[0].watch.get();
    watch->when_writable([self = shared_from_this()] { self->flush_input(); });
  }

  net::AsioExecutor& executor;
  ProcessEvents events;
  bool tty = false, over = false, input_ended = false;
  pid_t starter = 0, command = 0;
  Output outputs[2];
  std::unique_ptr<net::FdWatch> input, report, ended;
  std::string report_text, queue, address;  // the pod's
  AskRoute ask_route;
  std::size_t turn_bytes = 0;
  Executor::TimerId turn_timer = 0, input_timer = 0;
  std::optional<int> code;
  ProcessEnd end;
};

Result<std::unique_ptr<StartedProcess>> StartedProcess::start(net::AsioExecutor& executor,
                                                              const std::string& starter,
                                                              const StartOrder& order, bool input,
                                                              ProcessEvents events) {
  Streams s;
  RETURN_IF_ERROR(make_streams(encode(order), input, order.tty, &s));
  ASSIGN_OR_RETURN(const pid_t pid, spawn_starter(starter, order.join_pid > 0, s));
  auto state = std::make_shared<State>(executor);
  state->events = std::move(events);
  state->tty = order.tty;
  state->address = order.address;
  state->ask_route = order.route;
  state->starter = pid;
  state->report = std::make_unique<net::FdWatch>(executor, s.report.release());
  state->outputs[0].watch = std::make_unique<net::FdWatch>(executor, s.out.release());
  if (!order.tty) {
    state->outputs[1].watch = std::make_unique<net::FdWatch>(executor, s.error.release());
    state->outputs[1].kind = StreamOut::kError;
  }
  if (s.in.get() >= 0) state->input = std::make_unique<net::FdWatch>(executor, s.in.release());
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) {
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return no("pidfd_open");
  }
  fcntl(handle, F_SETFD, FD_CLOEXEC);
  state->ended = std::make_unique<net::FdWatch>(executor, handle);
  state->begin();
  return std::unique_ptr<StartedProcess>(new StartedProcess(std::move(state)));
}

StartedProcess::~StartedProcess() {
  State& s = *state_;
  s.over = true;
  s.executor.cancel(s.turn_timer);
  s.events = {};
  if (s.starter > 0) {
    ::kill(s.starter, SIGKILL);
    waitpid(s.starter, nullptr, 0);
  }
  s.ended.reset();
  s.report.reset();
  s.input.reset();
  for (auto& o : s.outputs) o.watch.reset();
}

pid_t StartedProcess::pid() const { return state_->command; }
bool StartedProcess::tty() const { return state_->tty; }

void StartedProcess::write(std::string_view data) {
  if (state_->over || state_->input_ended || state_->input_fd() < 0) return;
  const bool waiting = !state_->queue.empty();
  state_->queue.append(data);
  if (!waiting) state_->executor.post([state = state_] { state->flush_input(); });
}

std::size_t StartedProcess::queued_input() const { return state_->queue.size(); }

void StartedProcess::end_input() {
  if (state_->input_ended) return;
  if (state_->tty) return write("\x04");  // as a terminal says it
  state_->input_ended = true;
  if (state_->queue.empty()) state_->input.reset();
}

void StartedProcess::resize(int columns, int rows) {
  if (!state_->tty || state_->over || !state_->outputs[0].watch) return;
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  ioctl(state_->outputs[0].watch->fd(), TIOCSWINSZ, &size);
}

void StartedProcess::resume() {
  state_->executor.post([state = state_] {
    for (auto& o : state->outputs) {
      if (o.watch) state->read(o);
    }
  });
}

void StartedProcess::signal(int number) {
  if (state_->starter > 0) ::kill(state_->starter, number);
}

// The starter is left to report the end, but for one that has not got as far as a command.
void StartedProcess::kill() {
  if (state_->starter <= 0) return;
  if (state_->command <= 0) {
    ::kill(state_->starter, SIGKILL);
    return;
  }
  ::kill(-state_->command, SIGKILL);
  ::kill(state_->command, SIGKILL);
}

}  // namespace coracle::kubelet
