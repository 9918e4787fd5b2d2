#include "program/live_cluster.hpp"

#include <csignal>
#include <cstdio>

#include "scenario/fields.hpp"

namespace coracle::sim {
namespace {

constexpr Duration kPatience = std::chrono::seconds(30);  // for the first lists

}  // namespace

void add_live_flags(Flags& flags, LiveFlags* values) {
  flags.add("--kubeconfig", &values->kubeconfig,
            "how to reach the cluster (default: KUBECONFIG, then ~/.kube/config)");
  flags.add("--context", &values->context, "of the kubeconfig");
  flags.add("--for", &values->span, "how long, like 10m (default: until Ctrl-C)");
}

LiveCluster::LiveCluster(const LiveFlags& flags) {
  const auto file = client::Kubeconfig::load_default(flags.kubeconfig);
  if (!file.ok()) fail_startup("--kubeconfig: " + file.status().message());
  client::ConfigOverrides overrides;
  overrides.context = flags.context;
  const auto config = file->resolve(overrides);
  if (!config.ok()) fail_startup("--kubeconfig: " + config.status().message());
  if (config->servers.empty()) {
    fail_startup("--kubeconfig: it names no server; say --kubeconfig FILE or set KUBECONFIG");
  }
  server_ = config->servers.front();
  auto api = client::make_https_api(executor_, {*config, "coracle-sim"});
  if (!api.ok()) fail_startup("--kubeconfig: " + api.status().message());
  api_ = std::move(*api);
  if (flags.span.empty()) return;
  const auto span = parse_span(flags.span);
  if (!span.ok() || *span <= Duration(0)) {
    fail_startup("--for: want a duration like 90s or 10m, not \"" + flags.span + "\"");
  }
  span_ = *span;
}

bool LiveCluster::run(const char* command, const std::function<bool()>& has_synced,
                      const std::function<std::string()>& last_error) {
  for (const int signal : {SIGINT, SIGTERM}) {
    executor_.on_signal(signal, [this] { executor_.stop(); });
  }
  if (span_ > Duration(0)) executor_.after(span_, [this] { executor_.stop(); });
  executor_.after(kPatience, [&] {
    if (!has_synced()) executor_.stop();
  });
  executor_.run();
  if (has_synced()) return true;
  std::fprintf(stderr, "%s: %s does not tell its nodes and pods: %s\n", command, server_.c_str(),
               last_error().c_str());
  return false;
}

}  // namespace coracle::sim
