// LiveBackends: takes requests of the apiserver's clients to kubelets (HTTPS with the apiserver's
// client certificate), pods and nodes, and their answers back, as streams or upgraded connections.
//
// Strand of the executor. Bound: one connection for each call; one client, which holds settings and
// no idle connection, for each kubelet, forgotten all together over kClientsMax; a backend is not
// read while its client does not read (net_streams/forward.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "apiserver/registry/backends.hpp"
#include "net/asio_executor.hpp"

namespace coracle::apiserver {

struct KubeletCredentials {
  std::string cert_pem, key_pem;
  std::string ca_pem;  // empty: the kubelet's certificate is not checked, as upstream's default
};

class LiveBackends final : public BackendPort {
 public:
  static constexpr std::size_t kClientsMax = 10'000;

  LiveBackends(net::AsioExecutor& executor, KubeletCredentials credentials)
      : executor_(executor), credentials_(std::move(credentials)) {}

  void connect(BackendCall call) override;

 private:
  Result<std::shared_ptr<net::Client>> client(const Backend& backend);

  net::AsioExecutor& executor_;
  const KubeletCredentials credentials_;
  std::map<std::string, std::shared_ptr<net::Client>> kubelets_;  // by host:port
};

}  // namespace coracle::apiserver
