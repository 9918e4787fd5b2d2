#include "why/single_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "cycle/filters.hpp"
#include "why/node_edits.hpp"
#include "why/pod_edits.hpp"

namespace coracle::scheduler {
namespace {

constexpr double kMovePod = 3, kOneMoreNode = 4, kEvictPod = 5;
constexpr size_t kShapesTried = 20, kMovesTried = 5;

// What stands between the pod and one node.
struct Obstacle {
  std::string node;
  std::vector<std::string> plugins;
  bool leaving_helps = true;  // none of them said "never"
};

class Search {
 public:
  Search(const Profile& profile, const json::value& object, const PodInfo& pod, Cache& world)
      : profile_(profile), object_(object), pod_(pod), world_(world) {}

  std::vector<SingleChange> run() {
    look();
    edit_pod();
    edit_nodes();
    one_pod_less();
    one_more_node();
    std::stable_sort(found_.begin(), found_.end(),
                     [](const SingleChange& a, const SingleChange& b) { return a.size < b.size; });
    if (found_.size() > kChangesMax) found_.resize(kChangesMax);
    return std::move(found_);
  }

 private:
  const Snapshot& snapshot() const { return world_.snapshot(); }

  // All that every filter says of every node.
  void look() {
    Filters filters(profile_, pod_, snapshot());
    for (const NodeInfo& node : snapshot().nodes) {
      if (!node.known()) continue;
      Obstacle obstacle{node.name(), {}, true};
      for (const Filters::Active& one : filters.active()) {
        const Verdict verdict =
            one.rejected ? filters.verdict() : one.plugin->filter(pod_, node, one.state.get());
        if (verdict.is_yes()) continue;
        obstacle.plugins.emplace_back(one.plugin->name());
        obstacle.leaving_helps &= verdict.kind() == Verdict::Kind::kNotNow;
      }
      obstacles_.push_back(std::move(obstacle));
    }
  }

  // Nodes that only this predicate refuses.
  std::vector<const NodeInfo*> refused_only_by(std::string_view plugin) const {
    std::vector<const NodeInfo*> nodes;
    for (const Obstacle& obstacle : obstacles_) {
      if (obstacle.plugins.size() != 1 || obstacle.plugins[0] != plugin) continue;
      nodes.push_back(world_.find_node(obstacle.node));
    }
    return nodes;
  }

  bool fits_on(const PodInfo& pod, const std::string& name) const {
    Filters filters(profile_, pod, snapshot());
    const NodeInfo* node = world_.find_node(name);
    if (!filters.verdict().is_yes() || node == nullptr || !node->known()) return false;
    if (filters.only() && !filters.only()->contains(name)) return false;
    return filters.filter(*node).is_yes();
  }

  // The first node that lets the pod.
  std::optional<std::string> fits_anywhere(const PodInfo& pod, const std::string& but = {}) const {
    Filters filters(profile_, pod, snapshot());
    if (!filters.verdict().is_yes()) return std::nullopt;
    for (const NodeInfo& node : snapshot().nodes) {
      if (!node.known() || node.name() == but) continue;
      if (filters.only() && !filters.only()->contains(node.name())) continue;
      if (filters.filter(node).is_yes()) return node.name();
    }
    return std::nullopt;
  }

  void found(std::string kind, double size, std::string text, std::string node) {
    if (texts_.insert(text).second) {
      found_.push_back({std::move(kind), size, std::move(text), std::move(node)});
    }
  }

  void edit_pod() {
    for (PodEdit& edit : without_one_demand(object_)) {
      if (const auto node = fits_anywhere(*edit.pod)) found(edit.kind, edit.size, edit.text, *node);
    }
    std::map<std::string, std::pair<PodEdit, std::string>> by_text;
    auto tainted = refused_only_by("TaintToleration");
    for (size_t i = 0; i < tainted.size() && i < kNodesTried; ++i) {
      for (PodEdit& edit : with_one_toleration(pod_, tainted[i]->facts())) {
        by_text.try_emplace(edit.text, edit, tainted[i]->name());
      }
    }
    for (const auto& [text, tried] : by_text) {
      const auto& [edit, node] = tried;
      if (fits_on(*edit.pod, node)) found(edit.kind, edit.size, edit.text, node);
    }
    lower_requests();
  }

  // Of each resource, the smallest step that is enough: on the nodes that have the most of it free.
  void lower_requests() {
    std::vector<std::pair<PodEdit, std::string>> edits;
    for (const NodeInfo* node : refused_only_by("NodeResourcesFit")) {
      auto of_node = with_one_request_lowered(pod_, *node);
      if (of_node.size() == 1) edits.emplace_back(std::move(of_node[0]), node->name());
    }
    std::stable_sort(edits.begin(), edits.end(),
                     [](const auto& a, const auto& b) { return a.first.size < b.first.size; });
    for (size_t i = 0; i < edits.size() && i < kNodesTried; ++i) {
      const auto& [edit, node] = edits[i];
      if (!fits_on(*edit.pod, node)) continue;
      return found(edit.kind, edit.size, edit.text, node);
    }
  }

