#include "templates.hpp"

#include <fmt/format.h>

#include <map>

#include "base/check.hpp"
#include "base/json.hpp"

namespace coracle::bench {
namespace {

struct Template {
  const char* color;
  const char* cpu;
  std::int64_t priority;
  std::string affinity, spread;  // JSON; empty: none
};

std::string term(const char* color, const char* key) {
  return fmt::format(
      R"({{"topologyKey":"{}","namespaces":["sched-0","sched-1"],
          "labelSelector":{{"matchLabels":{{"color":"{}"}}}}}})",
      key, color);
}

std::string required(const char* kind, const std::string& term) {
  return fmt::format(R"({{"{}":{{"requiredDuringSchedulingIgnoredDuringExecution":[{}]}}}})", kind,
                     term);
}

std::string preferred(const char* kind, const std::string& term) {
  return fmt::format(
      R"({{"{}":{{"preferredDuringSchedulingIgnoredDuringExecution":[
          {{"weight":1,"podAffinityTerm":{}}}]}}}})",
      kind, term);
}

std::string required_nodes(const std::string& term) {
  return fmt::format(
      R"({{"nodeAffinity":{{"requiredDuringSchedulingIgnoredDuringExecution":
          {{"nodeSelectorTerms":[{}]}}}}}})",
      term);
}

const Template& find_template(const std::string& name) {
  constexpr const char *kHost = "kubernetes.io/hostname", *kZone = "topology.kubernetes.io/zone";
  static const std::map<std::string, Template> kTemplates{
      {"default", {"", "100m", 0, "", ""}},
      {"pod-affinity", {"blue", "100m", 0, required("podAffinity", term("blue", kZone)), ""}},
      {"pod-anti-affinity",
       {"green", "100m", 0, required("podAntiAffinity", term("green", kHost)), ""}},
      {"preferred-pod-affinity",
       {"red", "100m", 0, preferred("podAffinity", term("red", kHost)), ""}},
      {"preferred-pod-anti-affinity",
       {"yellow", "100m", 0, preferred("podAntiAffinity", term("yellow", kHost)), ""}},
      {"node-affinity",
       {"", "100m", 0, required_nodes(R"({"matchExpressions":[{"key":"topology.kubernetes.io/zone",
                           "operator":"In","values":["zone1","zone2"]}]})"),
        ""}},
      {"topology-spreading",
       {"blue", "100m", 0, "",
        R"([{"maxSkew":5,"topologyKey":"topology.kubernetes.io/zone",
             "whenUnsatisfiable":"DoNotSchedule",
             "labelSelector":{"matchLabels":{"color":"blue"}}}])"}},
      {"low-priority", {"", "900m", 0, "", ""}},
      {"high-priority", {"", "3000m", 10, "", ""}},
      {"large-cpu", {"", "9", 0, "", ""}},
      {"high-priority-large-cpu", {"", "9", 10, "", ""}},
      {"daemonset",
       {"", "", 0,
        required_nodes(fmt::format(R"({{"matchFields":[{{"key":"metadata.name","operator":"In",
                                       "values":["{}"]}}]}})",
                                   kDaemonNode)),
        ""}},
  };
  const auto found = kTemplates.find(name);
  CHECK_MSG(found != kTemplates.end(), "no template " << name);
  return found->second;
}

json::value parsed(const std::string& text) {
  auto value = parse_json(text);
  CHECK_MSG(value.ok(), value.status().to_string() << " in " << text);
  return std::move(*value);
}

}  // namespace

scheduler::PodPtr a_pod(const std::string& pod_template, const std::string& ns,
                        const std::string& name) {
  const Template& shape = find_template(pod_template);
  json::object container{{"name", "pause"}, {"image", "registry.k8s.io/pause:3.10"}};
  if (*shape.cpu != '\0') {
    container["resources"] =
        json::object{{"requests", json::object{{"cpu", shape.cpu}, {"memory", "500Mi"}}}};
  }
  json::object spec{{"containers", json::array{container}}, {"priority", shape.priority}};
  if (!shape.affinity.empty()) spec["affinity"] = parsed(shape.affinity);
  if (!shape.spread.empty()) spec["topologySpreadConstraints"] = parsed(shape.spread);
  json::object labels;
  if (*shape.color != '\0') labels["color"] = shape.color;
  return scheduler::parse_pod(json::object{
      {"metadata",
       json::object{
           {"name", name}, {"namespace", ns}, {"uid", ns + "-" + name}, {"labels", labels}}},
      {"spec", std::move(spec)}});
}

std::shared_ptr<const scheduler::NodeFacts> a_node(const std::string& name, const std::string& zone,
                                                   const std::string& pods_max) {
  json::object labels{{"kubernetes.io/hostname", name}};
  if (!zone.empty()) labels["topology.kubernetes.io/zone"] = zone;
  const json::object allocatable{{"cpu", "4"}, {"memory", "32Gi"}, {"pods", pods_max}};
  return scheduler::parse_node(
      json::object{{"metadata", json::object{{"name", name}, {"labels", labels}}},
                   {"spec", json::object()},
                   {"status", json::object{{"allocatable", allocatable}}}});
}

}  // namespace coracle::bench
