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
#include "net/server.hpp"

namespace coracle::kubelet {

class KubeletServer {
 public:
  KubeletServer(net::AsioExecutor& executor, net::TlsConfig tls)
      : executor_(executor), tls_(std::move(tls)) {}

  // Listens on a free port of the address, for that node; returns the port.
  Result<std::uint16_t> listen(const std::string& address, const std::string& node);
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

  void handle(const std::string& node, net::Request request, const ExchangePtr& exchange);
  void route(const std::string& node, const net::Request& request, const ExchangePtr& exchange);
  void serve_logs(const net::Request& request, const std::vector<std::string>& parts,
                  const ExchangePtr& exchange);
  void serve_streams(const net::Request& request, const std::vector<std::string>& parts,
                     const ExchangePtr& exchange);

  net::AsioExecutor& executor_;
  net::TlsConfig tls_;
  PodManager* pods_ = nullptr;
  KubeletAuth* auth_ = nullptr;
  std::map<std::string, RequestCounts> counts_;  // by node; a few keys each
  ContainerStreams* streams_ = nullptr;
  ExplainPolicy explain_;
  std::vector<std::unique_ptr<net::Server>> servers_;
};

}  // namespace coracle::kubelet
