// A live cluster as the commands reach it: an executor, its API by a kubeconfig, and when to stop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/flags.hpp"
#include "client/https_api.hpp"
#include "net/asio_executor.hpp"

namespace coracle::sim {

struct LiveFlags {
  std::string kubeconfig, context;
  std::string span;  // how long; empty: until SIGINT or SIGTERM
};
void add_live_flags(Flags& flags, LiveFlags* values);

class LiveCluster {
 public:
  // What is wrong with the flags or the kubeconfig ends the program by fail_startup.
  explicit LiveCluster(const LiveFlags& flags);

  net::AsioExecutor& executor() { return executor_; }
  client::Api& api() { return *api_; }
  const std::string& server() const { return server_; }
  // Until the time is over, a signal comes, or stop(). False, and said on stderr in `command`'s
  // name: what is asked was not known after half a minute.
  bool run(const char* command, const std::function<bool()>& has_synced,
           const std::function<std::string()>& last_error);
  void stop() { executor_.stop(); }

 private:
  net::AsioExecutor executor_;
  std::unique_ptr<client::HttpsApi> api_;
  std::string server_;
  Duration span_{0};
};

}  // namespace coracle::sim
