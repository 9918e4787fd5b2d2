#include "client/daemon_flags.hpp"

#include <catch2/catch.hpp>

namespace coracle::client {
namespace {

void parse(Flags& flags, std::vector<std::string> args) {
  args.insert(args.begin(), "daemon");
  std::vector<char*> argv;
  for (auto& arg : args) argv.push_back(arg.data());
  flags.parse(static_cast<int>(argv.size()), argv.data());
}

TEST_CASE("upstream's flag names, upstream's defaults") {
  Flags flags("daemon", "A daemon.", "daemon");
  DaemonFlags values;
  add_daemon_flags(flags, &values, "kube-scheduler", 10259);
  parse(flags, {});
  finish_daemon_flags(values, "daemon");
  CHECK(values.leader_elect);
  CHECK(values.secure_port == 10259);
  CHECK(values.election.name == "kube-scheduler");
  CHECK(values.election.namespace_name == "kube-system");
  CHECK(values.election.lease_duration == std::chrono::seconds(15));
  CHECK(values.election.identity.find('_') != std::string::npos);
}

TEST_CASE("given values arrive; several masters replace the kubeconfig's server") {
  Flags flags("daemon", "A daemon.", "daemon");
  DaemonFlags values;
  add_daemon_flags(flags, &values, "x", 1);
  parse(flags, {"--leader-elect-identity", "me", "--leader-elect-lease-duration", "30s", "--master",
                "https://a:1", "--master", "https://b:2", "--secure-port", "0"});
  finish_daemon_flags(values, "daemon");
  CHECK(values.election.identity == "me");
  CHECK(values.election.lease_duration == std::chrono::seconds(30));
  CHECK(values.masters == std::vector<std::string>{"https://a:1", "https://b:2"});
  CHECK(values.secure_port == 0);
}

TEST_CASE("--leader-elect=false works alone") {
  Flags flags("daemon", "A daemon.", "daemon");
  DaemonFlags values;
  add_daemon_flags(flags, &values, "x", 1);
  parse(flags, {"--leader-elect=false"});
  CHECK_FALSE(values.leader_elect);
}

TEST_CASE("a daemon that elects nobody has no such flags") {
  Flags flags("daemon", "A daemon.", "daemon");
  DaemonFlags values;
  add_daemon_flags(flags, &values, "", 0);
  parse(flags, {"--log-level", "warn"});
  finish_daemon_flags(values, "daemon");
  CHECK_FALSE(values.leader_elect);
  CHECK(values.election.identity.empty());
}

}  // namespace
}  // namespace coracle::client
