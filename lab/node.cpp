// coracle node: makes something go wrong with a node, by an annotation that the node's simulator
// reads (docs/lab.md): so kubectl can do, and shows, the same.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>

#include "base/flags.hpp"
#include "lab/cluster.hpp"
#include "lab/commands.hpp"
#include "lab/console.hpp"

namespace coracle::lab {
namespace {

constexpr char kCutOff[] = "lab.coracle.dev/cut-off";
constexpr char kSlow[] = "lab.coracle.dev/slow";
constexpr char kReboot[] = "lab.coracle.dev/reboot";
constexpr Duration kSlowMax = std::chrono::minutes(10);
constexpr Duration kRebootMax = std::chrono::seconds(60);

constexpr char kUsage[] =
    "Makes something go wrong with a node, or right again.\n"
    "\n"
    "Usage: coracle node cut-off NAME [--for 2m]\n"
    "       coracle node reconnect NAME\n"
    "       coracle node slow NAME --delay 2s [--for 2m]\n"
    "       coracle node reboot NAME\n"
    "\n"
    "  cut-off    its network is gone: no heartbeat, no status; nothing reaches its pods\n"
    "  reconnect  the network is back; the node does what it missed\n"
    "  slow       pulls, starts, probes, status and its kubelet's answers take longer; --delay 0s: "
    "as before\n"
    "  reboot     its machine goes down and comes up again: new boot ID, containers restart\n"
    "\n"
    "Examples:\n"
    "  coracle node cut-off node-2\n"
    "  coracle node reconnect node-2\n"
    "  coracle node cut-off node-2 --for 90s --dir /tmp/class\n"
    "  coracle node slow node-1 --delay 5s\n"
    "  coracle node slow node-1 --delay 0s\n"
    "  coracle node reboot node-3\n";

struct Asked {
  std::string verb, node, dir = ".coracle";
  Duration delay = Duration(-1), lasts = Duration(0);
};

// "VERB NAME" first, then the flags of the verb.
Asked parse(int argc, char** argv) {
  Asked asked;
  asked.verb = argv[1];
  const std::string program = "coracle node " + asked.verb;
  int first = 1;
  if (argc > 2 && argv[2][0] != '-') {
    asked.node = argv[2];
    first = 2;
  }
  Flags flags(program, "See: coracle node --help", program + " node-1");
  flags.add("--dir", &asked.dir, "the lab directory");
  if (asked.verb == "cut-off" || asked.verb == "slow") {
    flags.add("--for", &asked.lasts, "after this time all is as before; 0s: until you say so");
  }
  if (asked.verb == "slow") {
    flags.add("--delay", &asked.delay, "how much longer everything takes").required();
  }
  flags.parse(argc - first, argv + first);
  if (asked.node.empty()) fail_startup(fmt::format("which node? {} NAME", program));
  if (asked.lasts < Duration(0)) fail_startup("--for: must not be negative");
  if (asked.verb == "slow" && (asked.delay < Duration(0) || asked.delay > kSlowMax)) {
    fail_startup("--delay: must be from 0s to 10m");
  }
  return asked;
}

Result<json::value> annotate(Cluster& cluster, const std::string& node, const char* key,
                             json::value value) {
  json::value patch = json::object();
  make_object(patch, "metadata")["annotations"] = json::object{{key, std::move(value)}};
  return cluster.send("PATCH", "/api/v1/nodes/" + node, patch, "application/merge-patch+json");
}

std::string end_of(Duration lasts) { return format_time(real_clock().wall_now() + lasts); }

Result<std::string> act(Cluster& cluster, const Asked& asked) {
  const std::string& node = asked.node;
  const bool limited = asked.lasts > Duration(0);
  if (asked.verb == "cut-off") {
    const std::string value = limited ? end_of(asked.lasts) : "now";
    RETURN_IF_ERROR(annotate(cluster, node, kCutOff, json::value(value)).status());
    return fmt::format("{} is cut off{}. In 40 to 50 s it is called NotReady.", node,
                       limited ? " until " + value : "");
  }
  if (asked.verb == "reconnect") {
    RETURN_IF_ERROR(annotate(cluster, node, kCutOff, nullptr).status());
    return node + " has its network.";
  }
  if (asked.verb == "slow") {
    const bool over = asked.delay == Duration(0);
    std::string value = fmt::format("{}ms", asked.delay / std::chrono::milliseconds(1));
    if (limited) value += " until " + end_of(asked.lasts);
    RETURN_IF_ERROR(
        annotate(cluster, node, kSlow, over ? json::value(nullptr) : json::value(value)).status());
    return over ? node + " is as fast as before." : fmt::format("{} is slow: {}.", node, value);
  }
  RETURN_IF_ERROR(annotate(cluster, node, kReboot, json::value("now")).status());
  // Its simulator takes the annotation away when the node is up again.
  const bool up = cluster.wait_until(
      [&] {
        const auto object = cluster.get("/api/v1/nodes/" + node);
        return object.ok() && !get_object(*object, "metadata.annotations").contains(kReboot);
      },
      kRebootMax, std::chrono::milliseconds(200));
  if (!up) return unavailable(node + " did not come up again: does its kubelet-sim run?");
  return node + " has been rebooted.";
}

}  // namespace

int run_node(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "--help" || verb == "-h") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (verb != "cut-off" && verb != "reconnect" && verb != "slow" && verb != "reboot") {
    std::fprintf(
        stderr, "coracle node: %s\n\n%s",
        verb.empty() ? "what is to happen?" : fmt::format("unknown command \"{}\"", verb).c_str(),
        kUsage);
    return 2;
  }
  const Asked asked = parse(argc, argv);
  const Console console;
  auto cluster = Cluster::open(Layout(asked.dir));
  const auto done = cluster.ok() ? act(**cluster, asked) : Result<std::string>(cluster.status());
  if (!done.ok()) {
    console.fail(fmt::format("coracle node {}: {}", verb, done.status().message()));
    return 1;
  }
  console.say(*done);
  return 0;
}

}  // namespace coracle::lab
