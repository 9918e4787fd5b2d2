#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/encoding.hpp"
#include "base/flags.hpp"
#include "base/rng.hpp"
#include "lab/addons.hpp"
#include "lab/cluster.hpp"
#include "lab/commands.hpp"
#include "lab/console.hpp"
#include "lab/credentials.hpp"
#include "lab/daemons.hpp"
#include "lab/network.hpp"
#include "lab/process.hpp"

namespace coracle::lab {
namespace {

struct UpFlags {
  std::string dir = ".coracle";
  int replicas = 0;  // not said
  int nodes = 3, apiservers = 1, schedulers = 1, controller_managers = 1;
  int port = 6443;
  std::string store = "kvstore";
  bool store_tls = false;
  std::string runtime;  // not said
  bool load_balancers = false;
  bool decisions = false;
  std::string scheduler_config;
  bool metrics = false;
  bool embedded = false;
  Duration timeout = std::chrono::seconds(60);
};

constexpr int kNodesMax = 20'000;
constexpr int kReplicas = 3;
// --scheduler-config: no file.
constexpr std::string_view kDefaultScheduling = "default";

// What --embedded leaves no room for.
void check_embedded(UpFlags* flags) {
  const auto clash = [](const std::string& flag) {
    fail_startup("--embedded: the store lives in the one apiserver, so " + flag +
                 " does not go with it");
  };
  if (flags->replicas != 0) clash("--replicas");
  if (flags->apiservers != 1) clash("--apiservers " + std::to_string(flags->apiservers));
  if (flags->store != "kvstore") clash("--store " + flags->store);
  if (flags->store_tls) clash("--store-tls");
  flags->store = "embedded";
}

void check(const UpFlags& flags) {
  if (!flags.embedded && flags.replicas != 1 && flags.replicas != 3 && flags.replicas != 5) {
    fail_startup(
        fmt::format("--replicas: {} store members cannot be; say 1, 3 or 5", flags.replicas));
  }
  const auto in_range = [](const char* flag, int value, int low, int high) {
    if (value < low || value > high) {
      fail_startup(fmt::format("{}: {} is not between {} and {}", flag, value, low, high));
    }
  };
  in_range("--nodes", flags.nodes, 0, kNodesMax);
  in_range("--apiservers", flags.apiservers, 1, 9);
  in_range("--schedulers", flags.schedulers, 1, 9);
  in_range("--controller-managers", flags.controller_managers, 1, 9);
  in_range("--port", flags.port, 1, 65535);
}

// Chooses what a new cluster keeps for ever: ports and a token.
Result<ClusterShape> new_shape(const UpFlags& flags) {
  ClusterShape shape;
  shape.replicas = flags.replicas;
  shape.nodes = flags.nodes;
  shape.apiservers = flags.apiservers;
  shape.store = flags.store;
  shape.store_tls = flags.store_tls;
  shape.load_balancers = flags.load_balancers;
  shape.cluster_token = "coracle-" + hex_encode(secure_random_bytes(8));
  std::vector<int> taken;
  const auto choose = [&](int preferred) -> Result<int> {
    while (true) {
      ASSIGN_OR_RETURN(const int port, free_port(preferred));
      if (std::find(taken.begin(), taken.end(), port) == taken.end()) {
        taken.push_back(port);
        return port;
      }
      preferred = preferred == 0 ? 0 : port + 1;
    }
  };
  const auto fill = [&](std::vector<int>& ports, int count, int preferred) -> Status {
    for (int i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const int port, choose(preferred));
      ports.push_back(port);
    }
    return {};
  };
  RETURN_IF_ERROR(fill(shape.apiserver_ports, flags.apiservers, flags.port));
  RETURN_IF_ERROR(fill(shape.store_client_ports, flags.replicas, 0));
  RETURN_IF_ERROR(fill(shape.store_peer_ports, flags.replicas, 0));
  RETURN_IF_ERROR(fill(shape.scheduler_ports, flags.schedulers, 0));
  RETURN_IF_ERROR(fill(shape.controller_manager_ports, flags.controller_managers, 0));
  ASSIGN_OR_RETURN(shape.kubelet_sim_port, choose(0));
  return shape;
}

// They read the file at their start, so they are started again: it may have changed.
Status configure_schedulers(const Layout& layout, const UpFlags& flags, ClusterShape* shape) {
  std::vector<std::string> running;
  for (size_t i = 0; i < shape->scheduler_ports.size(); ++i) {
    running.push_back(fmt::format("scheduler-{}", i + 1));
  }
  if (flags.scheduler_config == kDefaultScheduling) {
    shape->scheduler_config.clear();
  } else {
    const auto text = read_file(flags.scheduler_config);
    if (!text.ok()) return text.status().with_context("--scheduler-config");
    shape->scheduler_config = std::filesystem::absolute(flags.scheduler_config).string();
  }
  if (layout.exists()) stop_daemons(layout, running, std::chrono::seconds(5));
  return {};
}

struct Prepared {
  ClusterShape shape;
  NetworkClaim claim;
};

Result<Prepared> prepare(const Layout& layout, const UpFlags& flags) {
  RETURN_IF_ERROR(layout.create());
  ClusterShape shape;
  std::optional<NetworkClaim> claim;
  if (layout.exists()) {
    ASSIGN_OR_RETURN(shape, layout.load());
    if (flags.nodes > shape.nodes) {  // it learns the number, and a new certificate, when it starts
      stop_daemons(layout, {"kubelet-sim-1"}, std::chrono::seconds(5));
      shape.nodes = flags.nodes;
    }
  } else {
    ASSIGN_OR_RETURN(shape, new_shape(flags));
    ASSIGN_OR_RETURN(claim, NetworkClaim::first_free());
    shape.network_slot = claim->slot();
  }
  if (!flags.runtime.empty() && flags.runtime != shape.runtime) {
    stop_daemons(layout, {"kubelet-sim-1"}, std::chrono::seconds(5));  // it learns it at its start
    shape.runtime = flags.runtime;
  }
  if (!flags.scheduler_config.empty()) RETURN_IF_ERROR(configure_schedulers(layout, flags, &shape));
  if (flags.metrics && shape.metrics_server_port == 0) {
    ASSIGN_OR_RETURN(shape.metrics_server_port, free_port(0));
  }
  if (!claim) claim = NetworkClaim::of(shape.network_slot);
  RETURN_IF_ERROR(make_credentials(layout, shape));
  const std::string endpoints = shape.embedded() ? "" : store_endpoints(shape) + "\n";
  RETURN_IF_ERROR(write_file(layout.path("endpoints"), endpoints));
  RETURN_IF_ERROR(layout.save(shape));
  return Prepared{std::move(shape), std::move(*claim)};
}

// A daemon that should run and does not, with the end of its log; empty if all do.
std::string dead_daemon(const Layout& layout, const std::vector<DaemonCommand>& commands) {
  for (const DaemonCommand& command : commands) {
    if (!running_pid(layout, command.name)) {
      return fmt::format("{} stopped; the end of {}:\n{}", command.name, layout.log(command.name),
                         log_tail(layout, command.name, 5));
    }
  }
  return {};
}

class Launch {
 public:
  Launch(const Layout& layout, const UpFlags& flags, ClusterShape shape)
      : layout_(layout), flags_(flags), shape_(std::move(shape)) {}

