// ServingCertificate: the certificate of a joined node's server: one that the node has signed
// itself at first, and, with --rotate-server-certificates, one of the cluster's signer as soon as
// an administrator has approved its request; renewed before it ends.
//
// Strand: the executor's. Bound: one request at a time.
#pragma once

#include <memory>
#include <string>

#include "base/rng.hpp"
#include "client/kubeconfig.hpp"
#include "kubelet_driver/kubelet_server.hpp"
#include "net/pki.hpp"

namespace coracle::kubelet {

// For the node's name and address, good for a year.
Result<net::KeyPair> self_signed(const std::string& node, const std::string& address, WallTime now);

class ServingCertificate : public std::enable_shared_from_this<ServingCertificate> {
 public:
  ServingCertificate(net::AsioExecutor& executor, KubeletServer& server, Rng rng)
      : executor_(executor), server_(server), rng_(rng) {}
  // From now on. `config`: the node's own.
  void keep(client::ClientConfig config, std::string node, std::string address);

 private:
  void ask();
  void look_in(Duration delay);

  net::AsioExecutor& executor_;
  KubeletServer& server_;
  Rng rng_;
  client::ClientConfig config_;
  std::string node_, address_;
};

}  // namespace coracle::kubelet