  void edit_nodes() {
    size_t tried = 0;
    for (const Obstacle& obstacle : obstacles_) {
      const NodeInfo* node = world_.find_node(obstacle.node);
      // A cordoned node says no twice; what is wrong twice over needs more than one change.
      if (node == nullptr || (obstacle.plugins.size() > 1 && !node->facts().unschedulable))
        continue;
      if (++tried > kNodesTried) return;
      const auto before = node->facts_ptr();
      for (const NodeEdit& edit : node_edits(object_, pod_, *before)) {
        world_.set_node(edit.facts);
        if (fits_on(pod_, before->name)) found(edit.kind, edit.size, edit.text, before->name);
        world_.set_node(before);
      }
    }
  }

  struct Leaver {
    PodPtr pod;
    std::string node;
  };
  static bool leaves_sooner(const Leaver& a, const Leaver& b) {
    if (a.pod->priority != b.pod->priority) return a.pod->priority < b.pod->priority;
    return a.pod->requests.cpu_milli < b.pod->requests.cpu_milli;
  }

  // Of each node, the least important pod without which it would do.
  std::vector<Leaver> leavers() {
    std::vector<Leaver> all;
    Filters filters(profile_, pod_, snapshot());
    size_t tried = 0;
    for (const Obstacle& obstacle : obstacles_) {
      if (!obstacle.leaving_helps || obstacle.plugins.empty() || ++tried > kNodesTried) continue;
      NodeInfo node = *world_.find_node(obstacle.node);
      std::vector<Leaver> there;
      for (const PodPtr& pod : node.pods()) {
        const bool stays = pod->owner_kind == "DaemonSet" || pod->owner_kind == "Node";
        if (!stays && !pod->deleting) there.push_back({pod, node.name()});
      }
      std::stable_sort(there.begin(), there.end(), leaves_sooner);
      if (there.size() > kPodsTried) there.resize(kPodsTried);
      for (const Leaver& one : there) {
        filters.remove_pod(one.pod, node);
        const bool fits = filters.filter(node).is_yes();
        filters.add_pod(one.pod, node);
        if (!fits) continue;
        all.push_back(one);
        break;
      }
    }
    std::stable_sort(all.begin(), all.end(), leaves_sooner);
    if (all.size() > kMovesTried) all.resize(kMovesTried);
    return all;
  }

  void one_pod_less() {
    for (const Leaver& one : leavers()) {
      world_.remove_pod(one.pod->key);
      if (fits_on(pod_, one.node)) {
        world_.assume(pod_, one.node);
        const auto elsewhere = fits_anywhere(*placed_on(*one.pod, ""), one.node);
        world_.forget(pod_.key, pod_.uid);
        if (elsewhere) {
          found("MovePod", kMovePod,
                fmt::format("move pod {} from {} to {}", one.pod->key, one.node, *elsewhere),
                one.node);
        } else {
          found("EvictPod", kEvictPod,
                fmt::format("remove pod {} (priority {}) from {}; it fits nowhere else",
                            one.pod->key, one.pod->priority, one.node),
                one.node);
        }
      }
      world_.set_pod(one.pod);
    }
  }

  // One node of each shape: what it has, its labels but for its name and zone, its taints.
  void one_more_node() {
    std::set<std::string> shapes;
    std::vector<std::shared_ptr<const NodeFacts>> models;
    for (const NodeInfo& node : snapshot().nodes) {
      if (!node.known() || shapes.size() == kShapesTried) continue;
      const NodeFacts& facts = node.facts();
      std::string shape =
          fmt::format("{} {} {} {}", facts.allocatable.cpu_milli, facts.allocatable.memory,
                      facts.pods_max, facts.unschedulable);
      for (const auto& [name, amount] : facts.allocatable.scalars) {
        shape += fmt::format(" {}={}", name, amount);
      }
      for (const auto& [key, value] : facts.labels) {
        if (key == "kubernetes.io/hostname") continue;
        shape += fmt::format(" {}={}", std::string_view(key), json::serialize(value));
      }
      for (const api::Taint& taint : facts.taints) shape += " " + taint_text(taint);
      if (shapes.insert(shape).second) models.push_back(node.facts_ptr());
    }
    for (const auto& model : models) {
      const auto another = another_like(*model);
      world_.set_node(another);
      if (fits_on(pod_, another->name)) {
        found("AddNode", kOneMoreNode, fmt::format("one more node like {}", model->name),
              another->name);
      }
      world_.remove_node(another->name);
    }
  }

  const Profile& profile_;
  const json::value& object_;
  const PodInfo& pod_;
  Cache& world_;
  std::vector<Obstacle> obstacles_;
  std::vector<SingleChange> found_;
  std::set<std::string> texts_;
};

}  // namespace

std::vector<SingleChange> single_changes(const Profile& profile, const json::value& object,
                                         const PodInfo& pod, Cache& world) {
  return Search(profile, object, pod, world).run();
}

}  // namespace coracle::scheduler
