// The apiserver's flags, under upstream's names, and what they come to.
#pragma once

#include <string>
#include <vector>

#include "apiserver/admission/admission_config.hpp"
#include "apiserver/at_rest/encryption_config.hpp"
#include "apiserver/chain/audit.hpp"
#include "apiserver/registry/service_claims.hpp"
#include "apiserver/registry/token_issuer.hpp"
#include "apiserver/server/live_backends.hpp"
#include "apiserver/server/remote_clients.hpp"
#include "net/tls.hpp"
#include "tls_files/tls_files.hpp"

namespace coracle::apiserver {

struct ServerOptions {
  std::vector<std::string> etcd_servers;  // empty: the store is embedded
  TlsFiles etcd_tls;
  std::string embedded_store_dir;
  std::string bind_address = "127.0.0.1";
  std::string advertise_address;
  int secure_port = 6443;
  std::string tls_cert_file, tls_private_key_file, client_ca_file;
  std::string token_auth_file;
  std::vector<std::string> requestheader_allowed_names;
  std::string proxy_client_cert_file, proxy_client_key_file, requestheader_client_ca_file;
  std::vector<std::string> service_account_key_files;
  std::string service_account_signing_key_file;
  std::string service_account_issuer = "https://kubernetes.default.svc";
  std::string service_cluster_ip_range = "127.96.0.0/12";
  std::string service_node_port_range = "30000-32767";
  std::string kubelet_client_certificate, kubelet_client_key, kubelet_certificate_authority;
  std::string log_level = "info";
  std::string audit_log_path, audit_policy_file;
  int audit_log_maxsize = 100, audit_log_maxbackup = 0, audit_log_maxage = 0;  // MiB, files, days
  std::string encryption_provider_config;
  std::string admission_control_config_file;
  std::vector<std::string> enable_admission_plugins, disable_admission_plugins;
  Duration request_timeout = std::chrono::seconds(60);
  Duration shutdown_delay_duration{};
  int max_requests_inflight = 400, max_mutating_requests_inflight = 200;

  // The files' contents; filled by load().
  net::TlsConfig tls;
  std::string token_csv;
  std::optional<TokenIssuer> tokens;
  KubeletCredentials kubelet;
  FrontProxyCredentials front_proxy;
  std::string front_proxy_ca_pem;
  ServiceRanges ranges;
  std::shared_ptr<const AuditLog> audit;
  std::optional<EncryptionConfig> encryption;
  AdmissionConfig admission;
};

// Reads the command line and the files it names. Ends the program, naming the flag, when one is
// wrong.
ServerOptions options_or_die(int argc, char** argv);

}  // namespace coracle::apiserver
