#include "controllers/revisions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/rng.hpp"
#include "controllers/controller.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

// A patch that puts the template back, as clients that undo a rollout apply it.
json::value revision_data(const json::value& set) {
  json::object pod_template = get_object(set, "spec.template");
  pod_template["$patch"] = "replace";
  json::value data = json::object();
  set_path(data, "spec.template", std::move(pod_template));
  return data;
}

json::value new_revision(const json::value& set, json::value data, const char* hash_label,
                         std::int64_t number) {
  const std::string hash =
      template_hash(*find(set, "spec.template"), get_int(set, "status.collisionCount"));
  json::value revision = json::object();
  set_path(revision, "apiVersion", json::value("apps/v1"));
  set_path(revision, "kind", json::value("ControllerRevision"));
  set_path(revision, "metadata.name", json::value(fmt::format("{}-{}", api::name_of(set), hash)));
  set_path(revision, "metadata.namespace", json::value(api::namespace_of(set)));
  json::object labels = get_object(set, "spec.template.metadata.labels");
  labels[hash_label] = hash;
  set_path(revision, "metadata.labels", std::move(labels));
  if (!api::annotations_of(set).empty()) {
    set_path(revision, "metadata.annotations", api::annotations_of(set));
  }
  json::array owners;
  owners.push_back(api::controller_reference(set));
  set_path(revision, "metadata.ownerReferences", std::move(owners));
  set_path(revision, "data", std::move(data));
  set_path(revision, "revision", json::value(number));
  return revision;
}

bool older(const ObjectPtr& a, const ObjectPtr& b) {
  const std::int64_t na = revision_number(*a), nb = revision_number(*b);
  return na != nb ? na < nb : api::name_of(*a) < api::name_of(*b);
}

// The newest of those with this content.
ObjectPtr find_equal(const std::vector<ObjectPtr>& revisions, const json::value& data) {
  for (auto it = revisions.rbegin(); it != revisions.rend(); ++it) {
    const json::value* has = find(**it, "data");
    if (has != nullptr && *has == data) return *it;
  }
  return nullptr;
}

}  // namespace

std::string template_hash(const json::value& pod_template, std::int64_t collisions) {
  std::string text = to_json(sorted_keys(pod_template));
  if (collisions > 0) text += fmt::format("#{}", collisions);
  std::string hash = std::to_string(fnv32a(text));
  // Digits become letters that cannot spell a word, as upstream's names.
  for (char& c : hash) c = kNameAlphabet[static_cast<unsigned char>(c) % kNameAlphabet.size()];
  return hash;
}

json::value template_of_revision(const json::value& revision) {
  json::object pod_template = get_object(revision, "data.spec.template");
  erase_key(pod_template, "$patch");
  return pod_template;
}

std::int64_t revision_number(const json::value& revision) { return get_int(revision, "revision"); }

const ObjectPtr* History::find(std::string_view name) const {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const ObjectPtr& r) { return api::name_of(*r) == name; });
  return found == all.end() ? nullptr : &*found;
}

History keep_history(const World& world, const json::value& set, const api::LabelSelector& selector,
                     const char* hash_label, Plan* plan) {
  const std::string ns(api::namespace_of(set));
  History history;
  history.all = claim(plan, world, gvr::kControllerRevisions, set, selector).owned;
  std::stable_sort(history.all.begin(), history.all.end(), older);
  const std::int64_t next = history.all.empty() ? 1 : revision_number(*history.all.back()) + 1;
  json::value data = revision_data(set);
  ObjectPtr equal = find_equal(history.all, data);
  if (equal != nullptr && equal == history.all.back()) {
    history.wanted = equal;
    return history;
  }
  if (is_deleting(set)) {
    history.wanted = equal != nullptr ? equal
                                      : std::make_shared<const json::value>(
                                            new_revision(set, std::move(data), hash_label, next));
    return history;
  }
  if (equal != nullptr) {
    json::value renumbered = *equal;
    set_path(renumbered, "revision", json::value(next));
    plan->update(gvr::kControllerRevisions, renumbered);
    std::erase(history.all, equal);
    history.wanted = std::make_shared<const json::value>(std::move(renumbered));
  } else {
    json::value made = new_revision(set, std::move(data), hash_label, next);
    history.collided =
        world.get(gvr::kControllerRevisions, ns, std::string(api::name_of(made))) != nullptr;
    if (!history.collided) plan->create(gvr::kControllerRevisions, made);
    history.wanted = std::make_shared<const json::value>(std::move(made));
  }
  history.all.push_back(history.wanted);
  return history;
}

void trim_history(const json::value& set, const History& history,
                  const std::vector<std::string>& live_names, Plan* plan) {
  std::vector<ObjectPtr> past;
  for (const ObjectPtr& revision : history.all) {
    const std::string name(api::name_of(*revision));
    const bool live = revision == history.wanted ||
                      std::find(live_names.begin(), live_names.end(), name) != live_names.end();
    if (!live && !is_deleting(*revision)) past.push_back(revision);
  }
  const auto keep =
      static_cast<size_t>(std::max<std::int64_t>(get_int(set, "spec.revisionHistoryLimit", 10), 0));
  for (size_t i = 0; i + keep < past.size(); ++i) {
    plan->remove(gvr::kControllerRevisions, *past[i]);
  }
}

}  // namespace coracle::controllers
