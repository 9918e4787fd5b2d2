#include "lab/demo_failover.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <set>

#include "base/flags.hpp"
#include "lab/cluster.hpp"
#include "lab/console.hpp"
#include "lab/daemons.hpp"
#include "lab/process.hpp"

namespace coracle::lab {
namespace {

constexpr char kNamespace[] = "demo-failover";
constexpr Duration kRolloutLimit = std::chrono::seconds(120);
constexpr Duration kElectionLimit = std::chrono::seconds(30);

std::string deployment_json(const std::string& image, int replicas) {
  return fmt::format(
      R"({{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web","namespace":"{}"}},)"
      R"("spec":{{"replicas":{},"minReadySeconds":2,)"
      R"("selector":{{"matchLabels":{{"app":"web"}}}},)"
      R"("template":{{"metadata":{{"labels":{{"app":"web"}}}},)"
      R"("spec":{{"containers":[{{"name":"web","image":"{}"}}]}}}}}}}})",
      kNamespace, replicas, image);
}

struct Rollout {
  std::int64_t updated = 0, available = 0, replicas = 0;
  bool complete = false;
};

class Failover {
 public:
  Failover(Cluster& cluster, int replicas) : cluster_(cluster), replicas_(replicas) {}

  int run() {
    start_ = cluster_.now();
    const int code = show();
    cleanup();
    return code;
  }

 private:
  int show() {
    if (!setup()) return 1;
    if (!kill_leader()) return 1;
    if (!wait_for_election()) return 1;
    if (!finish_rollout()) return 1;
    if (!check_writes()) return 1;
    return restart_member() ? 0 : 1;
  }

  double seconds_since(TimePoint t) const {
    return std::chrono::duration<double>(cluster_.now() - t).count();
  }
  void tell(const std::string& line) {
    console_.say(fmt::format("[{:6.2f} s] {}", seconds_since(start_), line));
  }
  bool fail(const std::string& why) {
    console_.fail("coracle demo failover: " + why);
    return false;
  }
  std::string deployments() const {
    return fmt::format("/apis/apps/v1/namespaces/{}/deployments", kNamespace);
  }

  Rollout rollout() {
    Rollout r;
    const auto d = cluster_.get(deployments() + "/web");
    if (!d.ok()) return r;
    // A status of before the last change of the template counts the old replicas.
    const bool observed =
        get_int(*d, "status.observedGeneration") >= get_int(*d, "metadata.generation");
    r.updated = observed ? get_int(*d, "status.updatedReplicas") : 0;
    r.available = get_int(*d, "status.availableReplicas");
    r.replicas = get_int(*d, "status.replicas");
    r.complete = r.updated == replicas_ && r.available == replicas_ && r.replicas == replicas_;
    return r;
  }

  bool setup() {
    cleanup();
    json::value ns = *parse_json(fmt::format(
        R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{}"}}}})", kNamespace));
    if (const auto made = cluster_.send("POST", "/api/v1/namespaces", ns); !made.ok()) {
      return fail(made.status().message());
    }
    const auto made =
        cluster_.send("POST", deployments(), *parse_json(deployment_json("nginx:1.26", replicas_)));
    if (!made.ok()) return fail(made.status().message());
    tell(fmt::format("Deployment web with {} replicas of nginx:1.26 created", replicas_));
    if (!cluster_.wait_until([&] { return rollout().complete; }, kRolloutLimit)) {
      return fail("the first rollout did not complete");
    }
    tell("all replicas are available; now a rolling update to nginx:1.27 starts");
    const auto patched = cluster_.send(
        "PATCH", deployments() + "/web",
        *parse_json(
            R"({"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:1.27"}]}}}})"),
        "application/strategic-merge-patch+json");
    if (!patched.ok()) return fail(patched.status().message());
    if (!cluster_.wait_until([&] { return write_once(), rollout().updated > 0; }, kRolloutLimit)) {
      return fail("the rolling update did not start");
    }
    return true;
  }

