#include "differential/server_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace coracle::differential {
namespace {

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::string url(int port) { return "http://127.0.0.1:" + std::to_string(port); }

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(std::string program, std::string name,
                                                            std::string others) {
  std::unique_ptr<ServerProcess> server(
      new ServerProcess(std::move(program), std::move(name), std::move(others)));
  std::error_code error;
  std::string folder =
      (std::filesystem::temp_directory_path(error) / ("differential-" + server->name_ + "-XXXXXX"))
          .string();
  if (error || ::mkdtemp(folder.data()) == nullptr) {
    return unavailable("no temporary folder: " + std::string(std::strerror(errno)));
  }
  server->folder_ = folder;
  server->client_port_ = free_port();
  server->peer_port_ = free_port();
  RETURN_IF_ERROR(server->spawn());
  return server;
}

Status ServerProcess::spawn() {
  const std::vector<std::string> arguments = {
      program_,
      "--name=m",
      "--data-dir=" + folder_ + "/data",
      "--listen-client-urls=" + url(client_port_),
      "--advertise-client-urls=" + url(client_port_),
      "--listen-peer-urls=" + url(peer_port_),
      "--initial-advertise-peer-urls=" + url(peer_port_),
      "--initial-cluster=m=" + url(peer_port_) + (others_.empty() ? "" : "," + others_),
      "--log-level=error",
  };
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string log = folder_ + "/log";
  pid_ = ::fork();
  if (pid_ < 0) return unavailable("fork: " + std::string(std::strerror(errno)));
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  return {};
}

bool ServerProcess::running() const { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }

void ServerProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Status ServerProcess::restart() {
  kill();
  return spawn();
}

ServerProcess::~ServerProcess() {
  kill();
  std::error_code error;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, error);
}

std::string ServerProcess::last_words() const {
  std::ifstream file(folder_ + "/log");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // A Go program says what is wrong before it says where.
  const std::size_t trace = text.find("goroutine ");
  if (trace != std::string::npos) text.resize(std::min(text.size(), trace + 300));
  return text.size() > 1500 ? text.substr(text.size() - 1500) : text;
}

}  // namespace coracle::differential
