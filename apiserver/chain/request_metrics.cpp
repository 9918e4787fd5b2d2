#include "apiserver/chain/request_metrics.hpp"

#include <algorithm>
#include <cctype>

#include "apiserver/chain/deadlines.hpp"

namespace coracle::apiserver {
namespace {

constexpr char kInFlight[] = "apiserver_current_inflight_requests";
constexpr char kInFlightHelp[] = "Requests under way, but for watches and other long ones";

bool is_read(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// As upstream prints verbs: a method, or what a GET means.
std::string verb_of(const net::Request& request, const RequestInfo& info) {
  if (info.is_resource) {
    if (info.verb == "list") return "LIST";
    if (info.verb == "watch") return "WATCH";
    if (info.verb == "deletecollection") return "DELETECOLLECTION";
    const std::string_view body = request.headers.get("Content-Type");
    if (info.verb == "patch" && body.starts_with("application/apply-patch")) return "APPLY";
    for (const char* stream : {"exec", "attach", "portforward", "proxy", "log"}) {
      if (info.subresource == stream) return "CONNECT";
    }
  }
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}) {
    if (request.method == method) return method;
  }
  return "other";
}

std::string scope_of(const RequestInfo& info) {
  if (!info.is_resource) return "";
  if (!info.name.empty() || info.verb == "create") return "resource";
  return info.ns.empty() ? "cluster" : "namespace";
}

}  // namespace

RequestMetrics::RequestMetrics(Metrics& metrics, const api::Catalog& catalog)
    : metrics_(metrics),
      catalog_(catalog),
      mutating_(metrics.gauge(kInFlight, kInFlightHelp, {{"request_kind", "mutating"}})),
      read_only_(metrics.gauge(kInFlight, kInFlightHelp, {{"request_kind", "readOnly"}})) {}

std::shared_ptr<void> RequestMetrics::begin(const net::Request& request, const RequestInfo& info) {
  if (is_long_running(info)) return nullptr;
  Gauge* gauge = is_read(request.method) ? &read_only_ : &mutating_;
  gauge->add(1);
  return std::shared_ptr<void>(gauge, [](void* p) { static_cast<Gauge*>(p)->add(-1); });
}

RequestMetrics::Kind RequestMetrics::kind_of(const net::Request& request,
                                             const RequestInfo& info) const {
  const api::ResourceInfo* known =
      info.is_resource ? catalog_.find(info.group, info.version, info.resource) : nullptr;
  if (known == nullptr) return {verb_of(request, {}), "", "", "", "", ""};
  const bool part = known->subresource(info.subresource) != nullptr;
  return {verb_of(request, info),       info.group,    info.version, info.resource,
          part ? info.subresource : "", scope_of(info)};
}

void RequestMetrics::observe(const net::Request& request, const RequestInfo& info, int code,
                             Duration took) {
  const Kind kind = kind_of(request, info);
  Series& series = series_[kind];
  const auto labels = [&](const char* last, std::string value) {
    const auto& [verb, group, version, resource, subresource, scope] = kind;
    MetricLabels all;
    if (last != nullptr) all.emplace_back(last, std::move(value));
    for (const auto& [name, text] :
         {std::pair{"component", std::string("apiserver")}, std::pair{"group", group},
          std::pair{"resource", resource}, std::pair{"scope", scope},
          std::pair{"subresource", subresource}, std::pair{"verb", verb},
          std::pair{"version", version}}) {
      all.emplace_back(name, text);
    }
    return all;
  };
  if (series.latency == nullptr) {
    series.latency = &metrics_.histogram("apiserver_request_duration_seconds",
                                         "Time from a request to its answer", labels(nullptr, ""));
  }
  Counter*& count = series.by_code[code];
  if (count == nullptr) {
    count = &metrics_.counter("apiserver_request_total", "Requests by what they asked and got",
                              labels("code", std::to_string(code)));
  }
  series.latency->observe(std::chrono::duration<double>(took).count());
  count->add();
}

void RequestMetrics::count_objects(const StoreFeed& feed) const {
  for (const api::ResourceInfo* info : catalog_.all_resources()) {
    const ResourceCache* cache = info->storage ? feed.cache(info->storage_prefix) : nullptr;
    if (cache == nullptr) continue;
    const std::string name = info->plural + (info->group.empty() ? "" : "." + info->group);
    metrics_
        .gauge("apiserver_storage_objects", "Objects in the store by resource",
               {{"resource", name}})
        .set(static_cast<std::int64_t>(cache->size()));
  }
}

}  // namespace coracle::apiserver
