// ServerProcess: a store of one member, on free ports of the loopback, with a folder of its own.
// Owner: whoever holds it; the destructor kills the process (by its pid) and removes the folder.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/status.hpp"

namespace coracle::differential {

class ServerProcess {
 public:
  // `program` understands etcd's flags; `name` tells its folder and messages apart. `others` are
  // members it waits for in vain: NAME=URL,...
  static Result<std::unique_ptr<ServerProcess>> start(std::string program, std::string name,
                                                      std::string others = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Kills it, as a power cut would, and starts it again on what it left.
  Status restart();

  std::string target() const { return "127.0.0.1:" + std::to_string(client_port_); }
  bool running() const;
  // The last lines it wrote.
  std::string last_words() const;

 private:
  ServerProcess(std::string program, std::string name, std::string others)
      : program_(std::move(program)), name_(std::move(name)), others_(std::move(others)) {}
  Status spawn();
  void kill();

  const std::string program_;
  const std::string name_;
  const std::string others_;
  std::string folder_;
  int client_port_ = 0;
  int peer_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace coracle::differential