  // One acknowledged (or failed) write; keeps the longest time without an acknowledgement.
  void write_once() {
    const std::string name = fmt::format("write-{}", attempts_++);
    json::value body = *parse_json(fmt::format(
        R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}","namespace":"{}"}}}})",
        name, kNamespace));
    const auto made =
        cluster_.send("POST", fmt::format("/api/v1/namespaces/{}/configmaps", kNamespace), body);
    if (!made.ok()) return;
    const TimePoint now = cluster_.now();
    if (!acknowledged_.empty()) longest_gap_ = std::max(longest_gap_, now - last_ack_);
    last_ack_ = now;
    acknowledged_.insert(name);
  }

  bool kill_leader() {
    const auto members = cluster_.store_members();
    const StoreMember* leader = store_leader(members);
    if (leader == nullptr) return fail("the store has no leader to kill");
    victim_ = *leader;
    const Rollout r = rollout();
    const Status killed = signal_daemon(cluster_.layout(), victim_.name, SIGKILL);
    if (!killed.ok()) return fail(killed.message());
    killed_at_ = cluster_.now();
    longest_gap_ = Duration(0);
    tell(fmt::format("SIGKILL to {}, the leader of term {}; the rollout has {} of {} new replicas",
                     victim_.name, victim_.term, r.updated, replicas_));
    return true;
  }

  bool wait_for_election() {
    StoreMember successor;
    const bool elected = cluster_.wait_until(
        [&] {
          const auto members = cluster_.store_members();
          const StoreMember* leader = store_leader(members);
          if (leader != nullptr && leader->term > victim_.term) successor = *leader;
          return !successor.name.empty();
        },
        kElectionLimit, std::chrono::milliseconds(5));
    if (!elected) return fail("no new leader was elected");
    tell(fmt::format("{} was elected in term {}: leaderless for {:.2f} s", successor.name,
                     successor.term, seconds_since(killed_at_)));
    return true;
  }

  bool finish_rollout() {
    const bool done =
        cluster_.wait_until([&] { return write_once(), rollout().complete; }, kRolloutLimit);
    if (!done) return fail("the rolling update did not complete");
    tell(fmt::format("the rolling update is complete: {} of {} replicas updated and available",
                     replicas_, replicas_));
    return true;
  }

  bool check_writes() {
    const auto list = cluster_.get(fmt::format("/api/v1/namespaces/{}/configmaps", kNamespace));
    if (!list.ok()) return fail(list.status().message());
    std::set<std::string> left = acknowledged_;
    for (const json::value& item : get_array(*list, "items")) {
      left.erase(std::string(get_string(item, "metadata.name")));
    }
    if (!left.empty()) {
      return fail(fmt::format("{} acknowledged writes are lost, {} among them", left.size(),
                              *left.begin()));
    }
    tell(fmt::format(
        "{} writes were tried, {} acknowledged, 0 of them lost; the longest wait "
        "between two acknowledgements was {:.2f} s",
        attempts_, acknowledged_.size(), std::chrono::duration<double>(longest_gap_).count()));
    return true;
  }

  bool restart_member() {
    for (const DaemonCommand& command :
         daemon_commands(cluster_.layout(), cluster_.shape(), program_directory())) {
      if (command.name != victim_.name) continue;
      if (const Status s = start_daemon(cluster_.layout(), command); !s.ok()) {
        return fail(s.message());
      }
    }
    const bool back = cluster_.wait_until(
        [&] {
          const auto members = cluster_.store_members();
          const StoreMember* leader = store_leader(members);
          for (const StoreMember& m : members) {
            if (m.name == victim_.name) {
              return leader != nullptr && m.reachable && m.revision >= leader->revision;
            }
          }
          return false;
        },
        kElectionLimit);
    if (!back) return fail(victim_.name + " did not catch up");
    tell(victim_.name + " is started again and has caught up");
    return true;
  }

  void cleanup() {
    const std::string target = fmt::format("/api/v1/namespaces/{}", kNamespace);
    const auto answer = cluster_.call("DELETE", target);
    if (!answer.ok() || answer->status == 404) return;
    cluster_.wait_until(
        [&] {
          const auto got = cluster_.call("GET", target);
          return got.ok() && got->status == 404;
        },
        kRolloutLimit);
  }

  Cluster& cluster_;
  const int replicas_;
  Console console_;
  TimePoint start_, killed_at_, last_ack_;
  Duration longest_gap_{0};
  StoreMember victim_;
  int attempts_ = 0;
  std::set<std::string> acknowledged_;
};

}  // namespace

int demo_failover(int argc, char** argv) {
  std::string dir = ".coracle";
  int replicas = 20;
  Flags flags("coracle demo failover",
              "Kills the store's leader with SIGKILL in the middle of a rolling update, tells who "
              "was elected and how long there was no leader, and checks that nothing was lost.",
              "coracle demo failover --dir /tmp/class");
  flags.add("--dir", &dir, "the lab directory of a running cluster");
  flags.add("--pods", &replicas, "replicas of the Deployment that is rolled");
  flags.parse(argc, argv);

  const Layout layout(dir);
  auto cluster = Cluster::open(layout);
  if (!cluster.ok()) {
    Console().fail("coracle demo failover: " + cluster.status().message());
    return 1;
  }
  if ((*cluster)->shape().replicas < 3) {
    Console().fail(
        "coracle demo failover: a store of one member has nobody to take over; start a cluster "
        "of its own with: coracle up --dir DIR --replicas 3");
    return 1;
  }
  return Failover(**cluster, replicas).run();
}

}  // namespace coracle::lab
