// metrics-server: an aggregated API server for metrics.k8s.io, which asks the kubelets.
#include <signal.h>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "client/daemon_flags.hpp"
#include "client/https_api.hpp"
#include "client/informer.hpp"
#include "metrics_driver/api_server.hpp"
#include "metrics_driver/scraper.hpp"

namespace {

using namespace coracle;

constexpr Duration kPatience = std::chrono::minutes(1);

struct Options {
  client::DaemonFlags daemon;
  std::string cert_file, key_file, kubelet_ca_file;
  bool kubelet_insecure = false;
  Duration resolution = std::chrono::seconds(15);
};

Options parse(int argc, char** argv) {
  Options o;
  Flags flags("metrics-server", "Serves metrics.k8s.io: what nodes and pods use.",
              "metrics-server --kubeconfig metrics-server.kubeconfig --secure-port 10250");
  client::add_daemon_flags(flags, &o.daemon, "", 10250);
  flags.add("--tls-cert-file", &o.cert_file, "server certificate");
  flags.add("--tls-private-key-file", &o.key_file, "its key");
  flags.add("--kubelet-certificate-authority", &o.kubelet_ca_file,
            "CA of the kubelets' certificates");
  flags.add("--kubelet-insecure-tls", &o.kubelet_insecure, "believe any certificate of a kubelet");
  flags.add("--metric-resolution", &o.resolution, "how often the kubelets are asked");
  flags.parse(argc, argv);
  client::finish_daemon_flags(o.daemon, "metrics-server");
  if (o.resolution < std::chrono::seconds(1)) {
    fail_startup("--metric-resolution: must be at least 1s");
  }
  return o;
}

// Whether a container of the pod may have been measured, and what the API needs of it.
void keep_little(json::value& object) {
  json::value little = json::object();
  for (const char* path : {"apiVersion", "kind", "metadata.name", "metadata.namespace",
                           "metadata.uid", "metadata.resourceVersion", "metadata.labels",
                           "status.phase", "status.addresses", "status.daemonEndpoints"}) {
    if (const json::value* value = find(object, path)) set_path(little, path, *value);
  }
  object = std::move(little);
}

net::ClientConfig kubelet_config(const Options& options, const client::ClientConfig& own) {
  net::ClientConfig config;
  config.cert_pem = own.cert_pem;
  config.key_pem = own.key_pem;
  config.bearer_token = own.token;
  config.insecure_skip_verify = options.kubelet_insecure;
  if (!options.kubelet_ca_file.empty()) {
    config.ca_pem = read_flag_file("--kubelet-certificate-authority", options.kubelet_ca_file);
  }
  config.user_agent = "metrics-server";
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  net::AsioExecutor executor;
  Rng rng(secure_random_seed());
  const auto config = client::client_config_or_die(options.daemon);
  auto api = client::make_https_api(executor, {config, "metrics-server"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  const auto proxy =
      net::block_on(executor, metrics::fetch_front_proxy(executor, **api, kPatience));
  if (!proxy.ok()) fail_startup(proxy.status().message());

  client::Informer nodes(executor, **api, rng.split(),
                         {.gvr = {"", "v1", "nodes", false}, .transform = keep_little});
  client::Informer pods(executor, **api, rng.split(),
                        {.gvr = {"", "v1", "pods", true}, .transform = keep_little});
  Metrics page;
  metrics::UsageStore usage(options.resolution);
  metrics::Scraper scraper(executor, nodes.cache(), usage, page,
                           {options.resolution, kubelet_config(options, config)});
  const metrics::MetricsApi metrics_api(nodes.cache(), pods.cache(), usage);
  metrics::DelegatedAuth auth(executor, **api, *proxy);
  metrics::ApiServer server(executor, metrics_api, auth, page, [&]() -> std::string {
    if (!nodes.has_synced() || !pods.has_synced()) return "nodes and pods are not known yet\n";
    return usage.ready() ? "" : "no metrics to serve yet\n";
  });
  net::Server::Options listen;
  listen.address = options.daemon.bind_address;
  listen.port = static_cast<std::uint16_t>(options.daemon.secure_port);
  listen.tls =
      net::TlsConfig{read_flag_file("--tls-cert-file", options.cert_file),
                     read_flag_file("--tls-private-key-file", options.key_file), proxy->ca_pem};
  const Status listening = server.listen(std::move(listen));
  if (!listening.ok()) fail_startup("--secure-port: " + listening.message());
  nodes.start();
  pods.start();
  nodes.when_synced([&] { scraper.start(); });
  for (const int signal : {SIGTERM, SIGINT}) {
    executor.on_signal(signal, [&] { executor.stop(); });
  }
  executor.run();
  pods.stop();
  nodes.stop();
  return 0;
}
