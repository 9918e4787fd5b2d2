#include "apiserver/server/options.hpp"

#include "apiserver/server/admission_file.hpp"
#include "apiserver/server/audit_file.hpp"
#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

std::string read_if_given(const std::string& flag, const std::string& path) {
  return path.empty() ? std::string() : read_flag_file(flag, path);
}

net::JwtKey key_or_die(const std::string& flag, const std::string& path) {
  auto key = net::JwtKey::from_pem(read_if_given(flag, path));
  if (!key.ok()) fail_startup(flag + " " + path + ": " + key.status().message());
  return *std::move(key);
}

void add_flags(Flags& flags, ServerOptions* o) {
  flags.add("--etcd-servers", &o->etcd_servers,
            "client URLs of the store's members, comma list; default http://127.0.0.1:2379");
  flags.add("--etcd-cafile", &o->etcd_tls.ca, "CA of the store's certificates, PEM");
  flags.add("--etcd-certfile", &o->etcd_tls.cert, "certificate shown to the store, PEM");
  flags.add("--etcd-keyfile", &o->etcd_tls.key, "its key, PEM");
  flags.add(
      "--embedded-store-dir", &o->embedded_store_dir,
      "keep the store in this process and its data in this folder, instead of --etcd-servers");
  flags.add("--bind-address", &o->bind_address, "address to listen on");
  flags.add("--advertise-address", &o->advertise_address,
            "address clients in the cluster are told; default the bind address");
  flags.add("--secure-port", &o->secure_port, "port to listen on");
  flags.add("--tls-cert-file", &o->tls_cert_file, "the server's certificate, PEM").required();
  flags.add("--tls-private-key-file", &o->tls_private_key_file, "its key, PEM").required();
  flags.add("--client-ca-file", &o->client_ca_file, "CA of client certificates, PEM");
  flags.add("--token-auth-file", &o->token_auth_file, "CSV of token,user,uid,\"groups\"");
  flags.add("--service-account-key-file", &o->service_account_key_files,
            "keys that service account tokens are checked with");
  flags.add("--service-account-signing-key-file", &o->service_account_signing_key_file,
            "key that service account tokens are signed with");
  flags.add("--service-account-issuer", &o->service_account_issuer, "iss of those tokens");
  flags.add("--service-cluster-ip-range", &o->service_cluster_ip_range, "addresses of services");
  flags.add("--service-node-port-range", &o->service_node_port_range, "node ports of services");
  flags.add("--kubelet-client-certificate", &o->kubelet_client_certificate,
            "certificate shown to kubelets");
  flags.add("--kubelet-client-key", &o->kubelet_client_key, "its key");
  flags.add("--kubelet-certificate-authority", &o->kubelet_certificate_authority,
            "CA of the kubelets' certificates; without it they are not checked");
  flags.add("--proxy-client-cert-file", &o->proxy_client_cert_file,
            "certificate shown to aggregated API servers, PEM");
  flags.add("--proxy-client-key-file", &o->proxy_client_key_file, "its key, PEM");
  flags.add("--requestheader-client-ca-file", &o->requestheader_client_ca_file,
            "CA of that certificate: told to aggregated API servers, so that they believe it");
  flags.add("--requestheader-allowed-names", &o->requestheader_allowed_names,
            "common names that certificate may have; without it any");
  flags.add("--audit-log-path", &o->audit_log_path,
            "file that who did what is appended to, a JSON line each");
  flags.add("--audit-log-maxsize", &o->audit_log_maxsize,
            "MiB after which that file is put aside under a name with the time");
  flags.add("--audit-log-maxbackup", &o->audit_log_maxbackup,
            "how many of those put aside are kept; 0: all");
  flags.add("--audit-log-maxage", &o->audit_log_maxage,
            "after how many days one put aside is removed; 0: never");
  flags.add("--audit-policy-file", &o->audit_policy_file,
            "which requests and how much of them; without it all, as metadata");
  flags.add("--encryption-provider-config", &o->encryption_provider_config,
            "which resources are kept encrypted in the store, and with what keys");
  flags.add("--admission-control-config-file", &o->admission_control_config_file,
            "what admission plugins are configured with");
  flags.add("--enable-admission-plugins", &o->enable_admission_plugins,
            "plugins that are off by default, comma list");
  flags.add("--disable-admission-plugins", &o->disable_admission_plugins,
            "plugins that are on by default, comma list");
  flags.add("--request-timeout", &o->request_timeout,
            "how long a request may take, watches and logs excepted, before it is answered 504");
  flags.add("--shutdown-delay-duration", &o->shutdown_delay_duration,
            "how long to go on serving after SIGTERM, while /readyz says no already");
  flags.add("--max-requests-inflight", &o->max_requests_inflight,
            "with the next one: seats that priority levels give to requests; both 0: no limit");
  flags.add("--max-mutating-requests-inflight", &o->max_mutating_requests_inflight,
            "added to the one before");
  flags.add("--log-level", &o->log_level, "debug, info, warn or error")
      .one_of({"debug", "info", "warn", "error"});
}

