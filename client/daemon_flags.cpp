#include "client/daemon_flags.hpp"

#include <unistd.h>

#include "base/check.hpp"
#include "base/rng.hpp"

namespace coracle::client {

void add_daemon_flags(Flags& flags, DaemonFlags* values, const std::string& lease_name,
                      int default_port) {
  values->secure_port = default_port;
  values->election.name = lease_name;
  flags.add("--kubeconfig", &values->kubeconfig,
            "how to reach the apiserver; else KUBECONFIG, else ~/.kube/config");
  flags.add("--master", &values->masters,
            "URLs of apiservers, tried in turn; override the kubeconfig's server");
  flags.add("--bind-address", &values->bind_address, "where /healthz and /metrics are served");
  flags.add("--secure-port", &values->secure_port, "of /healthz and /metrics; 0: not served");
  flags.add("--log-level", &values->log_level, "what is logged")
      .one_of({"debug", "info", "warn", "error"});
  if (lease_name.empty()) {
    values->leader_elect = false;
    return;
  }
  LeaderElectionOptions& election = values->election;
  flags.add("--leader-elect", &values->leader_elect, "work only while holding the Lease");
  flags.add("--leader-elect-identity", &values->leader_elect_identity,
            "this process in the Lease; default: host name and a random part");
  flags.add("--leader-elect-lease-duration", &election.lease_duration,
            "others wait so long before they take over a Lease that is not renewed");
  flags.add("--leader-elect-renew-deadline", &election.renew_deadline,
            "the leader gives up when it could not renew for so long");
  flags.add("--leader-elect-retry-period", &election.retry_period, "time between attempts");
  flags.add("--leader-elect-resource-name", &election.name, "name of the Lease");
  flags.add("--leader-elect-resource-namespace", &election.namespace_name,
            "namespace of the Lease");
}

namespace {

std::string default_identity() {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  Rng rng(secure_random_seed());
  return std::string(host) + "_" + rng.uuid();
}

}  // namespace

void finish_daemon_flags(DaemonFlags& values, const std::string& program) {
  log::Level level = log::Level::kInfo;
  if (!log::parse_level(values.log_level, &level)) {
    fail_startup("--log-level " + values.log_level + ": not a level");
  }
  log::init(program, level);
  if (values.secure_port < 0 || values.secure_port > 65535) {
    fail_startup("--secure-port " + std::to_string(values.secure_port) +
                 ": must be between 0 and 65535");
  }
  if (!values.leader_elect) return;
  values.election.identity =
      values.leader_elect_identity.empty() ? default_identity() : values.leader_elect_identity;
  const Status valid = validate(values.election);
  if (!valid.ok()) fail_startup("--leader-elect-*: " + valid.message());
}

ClientConfig client_config_or_die(const DaemonFlags& values) {
  auto file = Kubeconfig::load_default(values.kubeconfig);
  if (!file.ok()) fail_startup("--kubeconfig: " + file.status().message());
  ConfigOverrides overrides;
  if (!values.masters.empty()) overrides.server = values.masters.front();
  auto config = file->resolve(overrides);
  if (!config.ok()) fail_startup("--kubeconfig: " + config.status().message());
  if (!values.masters.empty()) config->servers = values.masters;
  return *config;
}

}  // namespace coracle::client
