#include "controllers/adoption.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {
namespace {

// No namespace has a slash, no label's key has an equals sign.
std::string label_entry(std::string_view ns, std::string_view key, std::string_view value) {
  return fmt::format("{}/{}={}", ns, key, value);
}

// Under what a selector is filed.
std::string selector_entry(std::string_view ns, const api::LabelSelector& selector) {
  for (const api::LabelRequirement& one : selector.requirements()) {
    const bool demands = one.op == api::LabelOp::kEquals || one.op == api::LabelOp::kIn;
    if (demands && one.values.size() == 1) return label_entry(ns, one.key, one.values.front());
  }
  return std::string(ns);
}

std::vector<std::string> entries_of(const json::value& object) {
  const std::string_view ns = api::namespace_of(object);
  std::vector<std::string> entries{std::string(ns)};
  for (const auto& label : api::labels_of(object)) {
    if (!label.value().is_string()) continue;
    entries.push_back(label_entry(ns, label.key(), label.value().get_string()));
  }
  return entries;
}

}  // namespace

Result<api::LabelSelector> selector_of(const json::value& owner) {
  if (api::kind_of(owner) == "ReplicationController") {
    return api::LabelSelector::from_map(get_object(owner, "spec.selector"));
  }
  return api::LabelSelector::from_object(find(owner, "spec.selector"));
}

std::vector<std::string> index_orphan(const json::value& object) {
  if (api::controller_of(object) != nullptr) return {};
  return entries_of(object);
}

std::vector<std::string> index_adopter(const json::value& owner) {
  const auto selector = selector_of(owner);
  if (!selector.ok() || selector->is_nothing()) return {};
  return {selector_entry(api::namespace_of(owner), *selector)};
}

std::vector<client::ObjectPtr> orphans_for(const client::ObjectCache& cache, const std::string& ns,
                                           const api::LabelSelector& selector) {
  if (selector.is_nothing()) return {};
  return cache.by_index(kOrphanIndex, selector_entry(ns, selector));
}

std::vector<client::ObjectPtr> adopters_of(const client::ObjectCache& owners,
                                           const json::value& orphan) {
  std::vector<std::pair<std::string, client::ObjectPtr>> found;  // each is filed once
  for (const std::string& entry : entries_of(orphan)) {
    for (client::ObjectPtr& owner : owners.by_index(kAdopterIndex, entry)) {
      found.emplace_back(client::object_key(*owner), std::move(owner));
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<client::ObjectPtr> out;
  for (auto& [key, owner] : found) out.push_back(std::move(owner));
  return out;
}

}  // namespace coracle::controllers
