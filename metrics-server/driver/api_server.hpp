// ApiServer: metrics.k8s.io over HTTPS, behind the apiserver's aggregation layer. /healthz, /livez
// and /readyz answer anybody; everything else is for whom DelegatedAuth lets in.
//
// Strand: the executor's.
#pragma once

#include <functional>
#include <memory>

#include "base/metrics.hpp"
#include "metrics_core/metrics_api.hpp"
#include "metrics_driver/delegated_auth.hpp"
#include "net/asio_executor.hpp"
#include "net/server.hpp"

namespace coracle::metrics {

class ApiServer {
 public:
  // All must outlive it. `ready`: of /readyz, why not, or empty.
  ApiServer(net::AsioExecutor& executor, const MetricsApi& api, DelegatedAuth& auth,
            const Metrics& metrics, std::function<std::string()> not_ready)
      : executor_(executor),
        api_(api),
        auth_(auth),
        metrics_(metrics),
        not_ready_(std::move(not_ready)) {}

  Status listen(net::Server::Options options);

 private:
  using ExchangePtr = std::shared_ptr<net::Exchange>;
  void handle(net::Request request, const ExchangePtr& exchange);
  Task<net::Response> answer(net::Request request);

  net::AsioExecutor& executor_;
  const MetricsApi& api_;
  DelegatedAuth& auth_;
  const Metrics& metrics_;
  std::function<std::string()> not_ready_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace coracle::metrics
