#include "programs/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
  ~Pipe() {
    for (const int fd : {read_end, write_end}) {
      if (fd >= 0) close(fd);
    }
  }
  bool open() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return false;
    return keep(fds);
  }
  // A socket: to write to a dead reader is an error, and no signal.
  bool open_socket() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return false;
    return keep(fds);
  }
  bool keep(const int* fds) {
    read_end = fds[0];
    write_end = fds[1];
    return true;
  }
  int take(int* end) { return std::exchange(*end, -1); }
};

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* argv, const char* directory, const Pipe& in, const Pipe& out,
                         const Pipe& error, int failed_fd) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);  // we may ignore it, and that is inherited
  dup2(in.read_end, 0);
  dup2(out.write_end, 1);
  dup2(error.write_end, 2);
  if (*directory == '\0' || chdir(directory) == 0) execvp(argv[0], argv);
  const int why = errno;
  [[maybe_unused]] const ssize_t n = write(failed_fd, &why, sizeof why);
  _exit(127);
}

int without_waiting(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

}  // namespace

Result<Child> start_child(const std::vector<std::string>& command, const std::string& directory) {
  Pipe in, out, error, failed;
  if (!in.open_socket() || !out.open() || !error.open() || !failed.open()) {
    return unavailable(fmt::format("{}: pipe: {}", command[0], std::strerror(errno)));
  }
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) become(argv.data(), directory.c_str(), in, out, error, failed.write_end);
  int why = pid < 0 ? errno : 0;
  close(failed.take(&failed.write_end));
  if (pid > 0 && read(failed.read_end, &why, sizeof why) <= 0) why = 0;  // closed by exec
  if (why != 0) {
    if (pid > 0) waitpid(pid, nullptr, 0);
    return unavailable(fmt::format("{}: {}", command[0], std::strerror(why)));
  }
  return Child{pid, without_waiting(in.take(&in.write_end)),
               without_waiting(out.take(&out.read_end)),
               without_waiting(error.take(&error.read_end))};
}

Result<std::string> find_program(const std::string& name, const std::string& directory) {
  const auto runs = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) {
    const std::string path =
        name.starts_with('/') || directory.empty() ? name : directory + "/" + name;
    if (runs(path)) return path;
    return not_found(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  const char* places = std::getenv("PATH");
  for (const std::string& place : split(places == nullptr ? "/usr/bin:/bin" : places, ':')) {
    const std::string path = (place.empty() ? "." : place) + "/" + name;
    if (runs(path)) return path;
  }
  return not_found(fmt::format("{}: no such program in PATH", name));
}

std::string wait_child(Child& child, Duration grace) {
  const pid_t pid = std::exchange(child.pid, 0);
  if (pid == 0) return {};
  const int watch = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (watch >= 0) {
    pollfd poll_it{watch, POLLIN, 0};
    poll(&poll_it, 1,
         static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(grace).count()));
    close(watch);
  }
  int status = 0;
  const bool ended = waitpid(pid, &status, WNOHANG) == pid;
  kill(-pid, SIGKILL);  // and what it started
  if (!ended) waitpid(pid, &status, 0);
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  return fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

std::string end_child(Child& child, Duration grace) {
  std::string how = wait_child(child, grace);
  for (int* fd : {&child.in, &child.out, &child.error}) {
    if (*fd >= 0) close(std::exchange(*fd, -1));
  }
  return how;
}

Result<bool> LineReader::read_from(int fd) {
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n == 0) return false;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    text_.append(buffer.data(), static_cast<size_t>(n));
    if (text_.size() > bytes_max_ && text_.find('\n', searched_) == text_.npos) {
      return Status(Code::kResourceExhausted,
                    fmt::format("a line of more than {} bytes", bytes_max_));
    }
    // What is here already is handed out first: a flood is read a piece at a time.
    if (text_.size() > bytes_max_) return true;
  }
}

std::optional<std::string> LineReader::next() {
  const size_t end = text_.find('\n', searched_);
  if (end == text_.npos) {
    searched_ = text_.size();
    return std::nullopt;
  }
  std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  searched_ = 0;
  return line;
}

Status write_some(int fd, std::string_view* text) {
  while (!text->empty()) {
    const ssize_t n = send(fd, text->data(), text->size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return {};
    if (n < 0) return unavailable(std::strerror(errno));
    text->remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace coracle::scheduler