  // `claim`: of the cluster's addresses, for as long as its kubelet-sim lives.
  int run(const NetworkClaim& claim) {
    start_ = real_clock().now();
    auto all = daemon_commands(layout_, shape_, program_directory());
    if (claim.fd() >= 0) {
      for (DaemonCommand& command : all) {
        if (!command.name.starts_with("kubelet-sim-")) continue;
        command.inherited_fd = claim.fd();
        command.arguments.insert(command.arguments.end(),
                                 {"--network-claim", std::to_string(claim.fd())});
      }
    }
    // Servers first: who finds no apiserver when it starts tries again only seconds later.
    if (const Status s = start_missing(all, true); !s.ok()) return fail(s.message());
    auto cluster = Cluster::open(layout_);
    if (!cluster.ok()) return fail(cluster.status().message());
    if (!wait_for("apiserver is ready", **cluster, [&] { return (*cluster)->ready(); })) return 1;
    if (const Status s = start_missing(all, false); !s.ok()) return fail(s.message());
    if (const Status s = install_addons(**cluster, shape_, flags_.decisions); !s.ok())
      return fail(s.message());
    console_.step(fmt::format("{} daemons started, {} ran already", started_,
                              all.size() - static_cast<size_t>(started_)),
                  seconds());
    if (!wait_for(fmt::format("{} nodes are Ready", shape_.nodes), **cluster,
                  [&] { return (*cluster)->ready_nodes() >= shape_.nodes; })) {
      return 1;
    }
    // Without it no pod can be made.
    if (!wait_for("the controllers work", **cluster, [&] {
          return (*cluster)->get("/api/v1/namespaces/default/serviceaccounts/default").ok();
        })) {
      return 1;
    }
    if (shape_.metrics_server_port != 0 && !wait_for("metrics.k8s.io is served", **cluster, [&] {
          return (*cluster)->get("/apis/metrics.k8s.io/v1beta1/nodes").ok();
        })) {
      return 1;
    }
    console_.say(fmt::format(
        "\nThe cluster is up: https://127.0.0.1:{}. Use it with:\n"
        "  export KUBECONFIG={}\n  {}/mini-kubectl get nodes",
        shape_.apiserver_ports.front(),
        std::filesystem::absolute(layout_.path("kubeconfig")).lexically_normal().string(),
        std::filesystem::relative(program_directory()).string()));
    return 0;
  }

