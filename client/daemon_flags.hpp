// Flags that every daemon which talks to an apiserver has, under upstream's names.
#pragma once

#include <string>
#include <vector>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "client/kubeconfig.hpp"
#include "client/leader_election.hpp"

namespace coracle::client {

struct DaemonFlags {
  std::string kubeconfig;
  std::vector<std::string>
      masters;  // --master, several: fail over; overrides the kubeconfig's server
  std::string bind_address = "127.0.0.1";
  int secure_port = 0;  // of /healthz and /metrics; 0: none
  std::string log_level = "info";

  bool leader_elect = true;
  std::string leader_elect_identity;  // empty: host name and a random part
  LeaderElectionOptions election;     // the default name is the daemon's
};

// `lease_name` empty: a daemon that elects nobody; then no --leader-elect flags.
void add_daemon_flags(Flags& flags, DaemonFlags* values, const std::string& lease_name,
                      int default_port);
// After parse(): checks the values, fills election.identity, starts the log. Wrong values end the
// program by fail_startup, which names the flag.
void finish_daemon_flags(DaemonFlags& values, const std::string& program);
// How to reach the apiservers; fail_startup when the kubeconfig is unusable.
ClientConfig client_config_or_die(const DaemonFlags& values);

}  // namespace coracle::client
