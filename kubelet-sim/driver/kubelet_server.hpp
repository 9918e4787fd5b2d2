// KubeletServer: the kubelet's API over HTTPS on each node's own address, for clients whose
// certificate the cluster's CA signed for the apiserver (kube-apiserver-kubelet-client) or the
// group system:masters. Driver; strand: the executor's.
//
//   GET /healthz
//   GET /containerLogs/NAMESPACE/POD/CONTAINER?follow&tailLines&timestamps&previous&sinceSeconds&
//       limitBytes
//   GET, POST /exec/NAMESPACE/POD/CONTAINER, /attach/..., /portForward/NAMESPACE/POD (upgraded:
//       kubelet_server/)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kubelet/streams.hpp"
#include "kubelet_driver/pod_manager.hpp"
#include "net/asio_executor.hpp"
#include "net/server.hpp"

namespace coracle::kubelet {

class KubeletServer {
 public:
  KubeletServer(net::AsioExecutor& executor, net::TlsConfig tls)
      : executor_(executor), tls_(std::move(tls)) {}

  // Listens on a free port of the address; returns it.
  Result<std::uint16_t> listen(const std::string& address);
  // Requests before this are answered 503.
  void serve(const PodManager* pods, ContainerStreams* streams) {
    pods_ = pods;
    streams_ = streams;
  }

 private:
  using ExchangePtr = std::shared_ptr<net::Exchange>;

  void handle(const net::Request& request, const ExchangePtr& exchange);
  void serve_logs(const net::Request& request, const std::vector<std::string>& parts,
                  const ExchangePtr& exchange);
  void serve_streams(const net::Request& request, const std::vector<std::string>& parts,
                     const ExchangePtr& exchange);

  net::AsioExecutor& executor_;
  net::TlsConfig tls_;
  const PodManager* pods_ = nullptr;
  ContainerStreams* streams_ = nullptr;
  std::vector<std::unique_ptr<net::Server>> servers_;
};

}  // namespace coracle::kubelet
