#include "apiserver/rbac/reconcile.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "apiserver/bootstrap.hpp"
#include "apiserver/registry/codec.hpp"
#include "base/log.hpp"

namespace coracle::apiserver::rbac {

namespace {

constexpr std::size_t kAtOnce = 32;  // writes under way

bool add_members(json::value& object, const json::value& wanted, const std::string& path) {
  bool changed = false;
  for (const auto& entry : get_object(wanted, path)) {
    if (find_member(get_object(object, path), entry.key()) != nullptr) continue;
    make_object(object, path)[entry.key()] = entry.value();
    changed = true;
  }
  return changed;
}

// Rules of `wanted` that the present ones do not cover; an aggregated role's are not ours.
bool add_rules(json::value& object, const json::value& wanted) {
  const json::value* aggregation = find(wanted, "aggregationRule");
  if (aggregation != nullptr) {
    const json::value* have = find(object, "aggregationRule");
    if (have != nullptr && !have->is_null()) return false;
    object.get_object()["aggregationRule"] = *aggregation;
    return true;
  }
  const PolicyRules missing = missing_rules(rules_of(object), rules_of(wanted));
  if (missing.empty()) return false;
  PolicyRules all = rules_of(object);
  const PolicyRules more = compacted(missing);
  all.insert(all.end(), more.begin(), more.end());
  object.get_object()["rules"] = rules_to_json(all);
  return true;
}

bool add_subjects(json::value& object, const json::value& wanted) {
  json::array all = get_array(object, "subjects");
  const std::size_t before = all.size();
  for (const json::value& subject : get_array(wanted, "subjects")) {
    const bool there = std::any_of(all.begin(), all.end(), [&](const json::value& have) {
      return get_string(have, "kind") == get_string(subject, "kind") &&
             get_string(have, "name") == get_string(subject, "name") &&
             get_string(have, "namespace") == get_string(subject, "namespace");
    });
    if (!there) all.push_back(subject);
  }
  if (all.size() == before) return false;
  object.get_object()["subjects"] = std::move(all);
  return true;
}

Task<Status> settle(Machinery& m, Registry& registry, json::value wanted) {
  const api::ResourceInfo* info = m.catalog.find_for(wanted);
  const ResourceCache* cache = info == nullptr ? nullptr : m.feed.cache(info->storage_prefix);
  if (cache == nullptr) co_return Status();  // a smaller catalog (tests) has no such kind
  const Target target{info, std::string(api::namespace_of(wanted)),
                      std::string(api::name_of(wanted))};
  const ObjectPtr there =
      cache->find(target.ns.empty() ? target.name : target.ns + "/" + target.name);
  if (!there) co_return co_await create_as_server(m, registry, std::move(wanted));
  if (reconciled(wanted, tree_of(*info, *there->tail())).is_null()) co_return Status();
  log::info("{} {}: puts back what the default gives", info->kind, target.name);
  const Decide decide = [&wanted](const json::value& current) -> Outcome<Change> {
    json::value next = reconciled(wanted, current);
    if (next.is_null()) return Change{Change::Kind::kNone, current};
    return Change{Change::Kind::kPut, std::move(next)};
  };
  const auto saved = co_await registry.access().mutate(target, decide, false);
  if (saved.ok() || saved.error().http_code < 500) co_return Status();
  co_return unavailable(std::string(saved.error().message()));
}

// All at once, but never more than kAtOnce: a new cluster has more than a hundred.
struct Batch : std::enable_shared_from_this<Batch> {
  Machinery& m;
  Registry& registry;
  std::vector<json::value> objects;
  std::function<void(Status)> done;
  std::size_t next = 0, running = 0;
  Status bad;

  Batch(Machinery& machinery, Registry& all) : m(machinery), registry(all) {}

  void pump() {
    while (running < kAtOnce && next < objects.size()) {
      ++running;
      json::value object = std::move(objects[next++]);
      spawn(settle(m, registry, std::move(object)),
            std::function<void(Status)>([self = shared_from_this()](Status status) {
              --self->running;
              if (!status.ok() && self->bad.ok()) self->bad = status;
              if (self->next < self->objects.size()) {
                self->pump();
              } else if (self->running == 0 && self->done) {
                std::exchange(self->done, nullptr)(self->bad);
              }
            }));
    }
  }
};

}  // namespace

json::value reconciled(const json::value& wanted, const json::value& current) {
  if (api::annotation_of(current, kAutoUpdate) == "false") return nullptr;
  json::value next = current;
  bool changed = add_members(next, wanted, "metadata.labels");
  changed = add_members(next, wanted, "metadata.annotations") || changed;
  const bool role = api::kind_of(wanted).ends_with("Role");
  changed = (role ? add_rules(next, wanted) : add_subjects(next, wanted)) || changed;
  return changed ? next : json::value();
}

Task<Status> reconcile_policy(Machinery& m, Registry& registry, const DefaultPolicy& policy) {
  auto batch = std::make_shared<Batch>(m, registry);
  for (const DefaultRole& role : policy.roles) batch->objects.push_back(role_object(role));
  for (const DefaultBinding& binding : policy.bindings) {
    batch->objects.push_back(binding_object(binding));
  }
  const Status made = co_await Callback<Status>([batch](std::function<void(Status)> done) {
    batch->done = std::move(done);
    batch->pump();
  });
  co_return made;
}

}  // namespace coracle::apiserver::rbac
