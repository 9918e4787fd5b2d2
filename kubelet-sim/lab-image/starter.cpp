#include "starter.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "config.hpp"
#include "isolation.hpp"
#include "sockets.hpp"

namespace lab_image {
namespace {

constexpr int kOrder = 3, kReport = 4;
constexpr int kAnswerMs = 5000, kLookAgainMs = 1000;
constexpr int kCannotStart = 128;
constexpr int kRoundsMax = 1000;

void report(const std::string& line) {
  const std::string text = line + "\n";
  // Nobody reads any more: kubelet-sim is gone, and we with it.
  if (write(kReport, text.data(), text.size()) < 0 && errno == EPIPE) _exit(kCannotStart);
}

void send_descriptor(int channel, int fd) {
  char byte = fd < 0 ? '-' : '+';
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  [[maybe_unused]] const ssize_t n = sendmsg(channel, &message, 0);
}

int receive_descriptor(int channel) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

// A fork, in new namespaces if there are flags.
pid_t fork_into(int flags) {
  return static_cast<pid_t>(
      syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

std::string error_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

[[noreturn]] void give_up(int code, const Problem& problem) {
  report("B " + std::to_string(code) + " " + problem);
  _exit(kCannotStart);
}

// A fork among the processes and users of another container. Who has joined them cannot leave: a
// helper does, and its child is ours.
pid_t fork_beside(pid_t other) {
  int said[2];
  if (pipe2(said, O_CLOEXEC) != 0) return -1;
  const pid_t helper = fork();
  if (helper == 0) {
    if (Problem p = join_processes(other); !p.empty()) give_up(kCannotStart, p);
    const pid_t child = fork_into(CLONE_PARENT | kOwnNamespaces);
    if (child == 0) return 0;
    if (child < 0) give_up(kCannotStart, error_text("cannot make a process"));
    _exit(write(said[1], &child, sizeof child) == sizeof child ? 0 : kCannotStart);
  }
  close(said[1]);
  pid_t child = -1;
  if (read(said[0], &child, sizeof child) != sizeof child) child = -1;
  close(said[0]);
  return child;
}

// Which mounts a process sees: those of one container see the same. Empty: it has ended.
std::string mounts_of(pid_t process) {
  char path[64], name[64];
  std::snprintf(path, sizeof path, "/proc/%d/ns/mnt", process);
  const ssize_t n = readlink(path, name, sizeof name);
  return n > 0 ? std::string(name, static_cast<size_t>(n)) : "";
}

// Ends all processes that see these mounts, unless they are ours: then it is no container's.
void end_all_with(const std::string& mounts) {
  bool found = !mounts.empty() && mounts != mounts_of(getpid());
  for (int round = 0; found && round < kRoundsMax; ++round) {
    found = false;
    DIR* const all = opendir("/proc");
    if (all == nullptr) return;
    while (const dirent* entry = readdir(all)) {
      const pid_t pid = std::atoi(entry->d_name);
      if (pid <= 0 || mounts_of(pid) != mounts) continue;
      found = true;
      kill(pid, SIGKILL);
    }
    closedir(all);
    if (found) poll(nullptr, 0, 1);  // for the kernel, which takes them down
  }
}

// The last steps, in the process that becomes the command. `channel` leads to the starter.
[[noreturn]] void become_command(const Config& config, int channel) {
  setsid();
  if (config.tty) ioctl(0, TIOCSCTTY, 0);
  if (Problem p = become_user(config); !p.empty()) give_up(kCannotStart, p);
  if (chdir(((config.isolate ? "" : config.root) + config.cwd).c_str()) != 0) {
    give_up(kCannotStart, "chdir to cwd (\"" + config.cwd +
                              "\") set in config.json failed: " + std::strerror(errno));
  }
  // After the ids have changed: that would clear it.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int listener = config.address.empty() ? -1 : watch_sockets();
  send_descriptor(channel, listener);
  int code = 0;
  const Problem problem = execute(config, &code);
  give_up(code, problem);
}

int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Does the process handle, or ignore, the signal?
bool minds(pid_t process, int number) {
  char path[64], line[128];
  std::snprintf(path, sizeof path, "/proc/%d/status", process);
  FILE* file = std::fopen(path, "re");
  bool found = false;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "SigCgt:", 7) != 0 && std::strncmp(line, "SigIgn:", 7) != 0) continue;
    found = found || (std::strtoull(line + 7, nullptr, 16) >> (number - 1) & 1) != 0;
  }
  if (file != nullptr) std::fclose(file);
  return found;
}

in_addr pod_of(const Config& config) {
  in_addr address{};
  inet_pton(AF_INET, config.address.c_str(), &address);
  return address;
}

// One line of kubelet-sim's answers; empty when none comes in time.
std::string read_answer() {
  std::string line;
  char byte = 0;
  for (pollfd ready{kReport, POLLIN, 0}; poll(&ready, 1, kAnswerMs) == 1;) {
    if (read(kReport, &byte, 1) != 1) return {};
    if (byte == '\n') return line;
    line += byte;
  }
  return {};
}

// What becomes of a connection: dropped, too, when nobody says.
Route ask_outside(bool udp, in_addr to, int port) {
  static int asked = 0;
  char address[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &to, address, sizeof address);
  report("Q " + std::to_string(++asked) + (udp ? " udp " : " tcp ") + address + " " +
         std::to_string(port));
  for (std::string line = read_answer(); !line.empty(); line = read_answer()) {
    int number = 0, at = 0;
    if (std::sscanf(line.c_str(), "%d %d", &number, &at) == 2 && number == asked) {
      return {at == 0, at};
    }
  }
  return {true, 0};
}

class Watcher {
 public:
  // `mounts`: of a container that is among the processes of another.
  Watcher(const Config& config, pid_t child, std::string mounts)
      : config_(config),
        child_(child),
        mounts_(std::move(mounts)),
        calls_(pod_of(config), ask_outside) {}

