// WebServer: a member's HTTP port (--listen-metrics-urls) on a thread of its own.
// Owner: main. start() fails naming the URL that cannot be listened on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"

namespace coracle::store {

class Member;

class WebServer {
 public:
  explicit WebServer(Member& member);
  ~WebServer();

  // "http://HOST:PORT", HOST a number or localhost.
  Status start(const std::vector<std::string>& urls);
  // When the member runs no more. Connections break.
  void stop();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace coracle::store
