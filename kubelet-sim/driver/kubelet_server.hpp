// KubeletServer: the kubelet's API over HTTPS on each node's own address, for those whom
// KubeletAuth lets in. Driver; strand: the executor's.
//
//   GET /healthz, /pods, /configz, /metrics, /metrics/resource, /stats/summary: node_pages.hpp
//   GET /containerLogs/NAMESPACE/POD/CONTAINER?follow&tailLines&timestamps&previous&sinceSeconds&
//       limitBytes
//   GET /networkPolicy?from=NAMESPACE/POD|ADDRESS&to=...&port=N[&protocol=UDP]: may it, and why
//   GET, POST /exec/NAMESPACE/POD/CONTAINER, /attach/..., /portForward/NAMESPACE/POD (upgraded:
//       kubelet_server/)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kubelet/streams.hpp"
#include "kubelet_driver/kubelet_auth.hpp"
#include "kubelet_driver/node_pages.hpp"
#include "kubelet_driver/pod_manager.hpp"
#include "net/asio_executor.hpp"
#include "net/black_hole.hpp"
#include "net/server.hpp"

namespace coracle::kubelet {

class KubeletServer {
 public:
  // InvalidArgument: bad PEM.
  static Result<std::unique_ptr<KubeletServer>> create(net::AsioExecutor& executor,
                                                       net::TlsConfig tls);

  // Listens on a free port of the address, for that node; returns the port.
  Result<std::uint16_t> listen(const std::string& address, const std::string& node);
  // An unreachable node's server drops its connections and answers nobody: who connects waits.
  void set_reachable(const std::string& node, bool reachable);
  // A slow node's answers begin so much later.
  void set_lag(const std::string& node, Duration lag);
  // New connections see this certificate.
  Status change_certificate(const std::string& cert_pem, const std::string& key_pem);
  // Requests before this are answered 503.
  void serve(PodManager* pods, ContainerStreams* streams, KubeletAuth* auth) {
    pods_ = pods;
    streams_ = streams;
    auth_ = auth;
  }
  // What GET /networkPolicy answers.
  using ExplainPolicy = std::function<Result<std::string>(const net::Query& asked)>;
  void explain_policy(ExplainPolicy explain) { explain_ = std::move(explain); }

 private:
  using ExchangePtr = std::shared_ptr<net::Exchange>;

  KubeletServer(net::AsioExecutor& executor, net::TlsConfig tls,
                std::shared_ptr<net::TlsIdentity> identity)
      : executor_(executor), tls_(std::move(tls)), identity_(std::move(identity)) {}

  void handle(const std::string& node, net::Request request, const ExchangePtr& exchange);
  void route(const std::string& node, const net::Request& request, const ExchangePtr& exchange);
  void serve_logs(const net::Request& request, const std::vector<std::string>& parts,
                  const ExchangePtr& exchange);
  void serve_streams(const net::Request& request, const std::vector<std::string>& parts,
                     const ExchangePtr& exchange);

  net::AsioExecutor& executor_;
  net::TlsConfig tls_;
  const std::shared_ptr<net::TlsIdentity> identity_;  // one for all nodes
  PodManager* pods_ = nullptr;
  KubeletAuth* auth_ = nullptr;
  std::map<std::string, RequestCounts> counts_;  // by node; a few keys each
  ContainerStreams* streams_ = nullptr;
  ExplainPolicy explain_;
  struct Site {
    net::HostPort at;
    std::unique_ptr<net::Server> server;   // of a reachable node
    std::unique_ptr<net::BlackHole> hole;  // of another
    Duration lag{};
  };
  Result<std::unique_ptr<net::Server>> open(const std::string& node, const net::HostPort& at);
  void admit(const std::string& node, net::Request request, const ExchangePtr& exchange);
  std::map<std::string, Site> sites_;  // by node
};

}  // namespace coracle::kubelet
