#include "kubelet_driver/node_pages.hpp"

#include "base/metrics.hpp"
#include "kubelet/node_logs.hpp"
#include "kubelet/usage_pages.hpp"

namespace coracle::kubelet {
namespace {

constexpr char kText[] = "text/plain; version=0.0.4; charset=utf-8";

net::Response json_page(const json::value& value) {
  return net::make_response(200, to_json(value), "application/json");
}

net::Response pod_list(std::vector<json::value> pods, bool running_only) {
  json::array items;
  for (json::value& pod : pods) {
    if (running_only && get_string(pod, "status.phase") != "Running") continue;
    items.push_back(std::move(pod));
  }
  json::object list;
  list["kind"] = "PodList";
  list["apiVersion"] = "v1";
  list["metadata"] = json::object();
  list["items"] = std::move(items);
  return json_page(json::value(std::move(list)));
}

std::string metrics_page(const PodManager& pods, const std::string& node,
                         const RequestCounts& counts) {
  Metrics page;
  page.gauge("kubelet_node_name", "The node's name. It is always 1", {{"node", node}}).set(1);
  std::map<std::string, std::int64_t> containers{{"running", 0}, {"exited", 0}, {"created", 0}};
  std::int64_t running = 0;
  for (const json::value& pod : pods.pods_on(node)) {
    bool any = false;
    for (const char* list : {"status.containerStatuses", "status.initContainerStatuses"}) {
      for (const json::value& c : get_array(pod, list)) {
        const bool runs = coracle::find(c, "state.running") != nullptr;
        const bool over = coracle::find(c, "state.terminated") != nullptr;
        ++containers[runs ? "running" : over ? "exited" : "created"];
        any = any || runs;
      }
    }
    if (any) ++running;
  }
  page.gauge("kubelet_running_pods", "Pods with a running container").set(running);
  for (const auto& [state, n] : containers) {
    page.gauge("kubelet_running_containers", "Containers by state", {{"container_state", state}})
        .set(n);
  }
  for (const auto& [key, n] : counts) {
    page.counter("kubelet_http_requests_total", "Requests to the node's server",
                 {{"method", key.first}, {"path", key.second}, {"server_type", "readwrite"}})
        .add(n);
  }
  return page.render();
}

std::string probes_page(const PodManager& pods, const std::string& node) {
  Metrics page;
  for (const json::value& pod : pods.pods_on(node)) {
    const std::string ns(get_string(pod, "metadata.namespace")),
        name(get_string(pod, "metadata.name")), uid(get_string(pod, "metadata.uid"));
    const PodMachine* const machine = pods.find(ns, name);
    if (machine == nullptr) continue;
    for (const ContainerMachine* c : machine->containers()) {
      for (const ProbeMachine& probe : c->probes()) {
        for (const bool good : {true, false}) {
          if (probe.results(good) == 0) continue;
          page.counter("prober_probe_total", "Probes of containers, by what came of them",
                       {{"container", c->name()},
                        {"namespace", ns},
                        {"pod", name},
                        {"pod_uid", uid},
                        {"probe_type", ProbeMachine::title(probe.kind())},
                        {"result", good ? "successful" : "failed"}})
              .add(probe.results(good));
        }
      }
    }
  }
  return page.render();
}

net::Response logs_page(const PodManager& pods, const std::string& node, std::string_view path) {
  NodeLogs logs;
  for (const json::value& pod : pods.pods_on(node)) {
    const PodMachine* const machine = pods.find(std::string(get_string(pod, "metadata.namespace")),
                                                std::string(get_string(pod, "metadata.name")));
    if (machine != nullptr) add_pod_logs(pod, *machine, &logs);
  }
  LogPage page = log_page(logs, path);
  if (page.status != 301) return net::make_response(page.status, std::move(page.body), page.type);
  net::Response away = net::make_response(301, "", page.type);
  away.headers.set("Location", std::move(page.body));
  return away;
}

json::value config_of(const NodeFacts& facts) {
  json::object c;
  c["enableServer"] = true;
  c["address"] = facts.internal_ip;
  c["port"] = facts.kubelet_port;
  c["authentication"] =
      json::object({{"x509", json::object()},
                    {"webhook", json::object({{"enabled", true}, {"cacheTTL", "2m0s"}})},
                    {"anonymous", json::object({{"enabled", false}})}});
  c["authorization"] = json::object({{"mode", "Webhook"},
                                     {"webhook", json::object({{"cacheAuthorizedTTL", "5m0s"},
                                                               {"cacheUnauthorizedTTL", "30s"}})}});
  c["nodeStatusUpdateFrequency"] = "10s";
  c["nodeStatusReportFrequency"] = "5m0s";
  c["nodeLeaseDurationSeconds"] = 40;
  c["maxPods"] = facts.pods;
  c["kind"] = "KubeletConfiguration";
  c["apiVersion"] = "kubelet.config.k8s.io/v1beta1";
  json::object page;
  page["kubeletconfig"] = std::move(c);
  return json::value(std::move(page));
}

}  // namespace

std::optional<net::Response> node_page(PodManager& pods, const std::string& node,
                                       const net::Request& request, const RequestCounts& counts) {
  std::string_view path = request.path;
  if (path.starts_with("/logs/")) return logs_page(pods, node, path.substr(6));
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/healthz" || path.starts_with("/healthz/")) {
    return net::make_response(200, "ok", "text/plain; charset=utf-8");
  }
  if (path == "/pods") return pod_list(pods.pods_on(node), false);
  if (path == "/runningpods") return pod_list(pods.pods_on(node), true);
  if (path == "/configz") return json_page(config_of(*pods.nodes().find(node)));
  if (path == "/metrics") return net::make_response(200, metrics_page(pods, node, counts), kText);
  if (path == "/metrics/resource") {
    return net::make_response(200, resource_metrics_page(pods.usage(node)), kText);
  }
  if (path == "/metrics/probes") return net::make_response(200, probes_page(pods, node), kText);
  if (path == "/metrics/cadvisor") {
    return net::make_response(200, cadvisor_metrics_page(pods.usage(node)), kText);
  }
  if (path == "/stats/summary") {
    return json_page(
        stats_summary(pods.usage(node), request.query.get("only_cpu_and_memory") == "true"));
  }
  return std::nullopt;
}

}  // namespace coracle::kubelet
