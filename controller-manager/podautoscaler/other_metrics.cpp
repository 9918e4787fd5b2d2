#include "podautoscaler/other_metrics.hpp"

#include <fmt/format.h>

#include <cmath>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "client/resource.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::autoscaler {
namespace {

// "Ingress" -> "ingresses": as clients guess the resource of a kind.
std::string plural_of(const std::string& kind) {
  std::string word = to_lower(kind);
  if (word.ends_with("endpoints")) return word;
  if (word.ends_with('s')) return word + "es";
  if (!word.ends_with('y')) return word + "s";
  word.pop_back();
  return word + "ies";
}

std::string selector_text(const json::value* selector) {
  if (selector == nullptr) return {};
  const auto parsed = api::LabelSelector::from_object(selector);
  return parsed.ok() ? parsed->text() : std::string();
}

// A label selector as Go's %+v prints a pointer to one.
std::string go_text(const json::value* selector) {
  if (selector == nullptr || selector->is_null()) return "nil";
  std::string labels, expressions;
  for (const auto& [key, value] : get_object(*selector, "matchLabels")) {
    labels += fmt::format("{}: {},", std::string_view(key), std::string_view(value.get_string()));
  }
  for (const json::value& e : get_array(*selector, "matchExpressions")) {
    std::vector<std::string> values;
    for (const json::value& v : get_array(e, "values")) values.emplace_back(v.get_string());
    expressions += fmt::format("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
                               get_string(e, "key"), get_string(e, "operator"), join(values, " "));
  }
  return fmt::format(
      "&LabelSelector{{MatchLabels:map[string]string{{{}}},"
      "MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
      labels, expressions);
}

std::optional<std::int64_t> milli_at(const json::value& source, const char* path) {
  const json::value* text = find(source, path);
  if (text == nullptr) return std::nullopt;
  const auto quantity =
      api::Quantity::parse(text->is_string() ? std::string(text->get_string()) : to_json(*text));
  if (!quantity.ok() || quantity->milli_value() <= 0) return std::nullopt;
  return quantity->milli_value();
}

std::int64_t rounded_up(double n) { return static_cast<std::int64_t>(std::ceil(n)); }

// Of a metric that is not any pod's: so many that the ratio would be 1.
Result<std::int64_t> by_ratio(const Question& question, double ratio) {
  if (question.current == 0) return rounded_up(ratio);
  if (question.tolerance.holds(ratio)) return question.current;
  if (question.pods.empty()) {
    return invalid_argument(
        "unable to calculate ready pods: no pods returned by selector while calculating replica "
        "count");
  }
  std::int64_t ready = 0;
  for (const client::ObjectPtr& pod : question.pods) {
    const json::value* condition = controllers::condition(*pod, "Ready");
    const bool is = condition != nullptr && get_string(*condition, "status") == "True";
    if (phase_of(*pod) == "Running" && is) ++ready;
  }
  return rounded_up(ratio * static_cast<double>(ready));
}

// So many that each has its share of the value.
std::int64_t by_share(const Question& question, std::int64_t value, std::int64_t share) {
  const double whole = static_cast<double>(value) / static_cast<double>(share);
  const double ratio = whole / static_cast<double>(question.status_replicas);
  return question.tolerance.holds(ratio) ? question.status_replicas : rounded_up(whole);
}

struct Target {
  std::int64_t value = 0;
  bool average = false;
};
std::optional<Target> target_of(const json::value& source) {
  if (const auto average = milli_at(source, "target.averageValue")) return Target{*average, true};
  if (const auto value = milli_at(source, "target.value")) return Target{*value, false};
  return std::nullopt;
}

// Answer and "current" of a sum that is not any pod's.
Result<Answer> by_sum(const Question& question, std::int64_t sum, const Target& target) {
  if (!target.average) {
    ASSIGN_OR_RETURN(
        const std::int64_t replicas,
        by_ratio(question, static_cast<double>(sum) / static_cast<double>(target.value)));
    return Answer{replicas, 0, sum};
  }
  const double pods = static_cast<double>(question.status_replicas);
  return Answer{by_share(question, sum, target.value), 0,
                question.status_replicas == 0 ? sum : rounded_up(static_cast<double>(sum) / pods)};
}

json::object shown_metric(const json::value& source) {
  json::object metric{{"name", get_string(source, "metric.name")}};
  if (const json::value* selector = find(source, "metric.selector")) metric["selector"] = *selector;
  return metric;
}

}  // namespace

