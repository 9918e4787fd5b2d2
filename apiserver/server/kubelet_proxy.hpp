// KubeletProxy: pipes answers of kubelets (logs) to the apiserver's clients, over HTTPS with the
// apiserver's client certificate.
//
// Strand of the executor. Bound: one connection for each piped answer; a client that reads slower
// than the kubelet talks is cut off at kBacklogMax unsent bytes.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "apiserver/registry/subresources.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::apiserver {

struct KubeletCredentials {
  std::string cert_pem, key_pem;
  std::string ca_pem;  // empty: the kubelet's certificate is not checked, as upstream's default
};

class KubeletProxy final : public KubeletPort {
 public:
  static constexpr std::size_t kBacklogMax = 16 << 20;

  KubeletProxy(net::AsioExecutor& executor, KubeletCredentials credentials)
      : executor_(executor), credentials_(std::move(credentials)) {}

  void pipe(std::string host, int port, std::string target,
            std::shared_ptr<net::Exchange> exchange) override;

 private:
  Result<net::Client*> client(const std::string& host, int port);

  net::AsioExecutor& executor_;
  const KubeletCredentials credentials_;
  std::map<std::string, std::unique_ptr<net::Client>> clients_;  // by host:port
};

}  // namespace coracle::apiserver
