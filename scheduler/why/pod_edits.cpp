#include "why/pod_edits.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/quantity.hpp"

namespace coracle::scheduler {
namespace {

constexpr const char* kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr double kToleration = 1, kRequest = 1, kDemand = 2;

class Demands {
 public:
  explicit Demands(const json::value& object) : object_(object) {}

  // Each element of the array at the path of the pod, left out.
  void each_of(const std::string& path, const std::string& kind,
               const std::function<bool(const json::value&)>& counts,
               const std::function<std::string(const json::value&, size_t)>& text) {
    const json::array& list = get_array(object_, path);
    for (size_t i = 0; i < list.size(); ++i) {
      if (!counts(list[i])) continue;
      json::array rest = list;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      json::value changed = object_;
      set_path(changed, path, rest);
      add(kind, text(list[i], i), changed);
    }
  }
  void node_selector() {
    for (const auto& [key, value] : get_object(object_, "spec.nodeSelector")) {
      json::value changed = object_;
      erase_key(make_object(changed, "spec.nodeSelector"), key);
      add("DropNodeSelector",
          fmt::format("drop {}={} from the pod's nodeSelector", std::string_view(key),
                      value.is_string() ? std::string_view(value.as_string()) : ""),
          changed);
    }
  }
  // A rule of a term; the last rule of the only term: the whole demand.
  void node_affinity() {
    const std::string base = fmt::format("spec.affinity.nodeAffinity.{}", kRequired);
    const json::array& terms = get_array(object_, base + ".nodeSelectorTerms");
    for (size_t i = 0; i < terms.size(); ++i) {
      for (const char* kind : {"matchExpressions", "matchFields"}) {
        const json::array& rules = get_array(terms[i], kind);
        for (size_t j = 0; j < rules.size(); ++j) {
          json::array changed_terms = terms;
          json::object& term = changed_terms[i].as_object();
          json::array rest = rules;
          rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(j));
          term[kind] = rest;
          json::value changed = object_;
          const bool empty = get_array(changed_terms[i], "matchExpressions").empty() &&
                             get_array(changed_terms[i], "matchFields").empty();
          if (empty) {
            erase_key(make_object(changed, "spec.affinity.nodeAffinity"), kRequired);
          } else {
            set_path(changed, base + ".nodeSelectorTerms", changed_terms);
          }
          add("DropNodeAffinity",
              fmt::format("drop the rule {} {} [{}] from the pod's node affinity",
                          get_string(rules[j], "key"), get_string(rules[j], "operator"),
                          fmt::join(values(rules[j]), ", ")),
              changed);
        }
      }
    }
  }
  void host_ports() {
    const json::array& containers = get_array(object_, "spec.containers");
    for (size_t i = 0; i < containers.size(); ++i) {
      const json::array& ports = get_array(containers[i], "ports");
      for (size_t j = 0; j < ports.size(); ++j) {
        if (get_int(ports[j], "hostPort") == 0) continue;
        json::value changed = object_;
        json::object& port =
            changed.at("spec").at("containers").at(i).at("ports").at(j).as_object();
        erase_key(port, "hostPort");
        add("DropHostPort",
            fmt::format("drop host port {} of container {}", get_int(ports[j], "hostPort"),
                        get_string(containers[i], "name")),
            changed);
      }
    }
  }
  std::vector<PodEdit> take() { return std::move(edits_); }

 private:
  static std::vector<std::string> values(const json::value& rule) {
    std::vector<std::string> out;
    for (const json::value& v : get_array(rule, "values")) {
      if (v.is_string()) out.emplace_back(v.as_string());
    }
    return out;
  }
  void add(const std::string& kind, std::string text, const json::value& changed) {
    edits_.push_back({kind, kDemand, std::move(text), placed_on(*parse_pod(changed), "")});
  }

