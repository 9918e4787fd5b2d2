// One probe, or one hook, really performed: an HTTP request, a TCP connection, a command, gRPC. The
// answer comes once, in upstream's words, at the latest after the time-out.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.hpp"
#include "kubelet/pod_environment.hpp"
#include "kubelet_runtime/process_runtime.hpp"
#include "net/asio_executor.hpp"

namespace coracle::kubelet {

struct ProbeAnswer {
  bool good = false;
  std::string message;
};
using ProbeDone = std::function<void(ProbeAnswer)>;

// A port's number: as it is, or by the name of a port of the container; 0 if there is none.
std::uint16_t port_number(const json::value& port, const json::value& container);

struct Prober {
  net::AsioExecutor& executor;
  ProcessRuntime* runtime;  // null: no commands

  // `spec`: a probe or a hook's handler: httpGet, tcpSocket, exec, grpc, sleep.
  void run(const ContainerId& id, const json::value& container, const std::string& pod_ip,
           const json::value& spec, Duration timeout, ProbeDone done) const;

 private:
  void http(const json::value& get, const json::value& container, const std::string& pod_ip,
            Duration timeout, ProbeDone done) const;
  void tcp(const std::string& host, std::uint16_t port, Duration timeout, ProbeDone done) const;
  void command(const ContainerId& id, const json::value& exec, Duration timeout,
               ProbeDone done) const;
};

}  // namespace coracle::kubelet
