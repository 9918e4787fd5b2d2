#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "scenario/plan.hpp"
#include "trace/fields.hpp"

namespace coracle::sim {
namespace {

constexpr double kDay = 86400;

double in_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

Duration seconds(double s) {
  // To the microsecond, as traces have it.
  return std::chrono::microseconds(std::llround(std::min(s, in_seconds(kLatest)) * 1e6));
}

// cpu to the millicore, memory and disk to the Mi when they are so large, others whole.
std::string amount_text(const std::string& resource, double amount) {
  if (resource == "cpu") {
    const auto milli = std::llround(amount * 1000);
    return milli % 1000 == 0 ? std::to_string(milli / 1000) : fmt::format("{}m", milli);
  }
  constexpr double kMi = 1024.0 * 1024.0;
  const bool bytes = resource == "memory" || resource == "ephemeral-storage";
  if (bytes && amount >= kMi) return fmt::format("{}Mi", std::llround(amount / kMi));
  return std::to_string(std::llround(amount));
}

json::object pod_template(const GeneratorSpec& spec, const std::string& owner,
                          const json::object& requests, std::int64_t priority) {
  json::object pod_spec = spec.spec;
  if (!pod_spec.contains("containers")) pod_spec["containers"] = main_container(requests);
  if (spec.priority) pod_spec["priority"] = priority;
  if ((owner == "Job" || owner == "Pod") && !pod_spec.contains("restartPolicy")) {
    pod_spec["restartPolicy"] = "Never";
  }
  json::object meta;
  meta["labels"] = spec.labels;
  if (!spec.annotations.empty()) meta["annotations"] = spec.annotations;
  return {{"metadata", std::move(meta)}, {"spec", std::move(pod_spec)}};
}

json::object workload_object(const std::string& owner, json::object pod, std::int64_t replicas) {
  json::object object, spec;
  object["apiVersion"] = owner == "Job" ? "batch/v1" : "apps/v1";
  object["kind"] = owner;
  if (owner == "Job") {
    spec["completions"] = replicas;
    spec["parallelism"] = replicas;
    spec["backoffLimit"] = 6;
  } else {
    spec["replicas"] = replicas;
    spec["selector"] = json::object{{"matchLabels", pod["metadata"].as_object()["labels"]}};
  }
  spec["template"] = std::move(pod);
  object["spec"] = std::move(spec);
  return object;
}

// The rate at a time of day, as a share of the mean.
double daily(const ArrivalSpec& spec, double at) {
  if (spec.daily_swing == 0) return 1;
  const double angle = (at - in_seconds(spec.daily_peak)) / kDay * 2 * std::numbers::pi;
  return 1 + spec.daily_swing * std::cos(angle);
}

}  // namespace

Arrival generate(const GeneratorSpec& spec, const std::string& owner, std::int64_t n, Rng& rng) {
  Arrival out;
  out.source = spec.name;
  json::object requests;
  for (const auto& [resource, amount] : spec.requests) {
    const double drawn = amount.draw(rng);
    requests[resource] = amount_text(resource, drawn);
    for (const auto& [name, share] : spec.usage) {
      if (name == resource) out.usage[name] = amount_text(name, drawn * share.draw(rng));
    }
  }
  const auto priority =
      spec.priority ? static_cast<std::int64_t>(std::llround(spec.priority->draw(rng))) : 0;
  const auto replicas =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::llround(spec.replicas.draw(rng))));
  std::optional<Duration> life;
  if (spec.lifetime) life = seconds(spec.lifetime->draw(rng));

  const std::string name = fmt::format("{}-{}", spec.name, n);
  json::object pod = pod_template(spec, owner, requests, priority);
  json::object& labels = pod["metadata"].as_object()["labels"].as_object();
  if (owner != "Pod") labels["app"] = name;
  if (owner == "Pod") {
    out.object = {{"apiVersion", "v1"}, {"kind", "Pod"}};
    out.object["metadata"] = pod["metadata"];
    out.object["spec"] = pod["spec"];
    out.lifetime = life;
  } else {
    out.object = workload_object(owner, std::move(pod), replicas);
    if (owner == "Job") out.lifetime = life;
    if (owner == "Deployment") out.until = life;  // after its arrival: who plans adds that
  }
  json::value& meta = out.object["metadata"];
  if (!meta.is_object()) meta.emplace_object();
  meta.as_object()["name"] = name;
  meta.as_object()["namespace"] = spec.ns;
  return out;
}

std::vector<Duration> arrival_times(const ArrivalSpec& spec, Duration end, Rng& rng) {
  using Process = ArrivalSpec::Process;
  std::vector<Duration> times;
  const Duration until = std::min(spec.until.value_or(end), end);
  const auto full = [&] {
    return spec.count > 0 && static_cast<std::int64_t>(times.size()) >= spec.count;
  };
  switch (spec.process) {
    case Process::kPoisson: {  // thinned from the highest rate of the day
      const double highest = spec.per_second * (1 + spec.daily_swing);
      double at = in_seconds(spec.from);
      while (!full()) {
        at += -std::log(1.0 - rng.unit()) / highest;
        if (at >= in_seconds(until)) break;
        if (rng.unit() * (1 + spec.daily_swing) < daily(spec, at)) times.push_back(seconds(at));
      }
      break;
    }
    case Process::kConstant:
      for (Duration at = spec.from; at < until && !full(); at += spec.every) times.push_back(at);
      break;
    case Process::kUniform: {
      const double span = in_seconds(until) - in_seconds(spec.from);
      for (std::int64_t i = 0; i < spec.count; ++i) {
        times.push_back(spec.from + seconds(span * rng.unit()));
      }
      std::sort(times.begin(), times.end());
      break;
    }
    case Process::kBurst:
      for (Duration at = spec.from; at < until && !full(); at += spec.every) {
        const auto size = std::llround(spec.size.draw(rng));
        for (long long i = 0; i < size && !full(); ++i) times.push_back(at);
      }
      break;
  }
  return times;
}

}  // namespace coracle::sim
