#include <fmt/format.h>

#include "base/flags.hpp"
#include "lab/cluster.hpp"
#include "lab/commands.hpp"
#include "lab/console.hpp"
#include "lab/daemons.hpp"
#include "lab/process.hpp"

namespace coracle::lab {
namespace {

constexpr double kMega = 1024.0 * 1024.0;

std::string role_of(const std::string& name, Cluster& cluster,
                    const std::vector<StoreMember>& members) {
  const StoreMember* leader = store_leader(members);
  for (const StoreMember& member : members) {
    if (member.name != name) continue;
    if (!member.reachable) return "no answer";
    return fmt::format("{} term={} revision={}",
                       leader != nullptr && leader->name == name ? "leader" : "follower",
                       member.term, member.revision);
  }
  if (name.starts_with("apiserver-")) return cluster.ready() ? "ready" : "not ready";
  if (name.starts_with("kubelet-sim-")) return fmt::format("{} nodes Ready", cluster.ready_nodes());
  return "";
}

}  // namespace

int run_status(int argc, char** argv) {
  std::string dir = ".coracle";
  Flags flags("coracle status", "Tells what of a cluster runs, and who leads.",
              "coracle status --dir /tmp/class");
  flags.add("--dir", &dir, "the lab directory");
  flags.parse(argc, argv);

  const Console console;
  const Layout layout(dir);
  auto cluster = Cluster::open(layout);
  if (!cluster.ok()) {
    console.fail("coracle status: " + cluster.status().message());
    return 1;
  }
  const std::vector<StoreMember> members = (*cluster)->store_members();
  console.say(fmt::format("{:<24}{:<10}{:<10}{:<8}{}", "NAME", "STATE", "PID", "MB", "ROLE"));
  bool all = true;
  double total = 0;
  for (const DaemonCommand& command :
       daemon_commands(layout, (*cluster)->shape(), program_directory())) {
    const auto pid = running_pid(layout, command.name);
    all = all && pid.has_value();
    const double megabytes = pid ? static_cast<double>(resident_bytes(*pid)) / kMega : 0;
    total += megabytes;
    console.say(fmt::format("{:<24}{:<10}{:<10}{:<8.1f}{}", command.name,
                            pid ? "running" : "stopped", pid ? std::to_string(*pid) : "-",
                            megabytes, pid ? role_of(command.name, **cluster, members) : ""));
  }
  console.say(fmt::format("{:<44}{:.1f}", "in all", total));
  if (!all) console.say(fmt::format("Start what is stopped with: coracle up --dir {}", dir));
  return all ? 0 : 1;
}

}  // namespace coracle::lab
