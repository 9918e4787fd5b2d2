// What a scenario of the whole simulated cluster asks of it, against what it has.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "scenario/read_parts.hpp"

namespace coracle::sim {
namespace {

constexpr std::int64_t kPodsMax = 255;  // addresses of a node

std::vector<std::string> numbered(const std::string& name, std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 1; i <= count; ++i) out.push_back(fmt::format("{}-{}", name, i));
  return out;
}

// By what runs on them, as World (sim/cluster/world.hpp) calls them.
std::map<std::string, std::vector<std::string>> daemons_of(const ClusterSpec& cluster) {
  return {{"store", numbered("store", std::max<std::int64_t>(1, cluster.store_members))},
          {"apiserver", numbered("apiserver", cluster.apiservers)},
          {"controller-manager", numbered("controller-manager", 1)},
          {"scheduler", numbered("scheduler", cluster.schedulers)}};
}

// Empty: it can be a node of the simulated cluster.
std::string node_problem(const std::string& name, const json::object& capacity,
                         const std::set<std::string>& daemons) {
  if (daemons.contains(name) || name == "people") {
    return fmt::format("node {}: another machine of the simulated cluster is called so", name);
  }
  const json::value* pods = capacity.if_contains("pods");
  if (pods == nullptr || !pods->is_string()) return {};
  const auto most = api::Quantity::parse(pods->get_string());
  if (!most.ok() || most->value() <= kPodsMax) return {};
  return fmt::format("node {} takes {} pods; a simulated kubelet has addresses for {}", name,
                     std::string_view(pods->get_string()), kPodsMax);
}

bool same_machine(const TraceNode& a, const TraceNode& b) {
  return a.allocatable == b.allocatable && a.labels == b.labels && a.taints == b.taints;
}

// Only the first problem of a trace is told.
void check_trace(Problems& problems, const TraceSpec& spec, const std::string& path,
                 const std::set<std::string>& daemons, std::set<std::string>* nodes) {
  if (!spec.nodes || spec.trace == nullptr) return;
  std::map<std::string, const TraceNode*> known;
  for (const TraceEvent& event : spec.trace->events) {
    std::string problem;
    if (const auto* node = std::get_if<TraceNode>(&event)) {
      nodes->insert(node->name);
      problem = node_problem(node->name, node->allocatable, daemons);
      const auto [before, fresh] = known.emplace(node->name, node);
      if (!fresh && !same_machine(*before->second, *node)) {
        problem = fmt::format(
            "node {} comes back as another one, which the cluster engine does not do; want engine: "
            "placement",
            node->name);
      }
    } else if (const auto* change = std::get_if<TraceNodeEvent>(&event);
               change != nullptr && change->kind == TraceNodeEvent::Kind::kResize) {
      problem = fmt::format(
          "node {} is resized, which the cluster engine does not do; want engine: placement",
          change->node);
    }
    if (problem.empty()) continue;
    problems.add(path, problem);
    return;
  }
}

void check_nodes(Problems& problems, const Scenario& scenario, const std::set<std::string>& daemons,
                 std::set<std::string>* nodes) {
  for (size_t i = 0; i < scenario.cluster.nodes.size(); ++i) {
    const NodeClass& one = scenario.cluster.nodes[i];
    std::string problem;
    for (const std::string& name : numbered(one.name, one.count)) {
      nodes->insert(name);
      if (problem.empty()) problem = node_problem(name, one.capacity, daemons);
    }
    if (!problem.empty()) problems.add(fmt::format("cluster.nodes[{}]", i), problem);
  }
  const auto check_all = [&](const std::vector<TraceSpec>& traces, const char* where) {
    for (size_t i = 0; i < traces.size(); ++i) {
      check_trace(problems, traces[i], fmt::format("{}[{}].file", where, i), daemons, nodes);
    }
  };
  check_all(scenario.traces, "workload.traces");
  check_all(scenario.sweep_traces, "sweep.traces");
}

}  // namespace

void check_cluster(Problems& problems, const Scenario& scenario) {
  const ClusterSpec& cluster = scenario.cluster;
  if (cluster.toleration % std::chrono::seconds(1) != Duration(0)) {
    problems.add("cluster.evictAfter", "want whole seconds, as tolerations have them");
  }
  const auto daemons = daemons_of(cluster);
  std::set<std::string> machines, nodes;
  for (const auto& [part, names] : daemons) machines.insert(names.begin(), names.end());
  check_nodes(problems, scenario, machines, &nodes);
  for (size_t i = 0; i < scenario.faults.size(); ++i) {
    const FaultSpec& fault = scenario.faults[i];
    const std::string path = fmt::format("faults[{}]", i);
    const auto of = daemons.find(fault.kind.substr(0, fault.kind.rfind('-')));
    if (fault.kind.starts_with("store-") && cluster.store_members == 0) {
      problems.add(path + ".kind", "storeMembers is 0: that store never fails");
    } else if (fault.machine.empty()) {
      continue;
    } else if (of != daemons.end()) {
      if (std::count(of->second.begin(), of->second.end(), fault.machine) > 0) continue;
      problems.add(path + ".machine", fmt::format("there is no {} \"{}\" (there is {})", of->first,
                                                  fault.machine, one_of(of->second)));
    } else if (!machines.contains(fault.machine) && !nodes.contains(fault.machine)) {
      problems.add(path + ".machine",
                   fmt::format("there is no machine \"{}\" (nodes, and {})", fault.machine,
                               one_of({machines.begin(), machines.end()})));
    }
  }
}

}  // namespace coracle::sim
