#include "lab/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/strings.hpp"

namespace coracle::lab {
namespace {

std::string program_of(pid_t pid) {
  std::error_code error;
  const auto path = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), error);
  if (error) return {};
  std::string text = path.filename();
  // A program that was rebuilt while it runs.
  constexpr std::string_view kDeleted = " (deleted)";
  if (text.ends_with(kDeleted)) text.resize(text.size() - kDeleted.size());
  return text;
}

// "kvstore-1" runs "kvstore" (or "etcd" in its place).
std::string base_name(const std::string& name) { return name.substr(0, name.rfind('-')); }

bool is_zombie(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(stat, text);
  const size_t end = text.rfind(')');
  return end != std::string::npos && end + 2 < text.size() && text[end + 2] == 'Z';
}

bool alive(const std::string& name, pid_t pid) {
  const std::string program = program_of(pid);
  if (program.empty() || is_zombie(pid)) return false;
  return program == base_name(name) || (base_name(name) == "kvstore" && program == "etcd");
}

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const char* program, char* const* argv, int log_fd, int null_fd,
                         int error_fd, int inherited_fd) {
  setsid();
  if (inherited_fd >= 0) fcntl(inherited_fd, F_SETFD, 0);
  dup2(null_fd, 0);
  dup2(log_fd, 1);
  dup2(log_fd, 2);
  execv(program, argv);
  const int error = errno;
  [[maybe_unused]] const ssize_t n = write(error_fd, &error, sizeof error);
  _exit(127);
}

}  // namespace

std::optional<pid_t> running_pid(const Layout& layout, const std::string& name) {
  const auto text = read_file(layout.pid_file(name));
  if (!text.ok()) return std::nullopt;
  long long pid = 0;
  if (!parse_int(trim(*text), &pid) || pid <= 1) return std::nullopt;
  if (!alive(name, static_cast<pid_t>(pid))) return std::nullopt;
  return static_cast<pid_t>(pid);
}

Status start_daemon(const Layout& layout, const DaemonCommand& command) {
  const std::string log = layout.log(command.name);
  const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) return unavailable(fmt::format("open {}: {}", log, std::strerror(errno)));
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int channel[2];
  if (null_fd < 0 || pipe2(channel, O_CLOEXEC) != 0) {
    close(log_fd);
    return unavailable(fmt::format("cannot start {}: {}", command.name, std::strerror(errno)));
  }
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(command.program.c_str()));
  for (const std::string& a : command.arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);

  const pid_t pid = fork();
  if (pid == 0) {
    become(command.program.c_str(), argv.data(), log_fd, null_fd, channel[1], command.inherited_fd);
  }
  close(log_fd);
  close(null_fd);
  close(channel[1]);
  int error = pid < 0 ? errno : 0;
  if (pid > 0 && read(channel[0], &error, sizeof error) <= 0) error = 0;  // closed by exec
  close(channel[0]);
  if (error != 0) {
    if (pid > 0) waitpid(pid, nullptr, 0);
    return unavailable(fmt::format("cannot start {}: {}", command.program, std::strerror(error)));
  }
  return write_file(layout.pid_file(command.name), fmt::format("{}\n", pid));
}

Status signal_daemon(const Layout& layout, const std::string& name, int signal) {
  const auto pid = running_pid(layout, name);
  if (!pid) return not_found(fmt::format("{} does not run", name));
  if (kill(*pid, signal) != 0) {
    return unavailable(
        fmt::format("cannot signal {} (pid {}): {}", name, *pid, std::strerror(errno)));
  }
  return {};
}

std::vector<std::string> stop_daemons(const Layout& layout, const std::vector<std::string>& names,
                                      Duration grace) {
  std::vector<std::pair<std::string, pid_t>> left;
  for (const std::string& name : names) {
    if (const auto pid = running_pid(layout, name)) {
      kill(*pid, SIGTERM);
      kill(*pid, SIGCONT);  // a paused one could not obey
      left.emplace_back(name, *pid);
    }
  }
  const auto reap = [&] {
    std::erase_if(left, [](const auto& daemon) {
      waitpid(daemon.second, nullptr, WNOHANG);  // ours only if this process started it
      return !alive(daemon.first, daemon.second);
    });
  };
  const TimePoint deadline = real_clock().now() + grace;
  for (reap(); !left.empty() && real_clock().now() < deadline; reap()) poll(nullptr, 0, 10);
  std::vector<std::string> killed;
  for (const auto& [name, pid] : left) {
    kill(pid, SIGKILL);
    killed.push_back(name);
  }
  const TimePoint last = real_clock().now() + std::chrono::seconds(5);
  for (reap(); !left.empty() && real_clock().now() < last; reap()) poll(nullptr, 0, 10);
  for (const std::string& name : names) unlink(layout.pid_file(name).c_str());
  return killed;
}

std::vector<std::string> known_daemons(const Layout& layout) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(layout.path("pids"), error)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".new")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string log_tail(const Layout& layout, const std::string& name, int lines) {
  const auto text = read_file(layout.log(name));
  if (!text.ok()) return {};
  size_t at = text->size();
  for (int i = 0; i <= lines && at != 0 && at != std::string::npos; ++i) {
    at = text->rfind('\n', at - 1);
  }
  return text->substr(at == std::string::npos ? 0 : at + 1);
}

std::string program_directory() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

std::int64_t resident_bytes(pid_t pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string line; std::getline(rollup, line);) {
    long long kilobytes = 0;
    if (!line.starts_with("Pss:")) continue;
    const std::string_view number = trim(std::string_view(line).substr(4));
    return parse_int(number.substr(0, number.find(' ')), &kilobytes) ? kilobytes * 1024 : 0;
  }
  return 0;
}

bool port_in_use(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool used = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
  close(fd);
  return used;
}

Result<int> free_port(int preferred) {
  for (int port = preferred; preferred != 0 && port < preferred + 200 && port < 65536; ++port) {
    if (!port_in_use(port)) return port;
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(fd);
  if (!bound) return unavailable("no free TCP port on 127.0.0.1");
  return ntohs(address.sin_port);
}

}  // namespace coracle::lab
