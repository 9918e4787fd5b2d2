// coracle: starts, stops and shows a lab cluster, and demonstrates what it does about faults.
#include <cstdio>
#include <cstring>

#include "base/log.hpp"
#include "lab/commands.hpp"

namespace {

constexpr char kUsage[] =
    "coracle: a complete small Kubernetes control plane on this machine.\n"
    "\n"
    "Usage: coracle COMMAND [flags]\n"
    "\n"
    "Commands:\n"
    "  up       start a cluster (or what is not running of it) and wait until it is ready\n"
    "  down     stop it; its data stays\n"
    "  status   what runs, who leads, how much memory it takes\n"
    "  node     something goes wrong with a node: coracle node cut-off node-2\n"
    "  token    a token by which further nodes join: coracle token create\n"
    "  demo     show something: coracle demo failover\n"
    "  sim      experiments with schedulers, on virtual time: coracle sim --help\n"
    "\n"
    "Examples:\n"
    "  coracle up --nodes 5\n"
    "  export KUBECONFIG=$PWD/.coracle/kubeconfig; mini-kubectl get nodes\n"
    "  coracle demo failover\n"
    "  coracle down\n"
    "\n"
    "'coracle COMMAND --help' tells the flags of a command.\n";

struct Command {
  const char* name;
  int (*run)(int, char**);
};

constexpr Command kCommands[] = {
    {"up", coracle::lab::run_up},         {"down", coracle::lab::run_down},
    {"status", coracle::lab::run_status}, {"token", coracle::lab::run_token},
    {"node", coracle::lab::run_node},     {"demo", coracle::lab::run_demo},
    {"sim", coracle::lab::run_sim},
};

}  // namespace

int main(int argc, char** argv) {
  coracle::log::init("coracle", coracle::log::Level::kWarn);
  if (argc < 2) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0 ||
      std::strcmp(argv[1], "help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  for (const Command& command : kCommands) {
    if (std::strcmp(argv[1], command.name) == 0) return command.run(argc - 1, argv + 1);
  }
  std::fprintf(stderr, "coracle: unknown command \"%s\"\n\n%s", argv[1], kUsage);
  return 2;
}