 private:
  double seconds() const {
    return std::chrono::duration<double>(real_clock().now() - start_).count();
  }

  // Of the servers, or of their clients.
  Status start_missing(const std::vector<DaemonCommand>& all, bool servers) {
    for (const DaemonCommand& command : all) {
      const bool serves =
          command.name.starts_with("kvstore-") || command.name.starts_with("apiserver-");
      if (serves != servers) continue;
      commands_.push_back(command);
      if (running_pid(layout_, command.name)) continue;
      RETURN_IF_ERROR(start_daemon(layout_, command));
      ++started_;
    }
    return {};
  }

  bool wait_for(const std::string& what, Cluster& cluster, const std::function<bool()>& done) {
    std::string dead;
    const bool held = cluster.wait_until(
        [&] {
          console_.progress(fmt::format("waiting: {} ({:.0f} s)", what, seconds()));
          if (done()) return true;
          dead = dead_daemon(layout_, commands_);
          return !dead.empty();
        },
        flags_.timeout);
    if (!dead.empty()) {
      fail(dead);
      return false;
    }
    if (!held) {
      fail(fmt::format("not within {:.0f} s: {}. Look into {}/ and at 'coracle status --dir {}'",
                       std::chrono::duration<double>(flags_.timeout).count(), what,
                       layout_.path("logs"), layout_.dir()));
      return false;
    }
    console_.step(what, seconds());
    return true;
  }

  int fail(const std::string& why) {
    console_.fail("coracle up: " + why);
    return 1;
  }

  const Layout& layout_;
  const UpFlags& flags_;
  ClusterShape shape_;
  std::vector<DaemonCommand> commands_;  // those that should run by now
  int started_ = 0;
  Console console_;
  TimePoint start_;
};

}  // namespace

int run_up(int argc, char** argv) {
  UpFlags values;
  Flags flags("coracle up",
              "Starts a cluster in the background and waits until its nodes are Ready. On a "
              "directory that holds one, starts what is not running; its data is kept.",
              "coracle up\n  coracle up --dir /tmp/class --replicas 5 --nodes 20 --apiservers 2\n"
              "  coracle up --embedded --nodes 1");
  flags.add("--dir", &values.dir, "the lab directory");
  flags.add("--replicas", &values.replicas,
            "store members: 1, 3 or 5; default 3 (fixed when first started)");
  flags.add("--nodes", &values.nodes, "simulated nodes; later calls can add some");
  flags.add("--apiservers", &values.apiservers, "how many (fixed when first started)");
  flags.add("--schedulers", &values.schedulers, "how many, one leads (fixed when first started)");
  flags.add("--controller-managers", &values.controller_managers,
            "how many, one leads (fixed when first started)");
  flags.add("--port", &values.port, "of the first apiserver, else the next free one");
  flags.add("--store", &values.store, "kvstore (ours) or etcd (Debian's etcd-server)")
      .one_of({"kvstore", "etcd"});
  flags.add("--embedded", &values.embedded,
            "one apiserver with the store in its process (fixed when first started)");
  flags
      .add("--runtime", &values.runtime,
           "which containers are processes: scripted (none), auto (those of well-known images, the "
           "default) or process (all); later calls can change it")
      .one_of({"scripted", "auto", "process"});
  flags.add("--load-balancers", &values.load_balancers,
            "Services of type LoadBalancer get addresses, as in a cloud (of a new cluster)");
  flags.add("--decisions", &values.decisions,
            "the scheduler's decisions can be asked for: mini-kubectl why, kubectl get "
            "schedulingdecisions (later calls can add it)");
  flags.add(
      "--scheduler-config", &values.scheduler_config,
      "of the schedulers: a KubeSchedulerConfiguration, or default; later calls can change it, "
      "and start the schedulers again");
  flags.add("--metrics", &values.metrics,
            "a metrics server: kubectl top, autoscalers; later calls can add it");
  flags.add("--store-tls", &values.store_tls,
            "mutual TLS from, to and between store members (fixed when first started)");
  flags.add("--timeout", &values.timeout, "how long to wait for readiness");
  flags.parse(argc, argv);
  if (values.embedded) {
    check_embedded(&values);
  } else if (values.replicas == 0) {
    values.replicas = kReplicas;
  }
  check(values);

  const Layout layout(values.dir);
  auto prepared = prepare(layout, values);
  if (!prepared.ok()) {
    Console().fail("coracle up: " + prepared.status().message());
    return 1;
  }
  return Launch(layout, values, std::move(prepared->shape)).run(prepared->claim);
}

}  // namespace coracle::lab
