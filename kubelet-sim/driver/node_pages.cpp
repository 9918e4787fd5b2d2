#include "kubelet_driver/node_pages.hpp"

#include "base/metrics.hpp"
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