  // Until the child has ended; its exit code.
  int run(int signals, int listener) {
    pollfd fds[2] = {{signals, POLLIN, 0}, {listener, POLLIN, 0}};
    while (true) {
      const int ready = poll(fds, 2, calls_.holding() ? kLookAgainMs : -1);
      if (ready < 0 && errno != EINTR) return kCannotStart;
      if (ready <= 0 && calls_.holding()) calls_.look_again(fds[1].fd);
      if ((fds[1].revents & POLLIN) != 0) answer_socket_call(fds[1].fd);
      if ((fds[1].revents & (POLLHUP | POLLERR)) != 0) fds[1].fd = -1;
      if ((fds[0].revents & POLLIN) == 0) continue;
      signalfd_siginfo info{};
      if (read(signals, &info, sizeof info) != sizeof info) continue;
      if (info.ssi_signo != SIGCHLD) {
        hand_on(static_cast<int>(info.ssi_signo));
      } else if (reap()) {
        return code_;
      }
    }
  }

 private:
  void hand_on(int number) {
    if (config_.join == 0 && !config_.isolate) {
      kill(-child_, number);
      return;
    }
    if (config_.join != 0 || minds(child_, number)) {
      kill(child_, number);
      return;
    }
    ended_by_ = number;
    kill(child_, SIGKILL);
  }

  void answer_socket_call(int listener) {
    if (const int port = calls_.serve(listener); port != 0) {
      report("M " + std::to_string(port));
    }
  }

  bool reap() {
    bool over = false;
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid != child_) continue;  // what it left behind
      over = true;
      code_ = ended_by_ != 0 && WIFSIGNALED(status) ? 128 + ended_by_ : code_of(status);
    }
    if (over) end_all_with(mounts_);
    if (over && !config_.isolate && config_.join == 0) end_leftovers();
    return over;
  }

  // Without a process namespace: those of its group, and ours by adoption.
  void end_leftovers() {
    kill(-child_, SIGKILL);
    while (true) {
      char path[64];
      std::snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
      FILE* file = std::fopen(path, "re");
      int pid = 0, found = 0;
      while (file != nullptr && std::fscanf(file, "%d", &pid) == 1) {
        kill(pid, SIGKILL);
        ++found;
      }
      if (file != nullptr) std::fclose(file);
      if (found == 0 || waitpid(-1, nullptr, 0) < 0) return;
    }
  }

  const Config& config_;
  const pid_t child_;
  const std::string mounts_;
  SocketCalls calls_;
  int ended_by_ = 0, code_ = 0;
};

int blocked_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

bool read_order(Config* config) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  const bool good = read_config(kOrder, config) && !config->args.empty();
  close(kOrder);
  fcntl(kReport, F_SETFD, FD_CLOEXEC);
  if (!good) report("B 128 the order cannot be read");
  return good;
}

