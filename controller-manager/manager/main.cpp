// controller-manager: runs all controllers, when it leads.
#include <fmt/format.h>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client_https/leading_daemon.hpp"
#include "manager/manager.hpp"
#include "net/asio_executor.hpp"
#include "net/csr.hpp"
#include "net/jwt.hpp"

namespace {

using namespace coracle;

struct SigningFlags {
  std::string cert_file, key_file;
  Duration duration = std::chrono::hours(24 * 365);
};

controllers::TokenSigner token_signer(const std::string& key_file) {
  if (key_file.empty()) return nullptr;
  const char* flag = "--service-account-private-key-file";
  const auto key = net::JwtKey::from_pem(read_flag_file(flag, key_file));
  if (!key.ok()) fail_startup(std::string(flag) + ": " + key.status().message());
  return [key = *key](const json::value& claims) { return key.sign(claims); };
}

controllers::CertificateTools certificate_tools(const SigningFlags& flags) {
  controllers::CertificateTools tools;
  tools.duration = flags.duration;
  tools.read = [](const std::string& pem) -> Result<controllers::RequestFacts> {
    ASSIGN_OR_RETURN(auto info, net::inspect_csr(pem));
    return controllers::RequestFacts{std::move(info.common_name), std::move(info.organizations),
                                     std::move(info.dns_names),   std::move(info.ip_addresses),
                                     std::move(info.emails),      std::move(info.uris)};
  };
  tools.not_after = [](const std::string& pem) -> Result<WallTime> {
    ASSIGN_OR_RETURN(const auto info, net::inspect_certificate(pem));
    return info.not_after;
  };
  if (flags.cert_file.empty()) return tools;
  const net::KeyPair ca{read_flag_file("--cluster-signing-cert-file", flags.cert_file),
                        read_flag_file("--cluster-signing-key-file", flags.key_file)};
  const Status fits = net::check_key_pair(ca);
  if (!fits.ok()) fail_startup("--cluster-signing-key-file: " + fits.message());
  tools.sign = [ca](const std::string& pem, const std::vector<std::string>& usages,
                    WallTime not_before, WallTime not_after) {
    return net::sign_csr(ca, pem, usages, {not_before, not_after});
  };
  return tools;
}

}  // namespace

int main(int argc, char** argv) {
  client::DaemonFlags daemon;
  controllers::ControllerOptions options;
  std::string root_ca_file;
  Flags flags("controller-manager", "Runs the controllers of a cluster.",
              "controller-manager --kubeconfig controller-manager.kubeconfig");
  client::add_daemon_flags(flags, &daemon, "kube-controller-manager", 0);
  flags.add("--root-ca-file", &root_ca_file, "published to pods as kube-root-ca.crt");
  flags.add("--node-monitor-grace-period", &options.node_monitor_grace,
            "silence after which a node is called unreachable");
  flags.add(
      "--terminated-pod-gc-threshold", &options.terminated_pods_max,
      "how many pods that have ended stay; the oldest of the others are deleted (0: none are)");
  std::string provisioners = "lab.coracle.dev/hostpath";
  flags.add("--volume-provisioners", &provisioners,
            "drivers whose volumes are simulated by directories, comma separated");
  std::string account_key_file;
  flags.add("--service-account-private-key-file", &account_key_file,
            "signs the tokens of Secrets that name a ServiceAccount, PEM; none: they stay empty");
  std::string load_balancer_range;
  flags.add("--load-balancer-range", &load_balancer_range,
            "CIDR from which Services of type LoadBalancer get addresses; none: they wait");
  SigningFlags signing;
  flags.add("--cluster-signing-cert-file", &signing.cert_file,
            "CA by which approved certificate requests are signed, PEM; none: they are not");
  flags.add("--cluster-signing-key-file", &signing.key_file, "its key");
  flags.add("--cluster-signing-duration", &signing.duration,
            "longest life of a signed certificate, and of one that asks for none");
  flags.parse(argc, argv);
  client::finish_daemon_flags(daemon, "controller-manager");
  if (!root_ca_file.empty()) options.root_ca_pem = read_flag_file("--root-ca-file", root_ca_file);
  for (const std::string& name : split(provisioners, ',')) {
    if (!name.empty()) options.volume_provisioners.insert(name);
  }
  if (!load_balancer_range.empty()) {
    const auto pool = controllers::AddressPool::parse(load_balancer_range);
    if (!pool.ok()) fail_startup("--load-balancer-range: " + pool.status().message());
    options.load_balancers = *pool;
  }
  options.sign_token = token_signer(account_key_file);
  options.keyed_hash = net::hmac_sha256;
  options.certificates = certificate_tools(signing);
  const auto config = client::client_config_or_die(daemon);

  net::AsioExecutor executor;
  options.started = executor.wall_now();
  options.time_zones = load_time_zones();
  Rng rng(secure_random_seed());
  Metrics metrics;
  auto api = client::make_https_api(executor, {config, "kube-controller-manager"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  controllers::Manager manager(executor, **api, rng.split(), metrics, options);

  return client::run_leading(
      executor, config, rng.split(), daemon, config.ca_pem, metrics, argv,
      {[&] { manager.lead(); }, [&] { manager.stop(); }, [&] { return manager.ready(); }});
}
