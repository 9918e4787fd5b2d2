#include "namespace/namespace.hpp"

#include <algorithm>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "controllers/custom_kinds.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kFinalizer[] = "kubernetes";

// Every namespaced kind that can be deleted whole; one version of each.
std::vector<client::Gvr> deletable(const World& world) {
  std::vector<client::Gvr> all;
  for (const api::ResourceInfo& r : api::Catalog::builtin().resources()) {
    if (!r.namespaced || !r.storage || !r.has_verb("deletecollection")) continue;
    all.push_back({r.group, r.version, r.plural, true});
  }
  for (const auto& [name, definition] : world.of(gvr::kCustomResourceDefinitions).objects()) {
    const CustomKind custom = custom_kind_of(*definition);
    if (!custom.kind.empty() && custom.gvr.namespaced) all.push_back(custom.gvr);
  }
  return all;
}

// The server serves no kind that we do not know of yet.
void make_sure_that_is_all(const std::vector<client::Gvr>& known, Plan* plan) {
  plan->only_if(gvr::kCustomResourceDefinitions, "", "", [known](const json::array& definitions) {
    return std::all_of(definitions.begin(), definitions.end(), [&](const json::value& definition) {
      const CustomKind custom = custom_kind_of(definition);
      return custom.kind.empty() || !custom.gvr.namespaced ||
             std::find(known.begin(), known.end(), custom.gvr) != known.end();
    });
  });
}

}  // namespace

void NamespaceController::touched(const World& world, const client::Gvr& gvr,
                                  const json::value* before, const json::value* after,
                                  const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kCustomResourceDefinitions) return;
  if (gvr == gvr::kNamespaces) {
    if (after != nullptr && is_deleting(object)) enqueue(std::string(api::name_of(object)));
    return;
  }
  if (after != nullptr) return;  // only a pod's end can let the namespace go on
  const std::string ns(api::namespace_of(object));
  const ObjectPtr of = world.get(gvr::kNamespaces, "", ns);
  if (of != nullptr && is_deleting(*of)) enqueue(ns);
}

Plan NamespaceController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const ObjectPtr ns = world.get(gvr::kNamespaces, "", key);
  if (ns == nullptr || !is_deleting(*ns)) return plan;
  const json::array& finalizers = get_array(*ns, "spec.finalizers");
  if (std::find(finalizers.begin(), finalizers.end(), json::value(kFinalizer)) ==
      finalizers.end()) {
    return plan;
  }
  plan.about = ns;
  const auto pods = world.in_namespace(gvr::kPods, key);
  const bool all_going = !pods.empty() && std::all_of(pods.begin(), pods.end(), [](const auto& p) {
    return is_deleting(*p);
  });
  if (all_going) {  // the last one's end comes as an event
    plan.look_again(std::chrono::seconds(5));
    return plan;
  }
  const auto kinds = deletable(world);
  make_sure_that_is_all(kinds, &plan);
  for (const client::Gvr& gvr : kinds) plan.remove_all(gvr, key);
  json::value finalized = *ns;
  json::array left;
  for (const json::value& f : finalizers) {
    if (f != json::value(kFinalizer)) left.push_back(f);
  }
  make_object(finalized, "spec")["finalizers"] = std::move(left);
  plan.update_subresource(gvr::kNamespaces, "finalize", std::move(finalized));
  return plan;
}

}  // namespace coracle::controllers
