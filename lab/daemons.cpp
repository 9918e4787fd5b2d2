#include "lab/daemons.hpp"

#include <fmt/format.h>

#include "lab/network.hpp"

namespace coracle::lab {
namespace {

// The lab's own, and the drivers behind the classes of course material: volumes are directories.
constexpr char kProvisioners[] =
    "lab.coracle.dev/hostpath,pd.csi.storage.gke.io,ebs.csi.aws.com,disk.csi.azure.com,"
    "cinder.csi.openstack.org,csi.vsphere.vmware.com";

// Upstream's default is 15s; a class waits less.
constexpr char kMetricResolution[] = "5s";

const char* store_scheme(const ClusterShape& shape) { return shape.store_tls ? "https" : "http"; }

std::string join_urls(const std::vector<int>& ports, const char* scheme) {
  std::string text;
  for (const int port : ports) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}://127.0.0.1:{}", scheme, port);
  }
  return text;
}

DaemonCommand store_member(const Layout& layout, const ClusterShape& shape, const std::string& bin,
                           size_t i) {
  const std::string name = fmt::format("kvstore-{}", i + 1);
  const auto url = [&](int port) {
    return fmt::format("{}://127.0.0.1:{}", store_scheme(shape), port);
  };
  std::string cluster;
  for (size_t k = 0; k < shape.store_peer_ports.size(); ++k) {
    if (k > 0) cluster += ',';
    cluster += fmt::format("kvstore-{}={}", k + 1, url(shape.store_peer_ports[k]));
  }
  const std::string client = url(shape.store_client_ports[i]);
  const std::string peer = url(shape.store_peer_ports[i]);
  DaemonCommand command{name,
                        shape.store == "etcd" ? "/usr/bin/etcd" : bin + "/kvstore",
                        {"--name", name, "--data-dir", layout.data(name), "--listen-client-urls",
                         client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                         "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
                         "--initial-cluster-token", shape.cluster_token}};
  if (shape.store_tls) {
    for (const std::string prefix : {"--", "--peer-"}) {
      for (const auto& [flag, file] :
           {std::pair{"cert-file", "store-member.crt"}, std::pair{"key-file", "store-member.key"},
            std::pair{"trusted-ca-file", "store-ca.crt"}}) {
        command.arguments.insert(command.arguments.end(), {prefix + flag, layout.pki(file)});
      }
      command.arguments.push_back(prefix + "client-cert-auth");
    }
  }
  return command;
}

DaemonCommand apiserver(const Layout& layout, const ClusterShape& shape, const std::string& bin,
                        size_t i) {
  DaemonCommand command{fmt::format("apiserver-{}", i + 1),
                        bin + "/apiserver",
                        {shape.embedded() ? "--embedded-store-dir" : "--etcd-servers",
                         shape.embedded() ? layout.data("apiserver-1") : store_endpoints(shape),
                         "--bind-address",
                         "127.0.0.1",
                         "--secure-port",
                         std::to_string(shape.apiserver_ports[i]),
                         "--tls-cert-file",
                         layout.pki("apiserver.crt"),
                         "--tls-private-key-file",
                         layout.pki("apiserver.key"),
                         "--client-ca-file",
                         layout.pki("ca.crt"),
                         "--token-auth-file",
                         layout.pki("tokens.csv"),
                         "--service-account-key-file",
                         layout.pki("sa.pub"),
                         "--service-account-signing-key-file",
                         layout.pki("sa.key"),
                         "--service-account-issuer",
                         "https://kubernetes.default.svc",
                         "--encryption-provider-config",
                         layout.pki("encryption.yaml"),
                         "--kubelet-client-certificate",
                         layout.pki("apiserver-kubelet-client.crt"),
                         "--kubelet-client-key",
                         layout.pki("apiserver-kubelet-client.key"),
                         "--kubelet-certificate-authority",
                         layout.pki("ca.crt"),
                         "--proxy-client-cert-file",
                         layout.pki("front-proxy-client.crt"),
                         "--proxy-client-key-file",
                         layout.pki("front-proxy-client.key"),
                         "--requestheader-client-ca-file",
                         layout.pki("front-proxy-ca.crt"),
                         "--requestheader-allowed-names",
                         "front-proxy-client",
                         "--service-cluster-ip-range",
                         network_ranges(shape.network_slot).services}};
  if (shape.store_tls) {
    command.arguments.insert(
        command.arguments.end(),
        {"--etcd-cafile", layout.pki("store-ca.crt"), "--etcd-certfile",
         layout.pki("store-client.crt"), "--etcd-keyfile", layout.pki("store-client.key")});
  }
  return command;
}

