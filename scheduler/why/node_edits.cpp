#include "why/node_edits.hpp"

#include <fmt/format.h>

#include "why/pod_edits.hpp"

namespace coracle::scheduler {
namespace {

constexpr double kUncordon = 1, kProperty = 2;
constexpr std::string_view kControlPlane = "node.kubernetes.io/";
constexpr std::string_view kCordoned = "node.kubernetes.io/unschedulable";
constexpr const char* kHostname = "kubernetes.io/hostname";

class Edits {
 public:
  explicit Edits(const NodeFacts& node) : node_(node) {}

  void add(std::string kind, double size, std::string text,
           const std::function<void(NodeFacts&)>& change) {
    auto changed = std::make_shared<NodeFacts>(node_);
    change(*changed);
    edits_.push_back({std::move(kind), size, std::move(text), std::move(changed)});
  }
  void label(std::string_view key, std::string_view value) {
    const auto now = node_.topology(key);
    if (now && *now == value) return;
    add("LabelNode", kProperty, fmt::format("label node {} with {}={}", node_.name, key, value),
        [&](NodeFacts& facts) { facts.labels[key] = value; });
  }
  std::vector<NodeEdit> take() { return std::move(edits_); }

 private:
  const NodeFacts& node_;
  std::vector<NodeEdit> edits_;
};

void labels_asked_for(const json::value& object, Edits& edits) {
  for (const auto& [key, value] : get_object(object, "spec.nodeSelector")) {
    if (value.is_string()) edits.label(key, value.as_string());
  }
  for (const json::value& term :
       get_array(object,
                 "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
                 ".nodeSelectorTerms")) {
    for (const json::value& rule : get_array(term, "matchExpressions")) {
      const json::array& values = get_array(rule, "values");
      if (get_string(rule, "operator") != "In" || values.empty() || !values[0].is_string())
        continue;
      edits.label(get_string(rule, "key"), values[0].as_string());
    }
  }
}

}  // namespace

std::vector<NodeEdit> node_edits(const json::value& object, const PodInfo& pod,
                                 const NodeFacts& node) {
  Edits edits(node);
  if (node.unschedulable) {
    edits.add("Uncordon", kUncordon, fmt::format("uncordon node {}", node.name),
              [](NodeFacts& facts) {
                facts.unschedulable = false;
                std::erase_if(facts.taints,
                              [](const api::Taint& taint) { return taint.key == kCordoned; });
              });
  }
  std::vector<std::string> of_control_plane;
  for (const api::Taint& taint : node.taints) {
    if (taint.effect == api::TaintEffect::kPreferNoSchedule || taint.key == kCordoned) continue;
    if (api::tolerated_by(taint, pod.tolerations) != nullptr) continue;
    if (std::string_view(taint.key).starts_with(kControlPlane)) {
      of_control_plane.push_back(taint_text(taint));
      continue;
    }
    edits.add("RemoveTaint", kProperty,
              fmt::format("take the taint {} off node {}", taint_text(taint), node.name),
              [&](NodeFacts& facts) { std::erase(facts.taints, taint); });
  }
  if (!of_control_plane.empty()) {
    edits.add("NodeRecovers", kProperty,
              fmt::format("node {} gets well (it is tainted {})", node.name,
                          fmt::join(of_control_plane, ", ")),
              [](NodeFacts& facts) {
                std::erase_if(facts.taints, [](const api::Taint& taint) {
                  return std::string_view(taint.key).starts_with(kControlPlane) &&
                         taint.key != kCordoned;
                });
              });
  }
  labels_asked_for(object, edits);
  return edits.take();
}

std::shared_ptr<const NodeFacts> another_like(const NodeFacts& node) {
  auto another = std::make_shared<NodeFacts>(node);
  another->name = "another-" + node.name;
  if (another->labels.contains(kHostname)) another->labels[kHostname] = another->name;
  return another;
}

}  // namespace coracle::scheduler
