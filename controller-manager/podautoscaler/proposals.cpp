#include "podautoscaler/proposals.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "podautoscaler/other_metrics.hpp"

namespace coracle::controllers::autoscaler {
namespace {

struct MetricKind {
  const char *type, *field, *failed_reason;
};
constexpr MetricKind kKinds[] = {
    {"Resource", "resource", "FailedGetResourceMetric"},
    {"ContainerResource", "containerResource", "FailedGetContainerResourceMetric"},
    {"Pods", "pods", "FailedGetPodsMetric"},
    {"Object", "object", "FailedGetObjectMetric"},
    {"External", "external", "FailedGetExternalMetric"},
};

const MetricKind* kind_of(const json::value& spec) {
  for (const MetricKind& kind : kKinds) {
    if (get_string(spec, "type") == kind.type) return &kind;
  }
  return nullptr;
}

struct One {
  Answer answer;
  std::string metric;
  json::value status;
};

// Of one container, or of all.
Samples samples_of(const PodUsages& usages, const std::string& resource,
                   const std::string& container) {
  Samples samples;
  for (const auto& [pod, usage] : usages) {
    std::int64_t sum = 0;
    bool known = false;
    for (const auto& [name, resources] : usage.containers) {
      const auto value = resources.find(resource);
      if ((!container.empty() && name != container) || value == resources.end()) continue;
      sum += value->second;
      known = true;
    }
    if (known) samples[pod] = {sum, usage.at, usage.window};
  }
  return samples;
}

Result<One> by_resource(const json::value& spec, const MetricKind& kind, const std::string& ns,
                        Question question, const MetricsSource& metrics) {
  const json::value source = get_object(spec, kind.field);
  const std::string container(get_string(source, "container"));
  question.resource = get_string(source, "name");
  const json::value* percent = find(source, "target.averageUtilization");
  const auto failed = [&](std::string_view why) {
    return invalid_argument(fmt::format("failed to get {} {}: {}", question.resource,
                                        percent != nullptr ? "utilization" : "usage", why));
  };
  const auto not_there = [&](std::string_view why) {
    return failed(fmt::format("unable to get metrics for resource {}: {}", question.resource, why));
  };
  const auto usages = metrics.pods(ns);
  if (!usages.ok()) {
    return not_there("unable to fetch metrics from resource metrics API: " +
                     usages.status().message());
  }
  Samples samples = samples_of(*usages, question.resource, container);
  if (samples.empty()) return not_there("no metrics returned from resource metrics API");
  One one;
  one.metric = question.resource + (container.empty() ? " resource" : " container resource");
  if (percent != nullptr && percent->is_int64()) {
    one.metric += " utilization (percentage of request)";
    auto answer = by_utilization(question, std::move(samples), container, percent->get_int64());
    if (!answer.ok()) return failed(answer.status().message());
    one.answer = *answer;
  } else {
    const auto target = api::Quantity::parse(get_string(source, "target.averageValue"));
    if (!target.ok() || target->milli_value() <= 0) {
      return invalid_argument(
          "invalid resource metric source: neither an average utilization "
          "target nor an average value target was set");
    }
    auto answer = by_average(question, std::move(samples), target->milli_value());
    if (!answer.ok()) return failed(answer.status().message());
    one.answer = *answer;
  }
  json::object current;
  if (percent != nullptr) current["averageUtilization"] = one.answer.utilization;
  current["averageValue"] = api::Quantity::from_milli(one.answer.average).text();
  json::object shown{{"name", question.resource}};
  if (!container.empty()) shown["container"] = container;
  shown["current"] = std::move(current);
  one.status = json::object({{"type", kind.type}});
  one.status.get_object()[kind.field] = std::move(shown);
  return one;
}

// How a failure of a resource metric reads in the sum of all.
std::string in_sum(const json::value& spec, const MetricKind& kind, std::string_view message) {
  return fmt::format("failed to get {} {} metric value: {}",
                     get_string(get_object(spec, kind.field), "name"),
                     kind.type == std::string_view("Resource") ? "resource" : "container", message);
}

Result<One> ask(const json::value& spec, const MetricKind& kind, const std::string& ns,
                const Question& question, const MetricsSource& metrics, MetricFailure* failure) {
  if (const auto query = query_of(spec, ns, question)) {
    const auto values = metrics.values(*query);
    if (!values) return unavailable("nothing was heard of it yet");
    ASSIGN_OR_RETURN(OtherMetric other, by_other(spec, ns, question, *values, failure));
    return One{other.answer, std::move(other.metric), std::move(other.status)};
  }
  auto one = by_resource(spec, kind, ns, question, metrics);
  if (!one.ok()) {
    *failure = {one.status().message(), in_sum(spec, kind, one.status().message())};
  }
  return one;
}

}  // namespace

bool all_answered(const json::value& autoscaler, const Question& question,
                  const MetricsSource& metrics) {
  bool all = true;  // all are asked for, also behind one that is not known
  for (const json::value& spec : get_array(autoscaler, "spec.metrics")) {
    const auto query = query_of(spec, std::string(api::namespace_of(autoscaler)), question);
    if (query && !metrics.values(*query)) all = false;
  }
  return all;
}

Proposal propose(const json::value& autoscaler, const Question& question,
                 const MetricsSource& metrics) {
  const std::string ns(api::namespace_of(autoscaler));
  const json::array& specs = get_array(autoscaler, "spec.metrics");
  Proposal out;
  size_t failures = 0;
  std::string first_failure, first_in_sum, first_reason;
  for (const json::value& spec : specs) {
    const MetricKind* kind = kind_of(spec);
    Result<One> one = invalid_argument(
        fmt::format("unknown metric source type \"{}\"", get_string(spec, "type")));
    MetricFailure failure{one.status().message(), one.status().message()};
    if (kind != nullptr) one = ask(spec, *kind, ns, question, metrics, &failure);
    if (!one.ok()) {
      const char* reason = kind != nullptr ? kind->failed_reason : "InvalidMetricSourceType";
      out.events.push_back({true, reason, failure.message});
      if (failures++ == 0) {
        first_failure = failure.message;
        first_in_sum = failure.in_sum;
        first_reason = reason;
      }
      out.statuses.push_back(json::object({{"type", ""}}));
      continue;
    }
    out.statuses.push_back(one->status);
    if (one->answer.replicas > out.replicas) {
      out.replicas = one->answer.replicas;
      out.metric = one->metric;
    }
  }
  if (failures > 0) {
    out.events.push_back({true, "FailedComputeMetricsReplicas",
                          fmt::format("invalid metrics ({} invalid out of {}), first error is: {}",
                                      failures, specs.size(), first_in_sum)});
  }
  if (failures >= specs.size() || (failures > 0 && out.replicas < question.current)) {
    out.replicas = -1;
    out.active = false;
    out.reason = first_reason;
    out.message = "the HPA was unable to compute the replica count: " + first_failure;
    return out;
  }
  out.reason = "ValidMetricFound";
  out.message = "the HPA was able to successfully calculate a replica count from " + out.metric;
  return out;
}

}  // namespace coracle::controllers::autoscaler
