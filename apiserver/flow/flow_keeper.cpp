#include "apiserver/flow/flow_keeper.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "api/strategy.hpp"
#include "apiserver/bootstrap.hpp"
#include "apiserver/bootstrap_objects.hpp"
#include "apiserver/registry/codec.hpp"
#include "base/log.hpp"

namespace coracle::apiserver {

namespace {

constexpr const char* kGroup = "flowcontrol.apiserver.k8s.io";

// Whose spec is the server's business: the mandatory, and the suggested unless somebody took over.
bool is_managed(const json::value& object) {
  if (is_mandatory_flow(api::name_of(object))) return true;
  const std::string_view says = api::annotation_of(object, kFlowAutoUpdate);
  return says == "true" || (says.empty() && get_int(object, "metadata.generation") == 1);
}

// Null: it is as it should be.
json::value with_default_spec(const json::value& wanted, const json::value& current) {
  if (!is_managed(current)) return nullptr;
  json::value spec = *find(wanted, "spec");
  // The shares of the exempt level are for the administrator to say.
  const json::value* own = find(current, "spec.exempt");
  if (own != nullptr && get_string(wanted, "spec.type") == "Exempt") set_path(spec, "exempt", *own);
  const json::value* is = find(current, "spec");
  if (is != nullptr && *is == spec) return nullptr;
  json::value next = current;
  set_path(next, "spec", std::move(spec));
  set_path(next, "metadata.generation", get_int(current, "metadata.generation") + 1);
  return next;
}

const json::value* dangling(const json::value& schema) {
  for (const json::value& one : get_array(schema, "status.conditions")) {
    if (get_string(one, "type") == "Dangling") return &one;
  }
  return nullptr;
}

}  // namespace

json::value dangling_condition(std::string_view level, bool there, WallTime since) {
  json::object out;
  out["type"] = "Dangling";
  out["status"] = there ? "False" : "True";
  out["lastTransitionTime"] = format_time(since);
  out["reason"] = there ? "Found" : "NotFound";
  out["message"] = "This FlowSchema references the PriorityLevelConfiguration object named \"" +
                   std::string(level) + "\" " +
                   (there ? "and it exists" : "but there is no such object");
  return out;
}

std::vector<json::value> FlowKeeper::Kind::objects() const {
  std::vector<json::value> out;
  if (cache == nullptr) return out;
  cache->scan("", "", [&](const ObjectPtr& object) {
    out.push_back(tree_of(*info, *object->tail()));
    return true;
  });
  return out;
}

void FlowKeeper::watch(Kind& kind, const char* plural) {
  kind.info = m_.catalog.find(kGroup, "v1", plural);
  kind.cache = kind.info == nullptr ? nullptr : m_.feed.cache(kind.info->storage_prefix);
  if (kind.cache == nullptr) return;
  const auto id = kind.cache->watch({}, kind.cache->last_change(), this);
  CHECK(id.ok());
  kind.watcher = *id;
}

void FlowKeeper::start() {
  started_ = true;
  watch(schemas_, "flowschemas");
  watch(levels_, "prioritylevelconfigurations");
  reload();
  schedule(Duration::zero());
}

void FlowKeeper::stop() {
  if (!started_) return;
  started_ = false;
  *alive_ = false;
  m_.executor.cancel(timer_);
  for (Kind* kind : {&schemas_, &levels_}) {
    if (kind->cache != nullptr) kind->cache->unwatch(kind->watcher);
  }
}

// Several changes that come together are one.
void FlowKeeper::on_event(const EventPtr&) {
  if (std::exchange(reloading_, true)) return;
  m_.executor.post([this, alive = alive_] {
    if (!*alive) return;
    reloading_ = false;
    reload();
    schedule(Duration::zero());
  });
}

void FlowKeeper::reload() {
  std::vector<FlowSchema> schemas;
  std::vector<PriorityLevel> levels;
  for (const json::value& one : schemas_.objects()) schemas.push_back(FlowSchema::from_json(one));
  for (const json::value& one : levels_.objects()) levels.push_back(PriorityLevel::from_json(one));
  flow_.configure(std::move(schemas), std::move(levels));
}

void FlowKeeper::schedule(Duration delay) {
  m_.executor.cancel(timer_);
  timer_ = m_.executor.after(delay, [this, alive = alive_] {
    if (!*alive) return;
    if (keeping_) return schedule(std::chrono::seconds(1));
    keeping_ = true;
    spawn(keep(), std::function<void(bool)>([this, alive](bool) {
            if (!*alive) return;
            keeping_ = false;
            schedule(kEvery);
          }));
  });
}

Task<bool> FlowKeeper::keep() {
  const auto alive = alive_;
  if (schemas_.cache == nullptr || levels_.cache == nullptr) co_return true;
  for (json::value& wanted : flow_control_objects()) {
    const Status kept = co_await keep_default(std::move(wanted));
    if (!*alive) co_return false;
    if (!kept.ok()) log::warn("flow control: {}", kept.message());
  }
  for (json::value& schema : schemas_.objects()) {
    const Status kept = co_await keep_condition(std::move(schema));
    if (!*alive) co_return false;
    if (!kept.ok()) log::warn("flow control: {}", kept.message());
  }
  co_return true;
}

Task<Status> FlowKeeper::keep_default(json::value wanted) {
  const Kind& kind = get_string(wanted, "kind") == "FlowSchema" ? schemas_ : levels_;
  const std::string name(api::name_of(wanted));
  const ObjectPtr there = kind.cache->find(name);
  if (!there) co_return co_await create_as_server(m_, registry_, std::move(wanted));
  api::default_object(*kind.info, m_.hooks, wanted);
  if (with_default_spec(wanted, tree_of(*kind.info, *there->tail())).is_null()) co_return Status();
  log::info("{} {} gets its default spec back", kind.info->kind, name);
  const Decide decide = [&wanted](const json::value& current) -> Outcome<Change> {
    json::value next = with_default_spec(wanted, current);
    if (next.is_null()) return Change{Change::Kind::kNone, current};
    return Change{Change::Kind::kPut, std::move(next)};
  };
  const auto saved = co_await registry_.access().mutate({kind.info, "", name}, decide, false);
  if (saved.ok() || saved.error().http_code == 404) co_return Status();
  co_return unavailable(std::string(saved.error().message()));
}

Task<Status> FlowKeeper::keep_condition(json::value schema) {
  const std::string level(get_string(schema, "spec.priorityLevelConfiguration.name"));
  const bool there = levels_.cache->find(level) != nullptr;
  const json::value wanted = dangling_condition(level, there, m_.executor.wall_now());
  const auto same = [&](const json::value& object) {
    const json::value* is = dangling(object);
    return is != nullptr && get_string(*is, "status") == get_string(wanted, "status") &&
           get_string(*is, "message") == get_string(wanted, "message");
  };
  if (same(schema)) co_return Status();
  const Decide decide = [&](const json::value& current) -> Outcome<Change> {
    if (same(current)) return Change{Change::Kind::kNone, current};
    json::array conditions;
    for (const json::value& one : get_array(current, "status.conditions")) {
      if (get_string(one, "type") != "Dangling") conditions.push_back(one);
    }
    conditions.push_back(wanted);
    json::value next = current;
    set_path(next, "status.conditions", std::move(conditions));
    return Change{Change::Kind::kPut, std::move(next)};
  };
  const Target target{schemas_.info, "", std::string(api::name_of(schema))};
  const auto saved = co_await registry_.access().mutate(target, decide, false);
  if (saved.ok() || saved.error().http_code == 404) co_return Status();
  co_return unavailable(std::string(saved.error().message()));
}

}  // namespace coracle::apiserver
