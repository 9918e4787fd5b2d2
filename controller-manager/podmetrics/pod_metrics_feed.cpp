#include "podmetrics/pod_metrics_feed.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "api/quantity.hpp"

namespace coracle::controllers {
namespace {

constexpr char kTarget[] = "/apis/metrics.k8s.io/v1beta1/pods";
constexpr char kCustomGroup[] = "/apis/custom.metrics.k8s.io";
constexpr char kNoSuchResource[] = "the server could not find the requested resource";

// As Go clients say it, also where the answer was no Status: nobody serves that group.
std::string in_words(const client::ApiError& error, const std::string& what) {
  const bool nobody =
      error.is_not_found() && (error.status.is_null() || error.message == kNoSuchResource);
  if (!nobody) return error.message;
  return fmt::format("{} (get {}.metrics.k8s.io)", kNoSuchResource, what);
}

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

MetricValues read_metric_values(const json::value& list) {
  MetricValues values;
  for (const json::value& item : get_array(list, "items")) {
    const json::value* amount = find(item, "value");
    if (amount == nullptr) continue;
    const auto quantity = api::Quantity::parse(
        amount->is_string() ? std::string(amount->get_string()) : to_json(*amount));
    if (!quantity.ok()) continue;
    MetricValue value;
    value.object = get_string(item, "describedObject.name");
    value.milli = quantity->milli_value();
    if (const auto at = parse_time(get_string(item, "timestamp")); at.ok()) value.at = *at;
    for (const char* name : {"windowSeconds", "window"}) {
      const std::int64_t seconds = get_int(item, name, -1);
      if (seconds >= 0) value.window = std::chrono::seconds(seconds);
    }
    values.push_back(std::move(value));
  }
  return values;
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
  if (!wanted) return;
  spawn<bool>(ask(alive), [](bool) {});
  std::erase_if(queries_, [&](const auto& entry) {
    return executor_.now() - entry.second.asked_for > 2 * kPeriod;
  });
  std::vector<MetricQuery> all;
  for (const auto& [query, known] : queries_) all.push_back(query);
  for (const MetricQuery& query : all) spawn<bool>(ask_values(alive, query), [](bool) {});
}

std::optional<Result<MetricValues>> PodMetricsFeed::values(const MetricQuery& query) const {
  auto found = queries_.find(query);
  if (found == queries_.end()) {
    if (queries_.size() >= kQueriesMax) {
      return Result<MetricValues>(
          Status(Code::kResourceExhausted, "too many metrics are asked for"));
    }
    found = queries_.emplace(query, Wanted()).first;
    executor_.post([self = const_cast<PodMetricsFeed*>(this), alive = alive_, query] {
      if (alive && *alive) spawn<bool>(self->ask_values(alive, query), [](bool) {});
    });
  }
  found->second.asked_for = executor_.now();
  return found->second.last;
}

// The path of the API that serves such metrics, in the best version it has.
Task<Result<std::string>> PodMetricsFeed::root_of(bool external) {
  if (external) co_return std::string("/apis/external.metrics.k8s.io/v1beta1/");
  client::ApiRequest request;
  request.target = kCustomGroup;
  request.timeout = kPeriod;
  const auto group = co_await client::call_json(&api_, std::move(request));
  if (!group.ok() && !group.error().is_not_found()) co_return unavailable(group.error().message);
  if (group.ok()) {
    for (const char* version : {"v1beta2", "v1beta1"}) {
      for (const json::value& served : get_array(group.value(), "versions")) {
        if (get_string(served, "version") != version) continue;
        co_return std::string(kCustomGroup) + "/" + version + "/";
      }
    }
  }
  co_return unavailable("no custom metrics API (custom.metrics.k8s.io) registered");
}

Task<bool> PodMetricsFeed::ask_values(std::shared_ptr<bool> alive, MetricQuery query) {
  Result<MetricValues> outcome = MetricValues();
  const auto root = co_await root_of(query.external);
  if (!*alive) co_return false;
  if (!root.ok()) {
    outcome = root.status();
  } else {
    client::ApiRequest request;
    request.target = *root + query.path;
    request.timeout = kPeriod;
    const auto answer = co_await client::call_json(&api_, std::move(request));
    if (!*alive) co_return false;
    if (answer.ok()) {
      outcome = read_metric_values(answer.value());
    } else {
      outcome = unavailable(query.external ? in_words(answer.error(), query.name + ".external")
                                           : answer.error().message);
    }
  }
  if (const auto known = queries_.find(query); known != queries_.end()) {
    known->second.last = std::move(outcome);
  }
  co_return true;
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
    last_ = unavailable(in_words(answer.error(), "pods"));
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
