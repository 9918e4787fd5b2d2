// kubelet-sim: simulated nodes of a cluster, thousands in one process.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client_https/health_server.hpp"
#include "kubelet_driver/device_publisher.hpp"
#include "kubelet_driver/fault_keeper.hpp"
#include "kubelet_driver/join.hpp"
#include "kubelet_driver/kubelet_server.hpp"
#include "kubelet_driver/manifest_folder.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/node_keeper.hpp"
#include "kubelet_driver/pod_manager.hpp"
#include "kubelet_driver/pod_streams.hpp"
#include "kubelet_driver/serving_certificate.hpp"
#include "net/asio_executor.hpp"
#include "net/strand_lag.hpp"
#include "network/cut_offs.hpp"
#include "network_live/cluster_network.hpp"
#include "network_live/policy_guard.hpp"

namespace {

using namespace coracle;

struct Options {
  client::DaemonFlags daemon;
  int nodes = 1, first_node = 1;
  std::string node_prefix = "node-";
  std::string node_range = "127.32.0.0";
  kubelet::PodManagerOptions pods{.range_start = "127.128.0.0"};
  std::string image_catalog, root_dir, manifests, node_devices;
  kubelet::ShutdownGrace shutdown;
  std::string cert_file, key_file, client_ca_file;
  kubelet::NodeFacts facts;
  bool serve_network = false;
  std::string cluster_dns, cluster_domain = "cluster.local", ingress_address;
  int network_claim = -1;
  std::string runtime = "auto", lab_image, busybox = "/usr/bin/busybox";
  kubelet::JoinFlags join;
};

constexpr Duration kHeartbeatTimeout = std::chrono::seconds(10);  // upstream's

// Of the machine's users that stand for those in the containers that root starts: above all that
// people and services have.
constexpr std::int64_t kFirstOutsideId = 1'000'000'000, kOutsideIds = 65'536;

std::string address_of(const Options& options, int ordinal) {
  in_addr base{};
  if (inet_pton(AF_INET, options.node_range.c_str(), &base) != 1) {
    fail_startup(fmt::format("--node-range: \"{}\" is not an IPv4 address", options.node_range));
  }
  const unsigned a = ntohl(base.s_addr) + static_cast<unsigned>(ordinal);
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

void add_flags(Flags& flags, Options* o) {
  client::add_daemon_flags(flags, &o->daemon, "", 0);
  flags.add("--nodes", &o->nodes, "how many nodes this process simulates");
  flags.add("--first-node", &o->first_node, "number of the first one");
  flags.add("--node-prefix", &o->node_prefix, "a node's name is this and its number");
  flags.add("--node-range", &o->node_range, "node N gets the N-th address after this");
  flags.add("--pod-range", &o->pods.range_start, "pods get addresses after this");
  flags.add("--node-cpu", &o->facts.cpu, "CPUs of a node, a quantity");
  flags.add("--node-memory", &o->facts.memory, "memory of a node, a quantity");
  flags.add("--node-storage", &o->facts.ephemeral_storage, "ephemeral storage of a node");
  flags.add("--node-pods", &o->facts.pods, "most pods on a node");
  flags.add("--node-devices", &o->node_devices,
            "devices of every node without annotation lab.coracle.dev/devices, in its words");
  flags.add("--image-catalog", &o->image_catalog, "YAML: how further images behave");
  flags.add("--pod-manifest-path", &o->manifests,
            "folder of static pods: *.yaml, or NODE/*.yaml where there are several nodes");
  flags.add("--shutdown-grace-period", &o->shutdown.all, "how long pods have when a node goes");
  flags.add("--shutdown-grace-period-critical-pods", &o->shutdown.critical,
            "the part of it that is the critical pods'");
  flags.add("--root-dir", &o->root_dir, "where the node's files are");
  flags.add("--tls-cert-file", &o->cert_file, "server certificate for the nodes' addresses");
  flags.add("--tls-private-key-file", &o->key_file, "its key");
  flags.add("--client-ca-file", &o->client_ca_file,
            "who may use the nodes' servers: certificates of this CA");
  flags
      .add("--runtime", &o->runtime,
           "which containers are processes: none (scripted), those whose image or command is known "
           "(auto), all (process)")
      .one_of({"scripted", "auto", "process"});
  flags.add("--lab-image", &o->lab_image, "the program that starts containers and plays images");
  flags.add("--busybox", &o->busybox, "a static busybox: the containers' commands");
  flags.add("--serve-network", &o->serve_network,
            "carry the traffic of Services, and answer DNS on --cluster-dns");
  flags.add("--cluster-dns", &o->cluster_dns, "address of the cluster's DNS");
  flags.add("--cluster-domain", &o->cluster_domain, "the zone of the cluster's names");
  flags.add("--ingress-address", &o->ingress_address,
            "with --serve-network: where Ingresses are answered, on ports 80 and 443");
  flags.add("--network-claim", &o->network_claim,
            "a descriptor to keep: the claim of this lab's addresses");
  kubelet::add_join_flags(flags, &o->join);
}

kubelet::ImageCatalog images_of(const Options& options) {
  kubelet::ImageCatalog catalog = kubelet::ImageCatalog::builtin();
  if (options.image_catalog.empty()) return catalog;
  const Status added = catalog.add(read_flag_file("--image-catalog", options.image_catalog));
  if (!added.ok()) {
    fail_startup(fmt::format("--image-catalog {}: {}", options.image_catalog, added.message()));
  }
  return catalog;
}

std::vector<kubelet::DeviceSet> devices_of(const Options& options) {
  auto sets = kubelet::parse_device_sets(options.node_devices);
  if (!sets.ok()) fail_startup("--node-devices: " + sets.status().message());
  return *std::move(sets);
}

// Each container takes a handful of descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Null: containers are scripted, and the log says why unless that was asked for.
std::unique_ptr<kubelet::ProcessRuntime> make_runtime(net::AsioExecutor& executor, Options* options,
                                                      kubelet::AskRoute route) {
  if (options->runtime == "scripted") return nullptr;
  const auto without = [&](const std::string& why) {
    if (options->runtime == "process") fail_startup("--runtime process: " + why);
    log::warn("all containers are scripted: {}", why);
    return nullptr;
  };
  if (options->root_dir.empty()) return without("there is no --root-dir");
  std::error_code error;
  options->root_dir = std::filesystem::absolute(options->root_dir, error);
  std::filesystem::create_directories(options->root_dir, error);
  if (options->lab_image.empty()) {
    options->lab_image =
        std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "lab-image";
  }
  raise_descriptor_limit();
  kubelet::RuntimeOptions runtime{options->root_dir, options->lab_image, options->busybox};
  runtime.route = std::move(route);
  if (geteuid() == 0) {
    runtime.first_outside_id = kFirstOutsideId;
    runtime.outside_ids = kOutsideIds;
  }
  auto made = kubelet::ProcessRuntime::create(executor, std::move(runtime));
  if (!made.ok()) return without(made.status().message());
  return std::move(*made);
}

kubelet::RunnerOptions runner_options(const Options& options, const network::CutOffs& cut_offs) {
  kubelet::RunnerOptions runner;
  runner.mode = options.runtime == "scripted"  ? kubelet::RuntimeMode::kScripted
                : options.runtime == "process" ? kubelet::RuntimeMode::kProcess
                                               : kubelet::RuntimeMode::kAuto;
  runner.root_dir = options.root_dir;
  if (!options.cluster_dns.empty()) runner.dns.address = options.cluster_dns;
  runner.dns.domain = options.cluster_domain;
  runner.dns.host_resolv_conf = kubelet::read_start("/etc/resolv.conf", 64u << 10);
  runner.arrives = [&cut_offs](const std::string& from, const std::string& to) {
    return cut_offs.passes(from, to);
  };
  return runner;
}

// The nodes with their servers' ports; without TLS files there are no servers.
std::vector<kubelet::NodeFacts> make_nodes(const Options& options, kubelet::KubeletServer* server) {
  std::vector<kubelet::NodeFacts> nodes;
  for (int i = options.first_node; i < options.first_node + options.nodes; ++i) {
    kubelet::NodeFacts facts = options.facts;
    facts.name = options.join.node_name.empty() ? options.node_prefix + std::to_string(i)
                                                : options.join.node_name;
    facts.internal_ip = address_of(options, i);
    if (server != nullptr) {
      const auto port = server->listen(facts.internal_ip, facts.name);
      if (!port.ok()) fail_startup(fmt::format("--node-range: {}", port.status().message()));
      facts.kubelet_port = *port;
    }
    nodes.push_back(std::move(facts));
  }
  return nodes;
}

// Services and DNS, where this process carries them, NetworkPolicies and cut off nodes in any case.
struct Network {
  network::CutOffs cut_offs;
  network::PolicyGuard guard;
  std::unique_ptr<network::ClusterNetwork> cluster;
  const kubelet::NodeAgent& nodes;
  const kubelet::PodManager* pods = nullptr;  // from before start()

  Network(net::AsioExecutor& executor, client::Api& api, Rng& rng, const Options& o,
          const kubelet::NodeAgent& agent)
      : cut_offs([this](const std::string& address) { return node_of(address); }),
        guard(executor, api, rng.split(), o.cluster_dns),
        nodes(agent) {
    guard.ask_first([this](const std::string& from, const std::string& to) {
      return cut_offs.passes(from, to);
    });
    if (!o.serve_network) return;
    cluster = std::make_unique<network::ClusterNetwork>(
        executor, api, rng.split(),
        network::ClusterNetwork::Options{o.cluster_dns, o.cluster_domain, o.ingress_address},
        guard);
  }

  kubelet::AskRoute asker() {
    return [this](const kubelet::RouteAsked& asked) { return route(asked); };
  }
  kubelet::KubeletServer::ExplainPolicy explainer() const {
    return [this](const net::Query& asked) { return guard.explain(asked); };
  }
  kubelet::Route route(const kubelet::RouteAsked& asked) {
    const network::Flow flow{asked.from, asked.to, asked.port,
                             asked.udp ? network::Transport::kUdp : network::Transport::kTcp};
    if (cluster) return cluster->route(flow);
    return {!guard.may(flow), asked.port};
  }
  // Pods of ours; nodes, and pods of other processes' nodes as far as they serve.
  std::string node_of(const std::string& address) const {
    std::string node = pods->node_of_address(address);
    if (node.empty()) node = nodes.node_of_address(address);
    return node.empty() && cluster ? cluster->node_of_endpoint(address) : node;
  }
  void start() {
    guard.start();
    if (cluster) cluster->start();
  }
  void stop() {
    if (cluster) cluster->stop();
    guard.stop();
  }
};

// Null: the nodes have none.
std::unique_ptr<kubelet::KubeletServer> make_server(net::AsioExecutor& executor, const Options& o,
                                                    const std::string& client_ca) {
  net::TlsConfig tls{.client_ca_pem = client_ca};
  if (!o.cert_file.empty()) {
    tls.cert_pem = read_flag_file("--tls-cert-file", o.cert_file);
    tls.key_pem = read_flag_file("--tls-private-key-file", o.key_file);
  } else if (o.join.wanted()) {
    const auto pair =
        kubelet::self_signed(o.join.node_name, address_of(o, o.first_node), executor.wall_now());
    if (!pair.ok()) fail_startup("--join: " + pair.status().message());
    tls.cert_pem = pair->cert_pem;
    tls.key_pem = pair->key_pem;
  } else {
    return nullptr;
  }
  auto server = kubelet::KubeletServer::create(executor, std::move(tls));
  if (!server.ok()) fail_startup("--tls-cert-file: " + server.status().message());
  return std::move(*server);
}

kubelet::FaultKeeper::Hooks fault_hooks(network::CutOffs& cut_offs,
                                        kubelet::KubeletServer* server) {
  return {[&cut_offs](const std::string& node, bool cut) { cut_offs.set(node, cut); },
          [server](const std::string& node, bool reachable) {
            if (server != nullptr) server->set_reachable(node, reachable);
          },
          [server](const std::string& node, Duration lag) {
            if (server != nullptr) server->set_lag(node, lag);
          }};
}

// Who may ask the nodes' servers: a node that has joined believes its cluster's CA.
std::string client_ca_of(const Options& o, const client::ClientConfig& config) {
  if (!o.client_ca_file.empty()) return read_flag_file("--client-ca-file", o.client_ca_file);
  return o.join.wanted() ? config.ca_pem : std::string();
}

// Of a joined node's server. Null: it keeps the one it signed itself.
std::shared_ptr<kubelet::ServingCertificate> keep_serving(net::AsioExecutor& executor,
                                                          kubelet::KubeletServer& server, Rng rng,
                                                          const Options& o,
                                                          const client::ClientConfig& config) {
  if (!o.join.rotate_server) return nullptr;
  auto serving = std::make_shared<kubelet::ServingCertificate>(executor, server, std::move(rng));
  serving->keep(config, o.join.node_name, address_of(o, o.first_node));
  return serving;
}

// Null: one node's requests are never so many that its heartbeats would wait behind them.
std::unique_ptr<client::HttpsApi> heartbeat_api(net::AsioExecutor& executor, const Options& o,
                                                const client::ClientConfig& config) {
  if (o.nodes == 1) return nullptr;
  auto made = client::make_https_api(executor, {config, "kubelet", kHeartbeatTimeout});
  if (!made.ok()) fail_startup("--kubeconfig: " + made.status().message());
  return std::move(*made);
}

void add_metrics(Metrics& metrics, net::AsioExecutor& executor, const kubelet::PodManager& pods,
                 const Network& network) {
  net::measure_lag(executor, metrics);
  metrics.gauge_function("kubelet_running_pods", "Pods with a worker.",
                         [&pods] { return static_cast<double>(pods.running()); });
  if (!network.cluster) return;
  metrics.gauge_function(
      "kubeproxy_connections", "TCP connections to Services under way.",
      [&proxy = network.cluster->proxy()] { return static_cast<double>(proxy.connections()); });
}

// Null: it was not asked for.
std::unique_ptr<net::Server> serve_health(net::AsioExecutor& executor, const Options& o,
                                          const std::string& client_ca,
                                          const kubelet::PodManager& pods, Metrics* metrics) {
  if (o.daemon.secure_port == 0) return nullptr;
  auto server =
      client::serve_health(executor, {o.daemon.bind_address, o.daemon.secure_port, client_ca,
                                      [&pods] { return pods.has_synced(); }, metrics});
  if (!server.ok()) fail_startup("--secure-port: " + server.status().message());
  return std::move(*server);
}

void finish(Options* o) {
  client::finish_daemon_flags(o->daemon, "kubelet-sim");
  if (o->nodes < 1) fail_startup("--nodes: must be at least 1");
  if (o->join.wanted() && o->nodes != 1) fail_startup("--join: one node joins at a time");
  if (o->join.node_name.empty() && o->join.wanted()) {
    o->join.node_name = o->node_prefix + std::to_string(o->first_node);
  }
  // Held, not used; not for the processes of containers.
  if (o->network_claim >= 0) fcntl(o->network_claim, F_SETFD, FD_CLOEXEC);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  Flags flags("kubelet-sim", "Simulated nodes: they register, run pods by script, and serve logs.",
              "kubelet-sim --kubeconfig kubelet.kubeconfig --nodes 100");
  add_flags(flags, &options);
  flags.parse(argc, argv);
  finish(&options);

  net::AsioExecutor executor;
  Rng rng(secure_random_seed());
  std::optional<kubelet::Membership> membership;
  if (options.join.wanted()) {
    membership = kubelet::Membership::join_or_die(executor, options.join, options.root_dir);
  }
  const auto config =
      membership ? membership->config() : client::client_config_or_die(options.daemon);
  auto api = client::make_https_api(executor, {config, "kubelet"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  const auto heartbeats = heartbeat_api(executor, options, config);

  const std::string client_ca = client_ca_of(options, config);
  const auto server = make_server(executor, options, client_ca);
  kubelet::NodeAgent nodes(executor, **api, rng.split(), make_nodes(options, server.get()));
  if (heartbeats) nodes.use_for_heartbeats(*heartbeats);
  const auto images = images_of(options);
  Network network(executor, **api, rng, options, nodes);
  auto runtime = make_runtime(executor, &options, network.asker());
  kubelet::PodRunner runner(executor, **api, images, runner_options(options, network.cut_offs),
                            std::move(runtime));
  kubelet::PodManager pods(executor, **api, rng.split(), nodes, images, runner, options.pods);
  network.pods = &pods;
  kubelet::DevicePublisher devices(executor, **api, nodes, devices_of(options));
  kubelet::NodeKeeper keeper(executor, **api, nodes, pods, options.shutdown);
  const kubelet::FaultKeeper faults(executor, **api, nodes, pods,
                                    fault_hooks(network.cut_offs, server.get()));
  kubelet::ManifestFolder manifests(executor, pods, options.manifests);
  kubelet::PodStreams streams(pods);
  kubelet::KubeletAuth auth(executor, **api);
  if (server) {
    server->serve(&pods, &streams, &auth);
    server->explain_policy(network.explainer());
  }

  Metrics metrics;
  add_metrics(metrics, executor, pods, network);
  const auto health = serve_health(executor, options, client_ca, pods, &metrics);
  network.start();
  if (membership) membership->keep(executor, **api, rng.split());
  const auto serving = membership && server
                           ? keep_serving(executor, *server, rng.split(), options, config)
                           : nullptr;
  nodes.start();
  pods.start();
  if (!options.manifests.empty()) manifests.start();
  keeper.start();
  devices.start();
  log::info("simulating {} nodes", options.nodes);
  for (const int signal : {SIGTERM, SIGINT}) {
    executor.on_signal(signal, [&] { executor.stop(); });
  }
  executor.run();
  network.stop();
  devices.stop();
  pods.stop();
  nodes.stop();
  return 0;
}