void load_tokens(ServerOptions& o) {
  if (o.service_account_signing_key_file.empty()) return;
  net::JwtKey signer =
      key_or_die("--service-account-signing-key-file", o.service_account_signing_key_file);
  std::vector<net::JwtKey> verifiers = {signer};
  for (const std::string& path : o.service_account_key_files) {
    verifiers.push_back(key_or_die("--service-account-key-file", path));
  }
  o.tokens.emplace(o.service_account_issuer, std::move(signer), std::move(verifiers));
}

void open_audit(ServerOptions& o) {
  if (o.audit_log_path.empty()) {
    if (!o.audit_policy_file.empty()) fail_startup("--audit-policy-file: needs --audit-log-path");
    return;
  }
  AuditPolicy policy = AuditPolicy::metadata();
  if (!o.audit_policy_file.empty()) {
    auto parsed = AuditPolicy::parse(read_flag_file("--audit-policy-file", o.audit_policy_file));
    if (!parsed.ok()) {
      fail_startup("--audit-policy-file " + o.audit_policy_file + ": " + parsed.status().message());
    }
    policy = *std::move(parsed);
  }
  if (o.audit_log_maxsize < 0) fail_startup("--audit-log-maxsize: must not be negative");
  if (o.audit_log_maxbackup < 0) fail_startup("--audit-log-maxbackup: must not be negative");
  if (o.audit_log_maxage < 0) fail_startup("--audit-log-maxage: must not be negative");
  AuditFileLimits limits;
  if (o.audit_log_maxsize > 0) limits.bytes_max = std::int64_t{o.audit_log_maxsize} << 20;
  limits.backups_max = o.audit_log_maxbackup;
  limits.age_max = std::chrono::hours(24) * o.audit_log_maxage;
  auto opened = AuditFile::open(o.audit_log_path, limits);
  if (!opened.ok()) {
    fail_startup("--audit-log-path " + o.audit_log_path + ": " + opened.status().message());
  }
  auto file = std::make_shared<AuditFile>(*std::move(opened));
  o.audit = std::make_shared<const AuditLog>(std::move(policy), [file](const std::string& line) {
    file->append(line, real_clock().wall_now());
  });
}

void load_encryption(ServerOptions& o) {
  const std::string flag = "--encryption-provider-config";
  if (o.encryption_provider_config.empty()) return;
  auto config = EncryptionConfig::parse(read_flag_file(flag, o.encryption_provider_config));
  if (!config.ok()) {
    fail_startup(flag + " " + o.encryption_provider_config + ": " + config.status().message());
  }
  o.encryption = *std::move(config);
}

void load_plugins(ServerOptions& o) {
  auto config = load_admission(
      {o.admission_control_config_file, o.enable_admission_plugins, o.disable_admission_plugins});
  if (!config.ok()) fail_startup(config.status().message());
  o.admission = *std::move(config);
}

}  // namespace

