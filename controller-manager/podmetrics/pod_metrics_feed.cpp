#include "podmetrics/pod_metrics_feed.hpp"

#include "api/object.hpp"
#include "api/quantity.hpp"

namespace coracle::controllers {
namespace {

constexpr char kTarget[] = "/apis/metrics.k8s.io/v1beta1/pods";

}  // namespace

std::map<std::string, PodUsages> read_pod_metrics(const json::value& list) {
  std::map<std::string, PodUsages> all;
  for (const json::value& item : get_array(list, "items")) {
    PodUsage usage;
    const auto at = parse_time(get_string(item, "timestamp"));
    const auto window = parse_duration(get_string(item, "window"));
    if (!at.ok()) continue;
    usage.at = *at;
    if (window.ok()) usage.window = *window;
    for (const json::value& container : get_array(item, "containers")) {
      auto& resources = usage.containers[std::string(get_string(container, "name"))];
      for (const auto& [resource, amount] : get_object(container, "usage")) {
        if (!amount.is_string()) continue;
        const auto quantity = api::Quantity::parse(amount.get_string());
        if (quantity.ok()) resources[std::string(resource)] = quantity->milli_value();
      }
    }
    all[std::string(api::namespace_of(item))][std::string(api::name_of(item))] = std::move(usage);
  }
  return all;
}

void PodMetricsFeed::start() {
  stop();
  alive_ = std::make_shared<bool>(true);
  turn(alive_);
}

void PodMetricsFeed::stop() {
  if (alive_) *alive_ = false;
}

void PodMetricsFeed::turn(const std::shared_ptr<bool>& alive) {
  if (!*alive) return;
  const bool wanted = wanted_();
  executor_.after(wanted ? kPeriod : kNobodyAsks, [this, alive] { turn(alive); });
  if (wanted) spawn<bool>(ask(alive), [](bool) {});
}

Task<bool> PodMetricsFeed::ask(std::shared_ptr<bool> alive) {
  client::ApiRequest request;
  request.target = kTarget;
  request.timeout = kPeriod;
  const auto answer = co_await client::call_json(&api_, std::move(request));
  if (!*alive) co_return false;
  answered_ = true;
  if (answer.ok()) {
    last_ = {};
    usages_ = read_pod_metrics(answer.value());
  } else {
    const std::string tail =
        answer.error().is_not_found() ? " (get pods.metrics.k8s.io)" : std::string();
    last_ = unavailable(answer.error().message + tail);
    usages_.clear();
  }
  co_return true;
}

Result<PodUsages> PodMetricsFeed::pods(const std::string& ns) const {
  if (!last_.ok()) return last_;
  const auto found = usages_.find(ns);
  return found == usages_.end() ? PodUsages() : found->second;
}

}  // namespace coracle::controllers
