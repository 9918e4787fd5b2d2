#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "scenario/read_parts.hpp"
#include "trace/fields.hpp"

namespace coracle::sim {

const std::vector<FaultKind>& fault_kinds() {
  static const std::vector<FaultKind> kKinds = {
      {"node-down", true, true},     // its machine loses power
      {"node-silent", true, true},   // it runs and cannot be reached
      {"node-cordon", true, true},   // unschedulable; its pods stay
      {"node-pause", true, false},   // nothing on it runs
      {"store-kill", false, false},  // a member loses power
      {"store-cut", false, false},   // a member cannot be reached
      {"store-disk", false, false},  // its disk tears, fills up or is slow
      {"apiserver-kill", false, false},
      {"scheduler-kill", false, false},
      {"controller-manager-kill", false, false},
      {"network-slow", false, false},  // later, and some of it lost
      {"clock-shift", false, false},   // what a machine reads as the time of day
  };
  return kKinds;
}

namespace {

constexpr AmountRange kSpans{0, static_cast<double>(kLatest / std::chrono::seconds(1))};
constexpr double kLossMax = 0.9;  // of messages; a machine that loses all is silent, or cut

const FaultKind* kind_of(const std::string& name) {
  for (const FaultKind& kind : fault_kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const FaultKind& kind : fault_kinds()) names.push_back(kind.name);
  return names;
}

void read_targets(FieldReader& in, const FaultKind& kind, FaultSpec* out) {
  if (kind.of_nodes) {
    in.read("nodes", &out->nodes);
    in.read("zone", &out->zone);
    in.read("class", &out->node_class);
    in.read("count", &out->count, 1, 1'000'000);
    const int said = !out->nodes.empty() + !out->zone.empty() + !out->node_class.empty();
    if (said > 1) in.wrong("", "want one of nodes, zone and class");
    if (said == 0 && out->count == 0) {
      in.wrong("", "on which nodes? want nodes, zone, class or count");
    }
    return;
  }
  const bool any = kind.name == "network-slow" || kind.name == "clock-shift";
  if (any) in.need("machine");
  in.read("machine", &out->machine);
}

void read_details(FieldReader& in, const FaultKind& kind, FaultSpec* out) {
  if (kind.name == "store-disk") {
    static const std::vector<std::string> kModes = {"torn", "full", "slow"};
    if (in.need("disk") != nullptr) {
      if (const auto mode = in.choice("disk", kModes)) out->disk = kModes[*mode];
    }
    if (out->disk == "slow" && in.need("delay") != nullptr) in.read("delay", &out->delay);
  }
  if (kind.name == "network-slow") {
    in.read("delay", &out->delay);
    in.read("loss", &out->loss, 0, kLossMax);
    if (out->delay == Duration(0) && out->loss == 0) in.wrong("", "want delay, loss or both");
  }
  if (kind.name == "clock-shift") {
    std::string by;
    if (in.need("by") == nullptr || !in.read("by", &by)) return;
    const auto span = parse_duration(by);  // it may go back
    if (!span.ok()) in.wrong("by", fmt::format("want a duration like 30s or -5m, not \"{}\"", by));
    if (!span.ok()) return;
    out->by = *span;
    if (*span > kLatest || *span < -kLatest) in.wrong("by", "is more than 100 years");
  }
}

FaultSpec read_fault(FieldReader& in, Problems& problems, const Scenario& scenario) {
  FaultSpec out;
  if (in.need("kind") != nullptr) {
    if (const auto kind = in.choice("kind", kind_names())) out.kind = kind_names()[*kind];
  }
  in.read("at", &out.at);
  in.read("for", &out.span);
  if (out.span && *out.span == Duration(0)) in.wrong("for", "want more than nothing");
  in.read("until", &out.until);
  if (const json::value* every = in.find("every")) {
    constexpr double kAtLeast = 1;
    out.every = read_distribution(*every, in.path("every"), Unit::kSeconds, kSpans, problems);
    if (out.every->least() < kAtLeast && !out.every->min) out.every->min = kAtLeast;
    if (const json::value* lasts = in.find("lasts")) {
      out.lasts = read_distribution(*lasts, in.path("lasts"), Unit::kSeconds, kSpans, problems);
    }
    if (out.span) in.wrong("for", "faults that come again and again have lasts");
  } else {
    if (in.has("lasts")) in.wrong("lasts", "want every as well; a single fault has for");
    if (out.until) in.wrong("until", "want every as well; a single fault has for");
    if (scenario.duration > Duration(0) && out.at >= scenario.duration) {
      in.wrong("at", "is not before the end of the experiment");
    }
  }
  const FaultKind* kind = kind_of(out.kind);
  if (kind == nullptr) return out;
  if (!kind->placement && scenario.engine == EngineKind::kPlacement) {
    in.wrong("kind", fmt::format("the placement engine has no {}; want engine: cluster",
                                 out.kind.substr(0, out.kind.find('-'))));
  }
  read_targets(in, *kind, &out);
  read_details(in, *kind, &out);
  return out;
}

}  // namespace

void read_faults(FieldReader& in, Problems& problems, Scenario* out) {
  for (const auto& [element, path] : in.list("faults")) {
    const size_t before = problems.count();
    FieldReader one(element, path, problems);
    FaultSpec fault = read_fault(one, problems, *out);
    if (problems.count() > before) {  // some fields were not asked for
      for (const char* name :
           {"nodes", "zone", "class", "count", "machine", "disk", "delay", "loss", "by"}) {
        one.find(name);
      }
    }
    out->faults.push_back(std::move(fault));
  }
}

void check_faults(Problems& problems, const Scenario& scenario) {
  std::set<std::string> zones, classes, nodes;
  bool from_trace = !scenario.sweep_traces.empty();
  const auto add_trace = [&](const TraceSpec& spec) {
    for (const TraceEvent& event : spec.trace->events) {
      const auto* node = std::get_if<TraceNode>(&event);
      if (node == nullptr) continue;
      nodes.insert(node->name);
      if (const json::value* zone = node->labels.if_contains(kZoneLabel);
          zone != nullptr && zone->is_string()) {
        zones.emplace(zone->get_string());
      }
    }
  };
  for (const NodeClass& one : scenario.cluster.nodes) {
    classes.insert(one.name);
    zones.insert(one.zones.begin(), one.zones.end());
    for (std::int64_t i = 1; i <= one.count; ++i) nodes.insert(fmt::format("{}-{}", one.name, i));
  }
  for (const TraceSpec& trace : scenario.traces) add_trace(trace);
  for (size_t i = 0; i < scenario.faults.size(); ++i) {
    const FaultSpec& fault = scenario.faults[i];
    const std::string path = fmt::format("faults[{}]", i);
    if (!fault.zone.empty() && !zones.contains(fault.zone) && !from_trace) {
      problems.add(path + ".zone", fmt::format("no node is in a zone \"{}\"", fault.zone));
    }
    if (!fault.node_class.empty() && !classes.contains(fault.node_class)) {
      problems.add(path + ".class", fmt::format("there is no class \"{}\"", fault.node_class));
    }
    for (size_t n = 0; n < fault.nodes.size(); ++n) {
      if (nodes.contains(fault.nodes[n]) || from_trace) continue;
      problems.add(fmt::format("{}.nodes[{}]", path, n),
                   fmt::format("there is no node \"{}\"", fault.nodes[n]));
    }
  }
}

}  // namespace coracle::sim