DaemonCommand controller_manager(const Layout& layout, const ClusterShape& shape,
                                 const std::string& bin, size_t i) {
  const std::string name = fmt::format("controller-manager-{}", i + 1);
  DaemonCommand command{
      name,
      bin + "/controller-manager",
      {"--kubeconfig", layout.pki("controller-manager.kubeconfig"), "--master",
       join_urls(shape.apiserver_ports, "https"), "--secure-port",
       std::to_string(shape.controller_manager_ports[i]), "--leader-elect-identity", name,
       "--root-ca-file", layout.pki("ca.crt"), "--volume-provisioners", kProvisioners,
       "--cluster-signing-cert-file", layout.pki("ca.crt"), "--cluster-signing-key-file",
       layout.pki("ca.key"), "--service-account-private-key-file", layout.pki("sa.key")}};
  if (shape.load_balancers) {
    command.arguments.insert(
        command.arguments.end(),
        {"--load-balancer-range", network_ranges(shape.network_slot).load_balancers});
  }
  return command;
}

DaemonCommand metrics_server(const Layout& layout, const ClusterShape& shape,
                             const std::string& bin, const std::string& masters) {
  return {"metrics-server-1",
          bin + "/metrics-server",
          {"--kubeconfig", layout.pki("metrics-server.kubeconfig"), "--master", masters,
           "--secure-port", std::to_string(shape.metrics_server_port), "--tls-cert-file",
           layout.pki("metrics-server-server.crt"), "--tls-private-key-file",
           layout.pki("metrics-server-server.key"), "--kubelet-certificate-authority",
           layout.pki("ca.crt"), "--metric-resolution", kMetricResolution}};
}

}  // namespace

std::string store_endpoints(const ClusterShape& shape) {
  return join_urls(shape.store_client_ports, store_scheme(shape));
}

std::vector<DaemonCommand> daemon_commands(const Layout& layout, const ClusterShape& shape,
                                           const std::string& bin) {
  std::vector<DaemonCommand> commands;
  for (size_t i = 0; i < shape.store_client_ports.size(); ++i) {
    commands.push_back(store_member(layout, shape, bin, i));
  }
  for (size_t i = 0; i < shape.apiserver_ports.size(); ++i) {
    commands.push_back(apiserver(layout, shape, bin, i));
  }
  // The leaders' identities are the daemons' names: scripts find who leads, and one that is started
  // again after a crash takes its Lease back at once.
  const std::string masters = join_urls(shape.apiserver_ports, "https");
  for (size_t i = 0; i < shape.scheduler_ports.size(); ++i) {
    commands.push_back({fmt::format("scheduler-{}", i + 1),
                        bin + "/scheduler",
                        {"--kubeconfig", layout.pki("scheduler.kubeconfig"), "--master", masters,
                         "--secure-port", std::to_string(shape.scheduler_ports[i]),
                         "--leader-elect-identity", fmt::format("scheduler-{}", i + 1),
                         "--requestheader-client-ca-file", layout.pki("front-proxy-ca.crt")}});
    if (shape.scheduler_config.empty()) continue;
    auto& arguments = commands.back().arguments;
    arguments.insert(arguments.end(), {"--config", shape.scheduler_config});
  }
  for (size_t i = 0; i < shape.controller_manager_ports.size(); ++i) {
    commands.push_back(controller_manager(layout, shape, bin, i));
  }
  const NetworkRanges network = network_ranges(shape.network_slot);
  commands.push_back({"kubelet-sim-1",
                      bin + "/kubelet-sim",
                      {"--kubeconfig",
                       layout.pki("kubelet-sim.kubeconfig"),
                       "--master",
                       masters,
                       "--nodes",
                       std::to_string(shape.nodes),
                       "--secure-port",
                       std::to_string(shape.kubelet_sim_port),
                       "--root-dir",
                       layout.data("kubelet-sim-1"),
                       "--pod-manifest-path",
                       layout.path("manifests"),
                       "--tls-cert-file",
                       layout.pki("kubelet-sim-server.crt"),
                       "--tls-private-key-file",
                       layout.pki("kubelet-sim-server.key"),
                       "--client-ca-file",
                       layout.pki("ca.crt"),
                       "--runtime",
                       shape.runtime,
                       "--serve-network",
                       "--pod-range",
                       network.pods,
                       "--cluster-dns",
                       network.dns,
                       "--ingress-address",
                       network.ingress}});
  if (shape.metrics_server_port != 0) {
    commands.push_back(metrics_server(layout, shape, bin, masters));
  }
  return commands;
}

}  // namespace coracle::lab