std::optional<MetricQuery> query_of(const json::value& spec, const std::string& ns,
                                    const Question& question) {
  const std::string_view type = get_string(spec, "type");
  const json::value source = get_object(spec, type == "Pods"     ? "pods"
                                              : type == "Object" ? "object"
                                                                 : "external");
  const std::string name(get_string(source, "metric.name"));
  const std::string labels = selector_text(find(source, "metric.selector"));
  client::QueryList query;
  if (type == "External") {
    if (!labels.empty()) query.emplace_back("labelSelector", labels);
    return MetricQuery{true, "namespaces/" + ns + "/" + name + client::encode_query(query), name};
  }
  if (!labels.empty()) query.emplace_back("metricLabelSelector", labels);
  if (type == "Pods") {
    if (!question.selector.empty()) query.emplace_back("labelSelector", question.selector);
    return MetricQuery{false, "namespaces/" + ns + "/pods/*/" + name + client::encode_query(query),
                       name};
  }
  if (type != "Object") return std::nullopt;
  const std::string kind(get_string(source, "describedObject.kind"));
  const std::string group(
      api::split_api_version(get_string(source, "describedObject.apiVersion")).group);
  std::string path = "namespaces/" + ns + "/";
  if (kind == "Namespace" && group.empty()) {
    path += "metrics/" + name;  // of the autoscaler's own, whatever is named
  } else {
    path += plural_of(kind) + (group.empty() ? "" : "." + group) + "/" +
            std::string(get_string(source, "describedObject.name")) + "/" + name;
  }
  return MetricQuery{false, path + client::encode_query(query), name};
}

namespace {

Result<OtherMetric> by_pods(const json::value& source, const Question& question,
                            const Result<MetricValues>& values, MetricFailure* failure) {
  const std::string name(get_string(source, "metric.name"));
  const auto failed = [&](std::string message) {
    failure->message = std::move(message);
    failure->in_sum = "failed to get pods metric value: " + failure->message;
    return invalid_argument(failure->message);
  };
  const auto unknown = [&](std::string_view why) {
    return failed(fmt::format("unable to get metric {}: {}", name, why));
  };
  if (!values.ok()) {
    return unknown("unable to fetch metrics from custom metrics API: " + values.status().message());
  }
  if (values->empty()) return unknown("no metrics returned from custom metrics API");
  const auto target = target_of(source);
  if (!target || !target->average) {
    return failed("invalid pods metric source: no average value target was set");
  }
  Samples samples;
  for (const MetricValue& v : *values) samples[v.object] = {v.milli, v.at, v.window};
  if (question.pods.empty()) {
    return failed("no pods returned by selector while calculating replica count");
  }
  auto answer = by_average(question, std::move(samples), target->value);
  if (!answer.ok()) return failed(answer.status().message());
  OtherMetric out{*answer, "pods metric " + name, json::object({{"type", "Pods"}})};
  out.status.get_object()["pods"] = json::object(
      {{"metric", shown_metric(source)},
       {"current",
        json::object({{"averageValue", api::Quantity::from_milli(answer->average).text()}})}});
  return out;
}

}  // namespace

Result<OtherMetric> by_other(const json::value& spec, const std::string& ns,
                             const Question& question, const Result<MetricValues>& values,
                             MetricFailure* failure) {
  const bool external = get_string(spec, "type") == "External";
  if (get_string(spec, "type") == "Pods") {
    return by_pods(get_object(spec, "pods"), question, values, failure);
  }
  const char* kind = external ? "external" : "object";
  const json::value source = get_object(spec, kind);
  const std::string name(get_string(source, "metric.name"));
  const std::string described(get_string(source, "describedObject.kind"));
  const auto target = target_of(source);
  const auto failed = [&](std::string message) {
    failure->message = std::move(message);
    std::string around = failure->message;
    if (target && target->average) {
      around = fmt::format("failed to get {} {} metric: {}", name, kind, around);
    } else if (target && external) {
      around = fmt::format("failed to get external metric {}: {}", name, around);
    }
    failure->in_sum = external
                          ? fmt::format("failed to get {} external metric value: {}", name, around)
                          : "failed to get object metric value: " + around;
    return invalid_argument(failure->message);
  };
  const auto unknown = [&](const std::string& why) {
    if (external) {
      return failed(fmt::format("unable to get external metric {}/{}/{}: {}", ns, name,
                                go_text(find(source, "metric.selector")), why));
    }
    return failed(fmt::format("unable to get metric {}: {} on {} {}/{}", name, described, ns,
                              get_string(source, "describedObject.name"), why));
  };
  if (!target) {
    return failed(fmt::format(
        "invalid {} metric source: neither a value target nor an average value target was set",
        kind));
  }
  if (!values.ok()) {
    return unknown(fmt::format("unable to fetch metrics from {} metrics API: {}",
                               external ? "external" : "custom", values.status().message()));
  }
  if (values->empty()) {
    return unknown(
        fmt::format("no metrics returned from {} metrics API", external ? "external" : "custom"));
  }
  std::int64_t sum = values->front().milli;
  if (external) {
    sum = 0;
    for (const MetricValue& v : *values) sum += v.milli;
  }
  auto answer = by_sum(question, sum, *target);
  if (!answer.ok()) return failed(answer.status().message());
  OtherMetric out;
  out.answer = *answer;
  out.metric = external || target->average ? fmt::format("external metric {}({})", name,
                                                         go_text(find(source, "metric.selector")))
                                           : fmt::format("{} metric {}", described, name);
  json::object shown{{"metric", shown_metric(source)}};
  if (!external) shown["describedObject"] = get_object(source, "describedObject");
  shown["current"] = json::object({{target->average ? "averageValue" : "value",
                                    api::Quantity::from_milli(answer->average).text()}});
  out.status = json::object({{"type", external ? "External" : "Object"}});
  out.status.get_object()[kind] = std::move(shown);
  return out;
}

}  // namespace coracle::controllers::autoscaler
