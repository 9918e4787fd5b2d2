// How a node gets its identity: a key of its own, and a certificate that the cluster signs for it
// (upstream: kubelet's bootstrap and certificate manager, kubeadm's discovery).
//
//   1 The CA: given, or read from kube-public/cluster-info, which anybody may read; it is believed
//     when the token has signed it and its CA's key has the hash that the administrator gave.
//   2 A CertificateSigningRequest of signer kubernetes.io/kube-apiserver-client-kubelet, asked for
//     with the token; later, when the certificate is old, with the certificate itself.
//   3 Certificate and key in one file of mode 0600, so that a restart needs no token.
//
// Coroutines for the executor's strand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/kubeconfig.hpp"
#include "net/asio_executor.hpp"

namespace coracle::client {

struct NodeIdentity {
  std::string cert_pem, key_pem;
  WallTime not_before, not_after;
};

struct JoinOptions {
  std::vector<std::string> servers;         // "https://127.0.0.1:6443"
  std::string token;                        // ID.SECRET
  std::string ca_pem;                       // empty: by discovery
  std::vector<std::string> ca_cert_hashes;  // "sha256:HEX" of the CA's public key; one must fit
  bool unsafe_skip_ca_verification = false;
  std::string node_name;
};

// The CA of the cluster behind servers.front(). PermissionDenied: signature or hash do not fit.
Task<Result<std::string>> discover_ca(net::AsioExecutor& executor, JoinOptions options);

// Checks what cluster-info says against the token: its kubeconfig's CA, if all fits. Pure.
Result<std::string> ca_of_cluster_info(const json::value& config_map, const JoinOptions& options);

// Asks as `config` says for the client certificate of the node and waits for it. DeadlineExceeded
// when nobody signs within `patience`; PermissionDenied when it is denied or fails.
Task<Result<NodeIdentity>> request_identity(net::AsioExecutor& executor, ClientConfig config,
                                            std::string node_name, Duration patience);

// The same for its server's certificate, of signer kubernetes.io/kubelet-serving, asked for as the
// node itself: an administrator has to approve it.
Task<Result<NodeIdentity>> request_serving_identity(net::AsioExecutor& executor,
                                                    ClientConfig config, std::string node_name,
                                                    std::string address, Duration patience);

// NotFound: no such file; InvalidArgument: it holds no certificate with its key.
Result<NodeIdentity> load_identity(const std::string& file);
Status save_identity(const std::string& file, const NodeIdentity& identity);

// When to ask for the next one: `jitter` (0..1) spreads it over 70 % to 90 % of its life.
WallTime renewal_of(const NodeIdentity& identity, double jitter);

}  // namespace coracle::client
