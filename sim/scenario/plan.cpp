#include "scenario/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trace/fields.hpp"

namespace coracle::sim {
namespace {

Duration scaled(Duration d, double speed) {
  if (speed == 1) return d;
  const double at = static_cast<double>(d.count()) / speed;
  return Duration(std::llround(std::min(at, static_cast<double>(kLatest.count()))));
}

void add_nodes(const ClusterSpec& cluster, Plan* plan) {
  for (const NodeClass& one : cluster.nodes) {
    for (std::int64_t i = 0; i < one.count; ++i) {
      TraceNode node{Duration(0), fmt::format("{}-{}", one.name, i + 1), one.capacity, one.labels,
                     one.taints};
      node.labels["kubernetes.io/hostname"] = node.name;
      node.labels["sim.coracle.dev/class"] = one.name;
      if (!one.zones.empty()) {
        node.labels[kZoneLabel] = one.zones[static_cast<size_t>(i) % one.zones.size()];
      }
      plan->nodes.push_back(std::move(node));
    }
  }
}

Arrival arrival_of(const TracePod& pod, const TraceSpec& spec) {
  Arrival out;
  out.at = spec.offset + scaled(pod.at, spec.speed);
  out.source = spec.name;
  out.object = pod_object(pod).as_object();
  if (pod.lifetime) out.lifetime = scaled(*pod.lifetime, spec.speed);
  out.fails = pod.fails;
  if (pod.until) out.until = spec.offset + scaled(*pod.until, spec.speed);
  out.usage = pod.usage;
  return out;
}

void add_trace(const TraceSpec& spec, Duration end, Plan* plan) {
  const auto when = [&](Duration at) { return spec.offset + scaled(at, spec.speed); };
  for (const TraceEvent& event : spec.trace->events) {
    if (when(at_of(event)) >= end) break;
    if (const auto* pod = std::get_if<TracePod>(&event)) {
      plan->arrivals.push_back(arrival_of(*pod, spec));
    } else if (const auto* usage = std::get_if<TraceUsage>(&event)) {
      plan->usages.push_back(*usage);
      plan->usages.back().at = when(usage->at);
    } else if (const auto* node = std::get_if<TraceNode>(&event)) {
      if (!spec.nodes) continue;
      plan->nodes.push_back(*node);
      plan->nodes.back().at = when(node->at);
    } else if (const auto* change = std::get_if<TraceNodeEvent>(&event)) {
      if (!spec.nodes) continue;
      plan->node_events.push_back(*change);
      plan->node_events.back().at = when(change->at);
    }
  }
}

void add_generator(const GeneratorSpec& spec, Duration end, Rng rng, Plan* plan) {
  Rng times = rng.split(), owners = rng.split(), bodies = rng.split();
  std::int64_t n = 0;
  for (const Duration at : arrival_times(spec.arrivals, end, times)) {
    Arrival arrival = generate(spec, spec.owner.draw(owners), ++n, bodies);
    arrival.at = at;
    if (arrival.until) *arrival.until += at;
    plan->arrivals.push_back(std::move(arrival));
  }
}

std::string label_of(const TraceNode& node, std::string_view label) {
  const json::value* value = node.labels.if_contains(label);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::vector<std::string> targets(const FaultSpec& spec, const Plan& plan, Rng& rng) {
  std::vector<std::string> names = spec.nodes;
  if (names.empty()) {
    for (const TraceNode& node : plan.nodes) {
      if (!spec.zone.empty() && label_of(node, kZoneLabel) != spec.zone) continue;
      if (!spec.node_class.empty() && label_of(node, "sim.coracle.dev/class") != spec.node_class) {
        continue;
      }
      names.push_back(node.name);
    }
  }
  const auto count = static_cast<size_t>(spec.count);
  if (spec.count == 0 || count >= names.size()) return names;
  for (size_t i = 0; i < count; ++i) std::swap(names[i], names[i + rng.below(names.size() - i)]);
  names.resize(count);
  return names;
}

void add_faults(const FaultSpec& spec, Duration end, Rng rng, Plan* plan) {
  const bool of_nodes = spec.kind.starts_with("node-");
  const auto add = [&](Duration at, std::optional<Duration> span) {
    PlannedFault fault{at, {}, &spec, {}};
    if (span) fault.until = at + *span;
    if (of_nodes) fault.nodes = targets(spec, *plan, rng);
    plan->faults.push_back(std::move(fault));
  };
  if (!spec.every) return add(spec.at, spec.span);
  const auto drawn = [&](const Distribution& d) {
    return std::chrono::microseconds(std::llround(d.draw(rng) * 1e6));
  };
  const Duration until = std::min(spec.until.value_or(end), end);
  for (Duration at = spec.at + drawn(*spec.every); at < until; at += drawn(*spec.every)) {
    std::optional<Duration> span;
    if (spec.lasts) span = std::max<Duration>(drawn(*spec.lasts), std::chrono::seconds(1));
    add(at, span);
  }
}

template <class T>
void by_time(std::vector<T>& events) {
  std::stable_sort(events.begin(), events.end(),
                   [](const T& a, const T& b) { return a.at < b.at; });
}

}  // namespace

Plan make_plan(const Scenario& scenario, std::uint64_t seed, const TraceSpec* trace) {
  Plan plan;
  Rng root(seed);
  Rng generators = root.split(), faults = root.split();
  add_nodes(scenario.cluster, &plan);
  for (const ManifestSpec& manifest : scenario.manifests) {
    for (const json::object& object : manifest.objects) {
      Arrival arrival;
      arrival.at = manifest.at;
      arrival.until = manifest.until;
      arrival.source = manifest.source;
      arrival.object = object;
      plan.arrivals.push_back(std::move(arrival));
    }
  }
  for (const GeneratorSpec& spec : scenario.generators) {
    add_generator(spec, scenario.duration, generators.split(), &plan);
  }
  for (const TraceSpec& spec : scenario.traces) add_trace(spec, scenario.duration, &plan);
  if (trace != nullptr) add_trace(*trace, scenario.duration, &plan);
  by_time(plan.nodes);
  by_time(plan.node_events);
  for (const FaultSpec& spec : scenario.faults) {
    add_faults(spec, scenario.duration, faults.split(), &plan);
  }
  by_time(plan.faults);
  by_time(plan.arrivals);
  by_time(plan.usages);
  return plan;
}

}  // namespace coracle::sim
