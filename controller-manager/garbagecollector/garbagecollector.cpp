#include "garbagecollector/garbagecollector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/custom_kinds.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kForeground[] = "foregroundDeletion";
constexpr char kOrphan[] = "orphan";
constexpr Duration kUnsure = std::chrono::seconds(5);

std::string resource_key(const client::Gvr& gvr) { return gvr.plural + "." + gvr.group; }

std::string key_of(const client::Gvr& gvr, const json::value& object,
                   std::string_view gone_uid = {}) {
  std::string key = resource_key(gvr) + "|" + client::object_key(object);
  if (!gone_uid.empty()) key += fmt::format("|{}", gone_uid);
  return key;
}

void remove_finalizer(const client::Gvr& gvr, const json::value& object, const char* finalizer,
                      Plan* plan) {
  json::value changed = object;
  api::remove_finalizer(changed, finalizer);
  json::value patch = json::object();
  set_path(patch, "metadata.resourceVersion", json::value(api::resource_version_of(object)));
  const json::array& left = api::finalizers_of(changed);
  set_path(patch, "metadata.finalizers", left.empty() ? json::value(nullptr) : json::value(left));
  plan->patch(gvr, object, std::move(patch), client::PatchType::kMerge);
}

json::value without_owner(const json::value& object, const std::vector<std::string>& uids) {
  json::array left;
  for (const json::value& reference : api::owner_references_of(object)) {
    const std::string uid(get_string(reference, "uid"));
    if (std::find(uids.begin(), uids.end(), uid) == uids.end()) left.push_back(reference);
  }
  json::value patch = json::object();
  set_path(patch, "metadata.resourceVersion", json::value(api::resource_version_of(object)));
  set_path(patch, "metadata.ownerReferences",
           left.empty() ? json::value(nullptr) : json::value(left));
  return patch;
}

// The object's references, none of which blocks its owner any more.
json::value unblocked(const json::value& object) {
  json::array references = api::owner_references_of(object);
  for (json::value& reference : references) {
    if (reference.is_object()) reference.get_object()["blockOwnerDeletion"] = false;
  }
  json::value patch = json::object();
  set_path(patch, "metadata.resourceVersion", json::value(api::resource_version_of(object)));
  set_path(patch, "metadata.ownerReferences", json::value(std::move(references)));
  return patch;
}

bool refers_to(const json::value& object, std::string_view uid) {
  const json::array& references = api::owner_references_of(object);
  return std::any_of(references.begin(), references.end(),
                     [&](const json::value& r) { return get_string(r, "uid") == uid; });
}

bool blocks_an_owner(const json::value& object) {
  const json::array& references = api::owner_references_of(object);
  return std::any_of(references.begin(), references.end(),
                     [](const json::value& r) { return get_bool(r, "blockOwnerDeletion"); });
}

bool waits_for_dependents(const json::value& object) {
  return is_deleting(object) && api::has_finalizer(object, kForeground);
}

}  // namespace

GarbageCollector::GarbageCollector() {
  for (const api::ResourceInfo& r : api::Catalog::builtin().resources()) {
    const bool watchable = r.has_verb("list") && r.has_verb("watch") && r.has_verb("delete");
    // Events own nothing, live for an hour and are many.
    if (!r.storage || !watchable || r.kind == "Event") continue;
    watched_.push_back({r.group, r.version, r.plural, r.namespaced});
    by_key_.emplace(resource_key(watched_.back()), watched_.back());
  }
}

std::vector<client::Gvr> GarbageCollector::kinds(const World& world) const {
  std::vector<client::Gvr> all = watched_;
  for (CustomKind& custom : custom_kinds(world)) all.push_back(std::move(custom.gvr));
  return all;
}

std::optional<client::Gvr> GarbageCollector::gvr_of_key(const World& world,
                                                        const std::string& resource) const {
  const auto builtin = by_key_.find(resource);
  if (builtin != by_key_.end()) return builtin->second;
  for (CustomKind& custom : custom_kinds(world)) {
    if (resource_key(custom.gvr) == resource) return std::move(custom.gvr);
  }
  return std::nullopt;
}