// The container's user may open its own streams again, as /dev/stdout.
void give_streams(const Config& config) {
  if (config.id_count == 0) return;
  const unsigned long inside = config.uid < config.id_count ? config.uid : config.id_count;
  const uid_t owner = static_cast<uid_t>(config.first_outside + inside);
  for (const int fd : {0, 1, 2}) {
    struct stat info{};
    const bool ours = fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || isatty(fd) != 0);
    if (ours) [[maybe_unused]]
      const int ignored = fchown(fd, owner, static_cast<gid_t>(-1));
  }
}

// In the child of `enter`: joins, and waits for the command as its parent outside.
[[noreturn]] void join_and_run(const Config& config, int channel) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (config.isolate) {
    if (Problem p = join_namespaces(config.join); !p.empty()) give_up(kCannotStart, p);
  }
  const pid_t command = fork();
  if (command == 0) become_command(config, channel);
  close(channel);
  report("P " + std::to_string(command));
  // A hang-up or a stop reaches the command; we end with it.
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  while (true) {
    int number = 0, status = 0;
    sigwait(&set, &number);
    if (number != SIGCHLD) {
      kill(command, number == SIGHUP ? SIGHUP : number);
    } else if (waitpid(command, &status, WNOHANG) == command) {
      _exit(code_of(status));
    }
  }
}

int supervise(const Config& config, pid_t child, int signals, int channel,
              const std::string& mounts = "") {
  const int listener = receive_descriptor(channel);
  // The other end closes when the command is executed, or cannot be.
  char byte = 0;
  while (read(channel, &byte, 1) > 0 || errno == EINTR) errno = 0;
  close(channel);
  report("S");
  // The container's output must end with the container, not with us.
  for (const int fd : {0, 1, 2}) close(fd);
  const int code = Watcher(config, child, mounts).run(signals, listener);
  report("X " + std::to_string(code));
  return code;
}

}  // namespace

int start_container() {
  Config config;
  if (!read_order(&config)) return kCannotStart;
  const int signals = blocked_signals();
  give_streams(config);
  if (!config.isolate) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int channel[2], go[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0 ||
      pipe2(go, O_CLOEXEC) != 0) {
    return report("B 128 no descriptors left"), kCannotStart;
  }
  const pid_t child =
      config.share != 0 ? fork_beside(config.share) : fork_into(config.isolate ? kNamespaces : 0);
  if (child < 0) return report(error_text("B 128 cannot make a process")), kCannotStart;
  if (child == 0) {
    char byte = 0;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(kCannotStart);
    if (config.isolate) {
      if (Problem p = enter_root(config); !p.empty()) give_up(kCannotStart, p);
    }
    become_command(config, channel[1]);
  }
  close(channel[1]);
  if (config.isolate && config.share == 0) {
    if (Problem p = map_ids(child, config); !p.empty()) {
      report("B 128 " + p);
      kill(child, SIGKILL);
      return kCannotStart;
    }
  }
  const std::string mounts = config.share != 0 ? mounts_of(child) : "";
  report("P " + std::to_string(child));
  [[maybe_unused]] const ssize_t n = write(go[1], "g", 1);
  close(go[0]);
  close(go[1]);
  return supervise(config, child, signals, channel[0], mounts);
}

int enter_container() {
  Config config;
  if (!read_order(&config)) return kCannotStart;
  const int signals = blocked_signals();
  give_streams(config);
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) {
    return report("B 128 no descriptors left"), kCannotStart;
  }
  const pid_t child = fork();
  if (child == 0) join_and_run(config, channel[1]);
  close(channel[1]);
  return supervise(config, child, signals, channel[0]);
}

int check_namespaces() {
  Config config;
  config.uid = geteuid();
  config.gid = getegid();
  config.id_count = geteuid() == 0 ? 1 : 0;  // as in earnest: a range for root, else one id
  config.first_outside = 0;
  int go[2];
  if (pipe2(go, O_CLOEXEC) != 0) return 1;
  const pid_t child = fork_into(kNamespaces);
  if (child < 0) return 1;
  if (child == 0) {
    char byte = 0;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(1);
    const bool may = mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                     mount("/tmp", "/tmp", nullptr, MS_BIND, nullptr) == 0;
    _exit(may ? 0 : 1);
  }
  const Problem problem = map_ids(child, config);
  if (problem.empty()) [[maybe_unused]]
    const ssize_t n = write(go[1], "g", 1);
  close(go[1]);
  int status = 0;
  waitpid(child, &status, 0);
  return problem.empty() && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace lab_image