ServerOptions options_or_die(int argc, char** argv) {
  ServerOptions o;
  Flags flags("apiserver", "Serves the Kubernetes API on a replicated store.",
              "apiserver --etcd-servers http://127.0.0.1:2379 --tls-cert-file apiserver.crt "
              "--tls-private-key-file apiserver.key --client-ca-file ca.crt");
  add_flags(flags, &o);
  flags.parse(argc, argv);
  log::Level level = log::Level::kInfo;
  CHECK(log::parse_level(o.log_level, &level));
  log::init("apiserver", level);
  if (o.secure_port < 0 || o.secure_port > 65535) {
    fail_startup("--secure-port " + std::to_string(o.secure_port) + ": not a port number");
  }
  if (o.advertise_address.empty()) o.advertise_address = o.bind_address;
  std::vector<std::string> endpoints;
  for (const std::string& list : o.etcd_servers) {
    for (std::string& one : split(list, ',')) endpoints.push_back(std::move(one));
  }
  if (!o.embedded_store_dir.empty() && !endpoints.empty()) {
    fail_startup("--embedded-store-dir: cannot be together with --etcd-servers");
  }
  if (o.embedded_store_dir.empty() && endpoints.empty()) {
    endpoints = {"http://127.0.0.1:2379"};
  }
  o.etcd_servers = std::move(endpoints);
  const TlsFlagNames etcd_flags = {"--etcd-certfile", "--etcd-keyfile", "--etcd-cafile"};
  if (const Status s = check_tls_files(o.etcd_tls, etcd_flags); !s.ok()) fail_startup(s.message());
  o.tls.cert_pem = read_if_given("--tls-cert-file", o.tls_cert_file);
  o.tls.key_pem = read_if_given("--tls-private-key-file", o.tls_private_key_file);
  o.tls.client_ca_pem = read_if_given("--client-ca-file", o.client_ca_file);
  o.token_csv = read_if_given("--token-auth-file", o.token_auth_file);
  o.kubelet.cert_pem = read_if_given("--kubelet-client-certificate", o.kubelet_client_certificate);
  o.kubelet.key_pem = read_if_given("--kubelet-client-key", o.kubelet_client_key);
  o.kubelet.ca_pem =
      read_if_given("--kubelet-certificate-authority", o.kubelet_certificate_authority);
  if (o.proxy_client_cert_file.empty() != o.proxy_client_key_file.empty()) {
    fail_startup("--proxy-client-cert-file and --proxy-client-key-file: both or none");
  }
  o.front_proxy.cert_pem = read_if_given("--proxy-client-cert-file", o.proxy_client_cert_file);
  o.front_proxy.key_pem = read_if_given("--proxy-client-key-file", o.proxy_client_key_file);
  o.front_proxy_ca_pem =
      read_if_given("--requestheader-client-ca-file", o.requestheader_client_ca_file);
  load_tokens(o);
  open_audit(o);
  load_encryption(o);
  load_plugins(o);
  if (o.request_timeout <= Duration::zero()) fail_startup("--request-timeout: must be positive");
  if (o.shutdown_delay_duration < Duration::zero()) {
    fail_startup("--shutdown-delay-duration: must not be negative");
  }
  if (o.max_requests_inflight < 0) fail_startup("--max-requests-inflight: must not be negative");
  if (o.max_mutating_requests_inflight < 0) {
    fail_startup("--max-mutating-requests-inflight: must not be negative");
  }
  auto ranges = ServiceRanges::parse(o.service_cluster_ip_range, o.service_node_port_range);
  if (!ranges.ok()) {
    fail_startup("--service-cluster-ip-range or --service-node-port-range: " +
                 ranges.status().message());
  }
  o.ranges = *std::move(ranges);
  return o;
}

}  // namespace coracle::apiserver