std::optional<client::Gvr> GarbageCollector::gvr_of(const World& world,
                                                    const json::value& reference) const {
  const auto [group, version] = api::split_api_version(get_string(reference, "apiVersion"));
  const std::string_view kind = get_string(reference, "kind");
  const api::ResourceInfo* info = api::Catalog::builtin().find_kind(group, version, kind);
  if (info != nullptr) {
    for (const client::Gvr& gvr : watched_) {
      if (gvr.group == info->group && gvr.plural == info->plural) return gvr;
    }
    return std::nullopt;
  }
  for (const CustomKind& custom : custom_kinds(world)) {
    if (custom.gvr.group == group && custom.kind == kind) return custom.gvr;
  }
  return std::nullopt;
}

void GarbageCollector::touched(const World& world, const client::Gvr& gvr,
                               const json::value* before, const json::value* after,
                               const Enqueue& enqueue) const {
  if (after != nullptr) {
    const json::array& owners = api::owner_references_of(*after);
    const bool finalizing = is_deleting(*after) && (api::has_finalizer(*after, kForeground) ||
                                                    api::has_finalizer(*after, kOrphan));
    // Most updates (a heartbeat, a pod's status) say nothing new of owners: it was judged before,
    // and is again when one of them goes.
    const bool same = before != nullptr && api::owner_references_of(*before) == owners;
    if (finalizing || (!owners.empty() && !same)) enqueue(key_of(gvr, *after));
    if (before != nullptr && !same) wake_owners(world, *before, enqueue);
    return;
  }
  // Gone: its dependents may be garbage now, its owners may wait for it.
  const std::string uid(api::uid_of(*before));
  for (const Dependent& d : dependents_of(world, uid)) enqueue(key_of(d.gvr, *d.object, uid));
  wake_owners(world, *before, enqueue);
}

// Those that are being deleted: they may wait for this dependent.
void GarbageCollector::wake_owners(const World& world, const json::value& dependent,
                                   const Enqueue& enqueue) const {
  for (const json::value& reference : api::owner_references_of(dependent)) {
    const auto owner = gvr_of(world, reference);
    if (!owner) continue;
    const std::string ns(owner->namespaced ? api::namespace_of(dependent) : std::string_view());
    const ObjectPtr object = world.get(*owner, ns, std::string(get_string(reference, "name")));
    if (object && is_deleting(*object)) enqueue(key_of(*owner, *object));
  }
}

std::vector<GarbageCollector::Dependent> GarbageCollector::dependents_of(
    const World& world, const std::string& uid) const {
  std::vector<Dependent> all;
  for (const client::Gvr& gvr : kinds(world)) {
    for (ObjectPtr& object : world.of(gvr).by_index(kOwnerIndex, uid)) {
      all.push_back({gvr, std::move(object)});
    }
  }
  return all;
}

GarbageCollector::Owner GarbageCollector::look_up(const World& world, const json::value& reference,
                                                  const json::value& dependent,
                                                  const Known& known) const {
  const std::string uid(get_string(reference, "uid"));
  if (uid == known.gone) return Owner::kGone;
  if (uid == known.waits) return Owner::kWaits;
  const auto gvr = gvr_of(world, reference);
  if (!gvr) return Owner::kUnknown;
  const std::string ns(gvr->namespaced ? api::namespace_of(dependent) : std::string_view());
  const ObjectPtr owner = world.get(*gvr, ns, std::string(get_string(reference, "name")));
  if (owner && api::uid_of(*owner) == uid) {
    return waits_for_dependents(*owner) ? Owner::kWaits : Owner::kThere;
  }
  long long version = 0;
  if (!parse_int(api::resource_version_of(dependent), &version)) return Owner::kUnknown;
  return world.version(*gvr) >= version ? Owner::kGone : Owner::kUnknown;
}

Plan GarbageCollector::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const auto parts = split(key, '|');
  if (parts.size() < 2) return plan;
  const auto gvr = gvr_of_key(world, parts[0]);
  const ObjectPtr object = gvr ? world.of(*gvr).get(parts[1]) : nullptr;
  if (object == nullptr) return plan;
  plan.about = object;
  if (is_deleting(*object)) {
    if (api::has_finalizer(*object, kOrphan))
      orphan(world, *gvr, object, &plan);
    else if (api::has_finalizer(*object, kForeground))
      foreground(world, *gvr, object, &plan);
  } else {
    judge(world, *gvr, object, {parts.size() > 2 ? parts[2] : "", ""}, &plan);
  }
  return plan;
}

