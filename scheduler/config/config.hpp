// KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1), read, defaulted and checked as
// upstream does it. Pure. Nothing in a file is ignored silently: what has no effect here is listed
// in docs/scheduler.md; what does not exist is an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/leader_election.hpp"
#include "config/declared_plugins.hpp"
#include "config/extender_config.hpp"
#include "framework/profile.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {

struct Config {
  std::vector<Profile> profiles = {default_profile()};
  std::vector<ExtenderConfig> extenders;
  bool leader_elect = true;
  client::LeaderElectionOptions election;
  std::string kubeconfig;  // of clientConnection
  std::int64_t backoff_first_seconds = 1, backoff_max_seconds = 10;
};

// Replaces in `config` what the text says. InvalidArgument, in upstream's words: "yaml: line 3:
// ...", `strict decoding error: unknown field "x"`, `profiles[0].schedulerName: Required value`,
// `initializing profiles: ...`.
// `load`: who loads plugins that are shared objects; null: they are refused.
Status parse_config(std::string_view yaml, Config* config, const LoadSharedObject& load = nullptr);

}  // namespace coracle::scheduler