  const json::value& object_;
  std::vector<PodEdit> edits_;
};

std::string amount_text(std::string_view resource, std::int64_t amount) {
  if (resource == "cpu") return api::Quantity::from_milli(amount).text();
  const bool bytes =
      resource == "memory" || resource == "ephemeral-storage" || resource.starts_with("hugepages-");
  return api::Quantity::from_units(
             amount, bytes ? api::QuantityFormat::kBinarySI : api::QuantityFormat::kDecimalSI)
      .text();
}

// What people write: whole Mi where there are some.
std::int64_t rounded_down(std::string_view resource, std::int64_t amount) {
  constexpr std::int64_t kMi = 1 << 20;
  const bool bytes = resource == "memory" || resource == "ephemeral-storage";
  return bytes && amount > kMi ? amount / kMi * kMi : amount;
}

}  // namespace

std::string taint_text(const api::Taint& taint) {
  return fmt::format("{}{}{}:{}", taint.key, taint.value.empty() ? "" : "=", taint.value,
                     api::effect_text(taint.effect));
}

std::vector<PodEdit> without_one_demand(const json::value& object) {
  Demands demands(object);
  demands.node_selector();
  demands.node_affinity();
  const auto always = [](const json::value&) { return true; };
  for (const bool anti : {false, true}) {
    demands.each_of(
        fmt::format("spec.affinity.{}.{}", anti ? "podAntiAffinity" : "podAffinity", kRequired),
        anti ? "DropPodAntiAffinity" : "DropPodAffinity", always,
        [anti](const json::value& term, size_t i) {
          return fmt::format("drop required pod {}affinity term {} (by {})", anti ? "anti-" : "",
                             i + 1, get_string(term, "topologyKey"));
        });
  }
  demands.each_of(
      "spec.topologySpreadConstraints", "DropSpreadConstraint",
      [](const json::value& c) { return get_string(c, "whenUnsatisfiable") == "DoNotSchedule"; },
      [](const json::value& c, size_t) {
        return fmt::format("drop the pod's spread constraint over {} (maxSkew {})",
                           get_string(c, "topologyKey"), get_int(c, "maxSkew"));
      });
  demands.host_ports();
  return demands.take();
}

std::vector<PodEdit> with_one_toleration(const PodInfo& pod, const NodeFacts& node) {
  std::vector<PodEdit> edits;
  for (const api::Taint& taint : node.taints) {
    if (taint.effect == api::TaintEffect::kPreferNoSchedule) continue;
    if (api::tolerated_by(taint, pod.tolerations) != nullptr) continue;
    auto changed = std::make_shared<PodInfo>(pod);
    api::Toleration toleration;
    toleration.key = taint.key;
    toleration.value = taint.value;
    toleration.any_effect = false;
    toleration.effect = taint.effect;
    changed->tolerations.push_back(std::move(toleration));
    edits.push_back({"AddToleration", kToleration,
                     fmt::format("let the pod tolerate {}", taint_text(taint)),
                     std::move(changed)});
  }
  return edits;
}

std::vector<PodEdit> with_one_request_lowered(const PodInfo& pod, const NodeInfo& node) {
  std::vector<std::string> names{"cpu", "memory", "ephemeral-storage"};
  for (const auto& [name, amount] : pod.requests.scalars) names.push_back(name);
  std::vector<PodEdit> edits;
  for (const std::string& name : names) {
    const std::int64_t wanted = pod.requests.amount(name);
    const std::int64_t free =
        rounded_down(name, node.facts().allocatable.amount(name) - node.used().amount(name));
    if (wanted <= free || free <= 0) continue;
    auto changed = std::make_shared<PodInfo>(pod);
    Resources& r = changed->requests;
    if (name == "cpu") {
      r.cpu_milli = free;
    } else if (name == "memory") {
      r.memory = free;
    } else if (name == "ephemeral-storage") {
      r.ephemeral_storage = free;
    } else {
      r.scalar_slot(name) = free;
    }
    const double share = static_cast<double>(wanted - free) / static_cast<double>(wanted);
    edits.push_back({"LowerRequest", kRequest + share,
                     fmt::format("lower the pod's {} request from {} to {}", name,
                                 amount_text(name, wanted), amount_text(name, free)),
                     std::move(changed)});
  }
  return edits;
}

}  // namespace coracle::scheduler