// Dependents first: the owner goes when no dependent that blocks it is left.
void GarbageCollector::foreground(const World& world, const client::Gvr& gvr,
                                  const client::ObjectPtr& object, Plan* plan) const {
  const std::string uid(api::uid_of(*object));
  bool blocked = false;
  for (const Dependent& d : dependents_of(world, uid)) {
    for (const json::value& reference : api::owner_references_of(*d.object)) {
      if (get_string(reference, "uid") == uid) {
        blocked = blocked || get_bool(reference, "blockOwnerDeletion");
      }
    }
    if (!is_deleting(*d.object)) judge(world, d.gvr, d.object, {"", uid}, plan);
  }
  if (!blocked) remove_finalizer(gvr, *object, kForeground, plan);
}

void GarbageCollector::orphan(const World& world, const client::Gvr& gvr,
                              const client::ObjectPtr& object, Plan* plan) const {
  const std::string uid(api::uid_of(*object));
  std::vector<client::Gvr> looked;
  if (gvr.namespaced) {
    looked = {gvr::kPods, gvr::kReplicaSets, gvr::kControllerRevisions, gvr::kJobs};
  }
  for (const Dependent& d : dependents_of(world, uid)) {
    plan->patch(d.gvr, *d.object, without_owner(*d.object, {uid}), client::PatchType::kMerge);
    if (std::find(looked.begin(), looked.end(), d.gvr) == looked.end()) looked.push_back(d.gvr);
  }
  // A dependent that our caches do not show yet would be garbage in a moment: the server is asked.
  for (const client::Gvr& kind : looked) {
    const std::string ns(gvr.namespaced ? api::namespace_of(*object) : std::string_view());
    plan->only_if(kind, ns, "", [uid](const json::array& items) {
      return std::none_of(items.begin(), items.end(),
                          [&](const json::value& item) { return refers_to(item, uid); });
    });
  }
  // In the same plan, behind them: a failing patch ends it before.
  remove_finalizer(gvr, *object, kOrphan, plan);
}

// Whether one of its dependents waits for the end of its own: then that one may be waited for too.
bool GarbageCollector::in_circle(const World& world, const std::string& uid) const {
  const std::vector<Dependent> own = dependents_of(world, uid);
  return std::any_of(own.begin(), own.end(),
                     [](const Dependent& d) { return waits_for_dependents(*d.object); });
}

void GarbageCollector::judge(const World& world, const client::Gvr& gvr,
                             const client::ObjectPtr& object, const Known& known,
                             Plan* plan) const {
  std::vector<std::string> gone, waiting;
  size_t there = 0, unknown = 0;
  for (const json::value& reference : api::owner_references_of(*object)) {
    const Owner owner = look_up(world, reference, *object, known);
    if (owner == Owner::kThere) ++there;
    if (owner == Owner::kUnknown) ++unknown;
    if (owner == Owner::kGone) gone.emplace_back(get_string(reference, "uid"));
    if (owner == Owner::kWaits) waiting.emplace_back(get_string(reference, "uid"));
  }
  if (unknown > 0) plan->look_again(kUnsure);
  if ((gone.empty() && waiting.empty()) || unknown > 0) return;
  if (there > 0) {
    gone.insert(gone.end(), waiting.begin(), waiting.end());
    plan->patch(gvr, *object, without_owner(*object, gone), client::PatchType::kMerge);
    return;
  }
  const std::string uid(api::uid_of(*object));
  const bool in_turn = !waiting.empty() && !dependents_of(world, uid).empty();
  if (in_turn && blocks_an_owner(*object) && in_circle(world, uid)) {
    // It is deleted when this has been seen.
    plan->patch(gvr, *object, unblocked(*object), client::PatchType::kMerge);
    return;
  }
  // Only as we see it: that it was orphaned may reach our cache after its owner's end did.
  client::DeleteOptions& options = plan->remove(gvr, *object).delete_options;
  options.propagation_policy = in_turn ? "Foreground" : "Background";
  options.resource_version = api::resource_version_of(*object);
}

}  // namespace coracle::controllers
