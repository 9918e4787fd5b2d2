// KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): profiles, weights, leader election.
// Pure. What it does not know is an error that names the path in the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/leader_election.hpp"
#include "framework/profile.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {

struct Config {
  std::vector<Profile> profiles;
  bool leader_elect = true;
  client::LeaderElectionOptions election;
};

// Replaces in `config` what the text says. InvalidArgument: "yaml: line 3: ...",
// `unknown field "profiles[0].plugin"`, `profiles[0].plugins.score.enabled[1]: ...`.
Status parse_config(std::string_view yaml, Config* config);

}  // namespace coracle::scheduler
