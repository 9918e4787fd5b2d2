#include "framework/snapshot.hpp"

#include <algorithm>

namespace coracle::scheduler {

api::LabelSelector WorkloadSelectors::of(const PodInfo& pod) const {
  std::vector<api::LabelRequirement> joined;
  const auto take = [&](const api::LabelSelector& selector) {
    joined.insert(joined.end(), selector.requirements().begin(), selector.requirements().end());
  };
  if (const auto in_namespace = services.find(pod.ns); in_namespace != services.end()) {
    for (const auto& [name, selector] : in_namespace->second) {
      if (selector.matches(pod.labels)) take(selector);
    }
  }
  if (!pod.owner_name.empty()) {
    const auto owner = controllers.find(pod.owner_kind + "/" + pod.ns + "/" + pod.owner_name);
    if (owner != controllers.end()) take(owner->second);
  }
  if (joined.empty()) return api::LabelSelector::nothing();
  std::stable_sort(joined.begin(), joined.end(),
                   [](const auto& a, const auto& b) { return a.key < b.key; });
  return api::LabelSelector::from_requirements(std::move(joined));
}

bool Snapshot::matches(const PodTerm& term, const PodInfo& pod) const {
  bool in_namespace = std::binary_search(term.namespaces.begin(), term.namespaces.end(), pod.ns);
  if (!in_namespace && term.by_namespace_labels) {
    static const json::object kNoLabels;
    const auto labels = namespace_labels.find(pod.ns);
    in_namespace = term.namespace_selector.matches(
        labels == namespace_labels.end() ? kNoLabels : labels->second);
  }
  return in_namespace && term.selector.matches(pod.labels);
}

}  // namespace coracle::scheduler
