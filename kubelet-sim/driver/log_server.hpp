// LogServer: the part of the kubelet API that serves container logs, over HTTPS on each node's own
// address, to clients whose certificate the cluster's CA signed for the apiserver
// (kube-apiserver-kubelet-client) or the group system:masters. GET
// /containerLogs/NAMESPACE/POD/CONTAINER?follow&tailLines&timestamps&previous&
// sinceSeconds&limitBytes. Driver; strand: the executor's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kubelet_driver/pod_manager.hpp"
#include "net/asio_executor.hpp"
#include "net/server.hpp"

namespace coracle::kubelet {

class LogServer {
 public:
  LogServer(net::AsioExecutor& executor, net::TlsConfig tls)
      : executor_(executor), tls_(std::move(tls)) {}

  // Listens on a free port of the address; returns it.
  Result<std::uint16_t> listen(const std::string& address);
  // Requests before this are answered 503.
  void serve(const PodManager* pods) { pods_ = pods; }

 private:
  void handle(const net::Request& request, const std::shared_ptr<net::Exchange>& exchange);

  net::AsioExecutor& executor_;
  net::TlsConfig tls_;
  const PodManager* pods_ = nullptr;
  std::vector<std::unique_ptr<net::Server>> servers_;
};

}  // namespace coracle::kubelet
