#include "apiserver/registry/custom_kinds.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/log.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kGroup = "apiextensions.k8s.io";
constexpr std::string_view kPrefix = "customresourcedefinitions";

bool deleting(const json::value& definition) {
  return !api::deletion_timestamp_of(definition).empty();
}

std::string fingerprint_of(const json::value& definition) {
  std::string out(api::uid_of(definition));
  for (const char* path : {"spec", "status.acceptedNames"}) {
    if (const json::value* part = find(definition, path)) out += to_json(*part);
  }
  return out + (deleting(definition) ? "d" : "");
}

bool same_shape(const ObjectShape& a, const ObjectShape& b) {
  return a.storage_prefix == b.storage_prefix && a.kind == b.kind &&
         a.api_version == b.api_version && a.namespaced == b.namespaced &&
         a.field_paths == b.field_paths;
}

}  // namespace

CustomKinds::CustomKinds(Machinery& machinery, api::Catalog& catalog, Registry& registry,
                         api::CustomRules rules, std::function<void()> changed)
    : m_(machinery),
      catalog_(catalog),
      registry_(registry),
      rules_(rules),
      changed_(std::move(changed)),
      definitions_(catalog.find(kGroup, "v1", kPrefix)) {}

CustomKinds::~CustomKinds() {
  *alive_ = false;
  stop();
}

void CustomKinds::start() {
  if (watcher_ != 0 || settled_) return;
  cache_ = definitions_ == nullptr ? nullptr : m_.feed.cache(definitions_->storage_prefix);
  if (cache_ == nullptr) {
    settled_ = true;
    return;
  }
  const auto id = cache_->watch({}, m_.feed.revision(), this);
  CHECK_MSG(id.ok(), id.status().to_string());
  watcher_ = *id;
  wake();
}

void CustomKinds::stop() {
  stopped_ = true;
  if (watcher_ != 0) cache_->unwatch(std::exchange(watcher_, 0));
}

void CustomKinds::on_event(const EventPtr&) { wake(); }

void CustomKinds::wake() {
  if (stopped_) return;
  if (running_) {
    again_ = true;
    return;
  }
  running_ = true;
  // Not from within the feed: a pass changes the feed's caches.
  m_.executor.post([this, alive = alive_] {
    if (!*alive || stopped_) return;
    spawn(run(), std::function<void(bool)>([](bool) {}));
  });
}

void CustomKinds::wake_later() {
  if (std::exchange(later_, true)) return;
  m_.executor.after(retry_, [this, alive = alive_] {
    if (!*alive || stopped_) return;
    later_ = false;
    wake();
  });
  retry_ = std::min(2 * retry_, kRetryMax);
}

Task<bool> CustomKinds::run() {
  const auto alive = alive_;
  do {
    again_ = false;
    const bool good = co_await pass();
    if (!*alive || stopped_) co_return false;
    if (good)
      retry_ = kRetry;
    else
      wake_later();
  } while (again_);
  running_ = false;
  co_return true;
}

CustomKinds::Definitions CustomKinds::read() const {
  Definitions out;
  cache_->scan("", "", [&](const ObjectPtr& object) {
    out[std::string(object->name())] = tree_of(*definitions_, *object->tail());
    return true;
  });
  return out;
}

Task<bool> CustomKinds::pass() {
  const auto alive = alive_;
  Definitions definitions = read();
  bool good = co_await settle_names(definitions);
  if (!*alive || stopped_) co_return false;
  good = co_await serve(definitions) && good;
  if (!*alive || stopped_) co_return false;
  settled_ = settled_ || good;
  for (const auto& [name, definition] : definitions) {
    if (!deleting(definition) || !api::has_finalizer(definition, api::kCustomFinalizer)) continue;
    good = co_await clean(definition) && good;
    if (!*alive || stopped_) co_return false;
  }
  co_return good;
}

Task<bool> CustomKinds::write_status(std::string name, std::function<void(json::value&)> change) {
  const Decide decide = [&change](const json::value& current) -> Outcome<Change> {
    Change out{Change::Kind::kPut, current};
    change(out.object);
    if (api::same_object(out.object, current)) out.kind = Change::Kind::kNone;
    const bool over = deleting(current) && api::finalizers_of(out.object).empty();
    if (over) out.kind = Change::Kind::kDelete;
    return out;
  };
  const auto saved = co_await registry_.access().mutate({definitions_, "", name}, decide, false);
  if (!saved.ok() && saved.error().http_code != 404) {
    log::warn("definition {}: {}", name, saved.error().message());
    co_return false;
  }
  co_return true;
}

Task<bool> CustomKinds::settle_names(Definitions& definitions) {
  const auto alive = alive_;
  bool good = true;
  for (auto& [name, definition] : definitions) {
    if (deleting(definition)) continue;
    api::NamesInUse others;
    const std::string_view group = get_string(definition, "spec.group");
    for (const auto& [other, candidate] : definitions) {
      if (other != name && get_string(candidate, "spec.group") == group) others.add(candidate);
    }
    const std::string now = format_time(m_.executor.wall_now());
    json::value settled = api::settled_definition(definition, others, now);
    if (api::same_object(settled, definition)) continue;
    good = co_await write_status(name,
                                 [&](json::value& current) {
                                   current = api::settled_definition(current, others, now);
                                 }) &&
           good;
    if (!*alive || stopped_) co_return false;
    definition = std::move(settled);
  }
  co_return good;
}

Task<bool> CustomKinds::serve(const Definitions& definitions) {
  const auto alive = alive_;
  bool changed = false, good = true;
  for (const auto& [name, definition] : definitions) {
    if (!api::definition_condition(definition, "Established")) continue;
    const std::string print = fingerprint_of(definition);
    const auto known = live_.find(name);
    if (known != live_.end() && known->second.fingerprint == print) continue;
    if (const auto bad = broken_.find(name); bad != broken_.end() && bad->second == print) continue;
    good = co_await make_live(name, definition) && good;
    if (!*alive || stopped_) co_return false;
    changed = true;
  }
  for (auto it = live_.begin(); it != live_.end();) {
    const auto still = definitions.find(it->first);
    if (still != definitions.end() && api::definition_condition(still->second, "Established")) {
      ++it;
      continue;
    }
    const std::shared_ptr<ResourceCache> cache = it->second.cache;
    it = live_.erase(it);
    publish();
    m_.feed.leave(cache->shape().storage_prefix);
    registry_.end_watches_of(*cache);
  }
  std::erase_if(broken_, [&](const auto& entry) { return !definitions.contains(entry.first); });
  if (changed) publish();
  co_return good;
}

Task<bool> CustomKinds::make_live(const std::string& name, const json::value& definition) {
  const auto alive = alive_;
  auto kind = api::CustomKind::compile(definition, catalog_.schemas(), rules_);
  if (!kind.ok()) {
    log::warn("definition {} is not served: {}", name, kind.status().to_string());
    broken_[name] = fingerprint_of(definition);
    co_return true;
  }
  broken_.erase(name);
  Live& live = live_[name];
  live.fingerprint = fingerprint_of(definition);
  const ObjectShape shape = shape_of((*kind)->storage());
  if (live.cache == nullptr || !same_shape(live.cache->shape(), shape)) {
    const std::shared_ptr<ResourceCache> before = std::move(live.cache);
    live.cache = std::make_shared<ResourceCache>(shape);
    const bool joined = co_await m_.feed.join(live.cache);
    if (!*alive || !joined) co_return false;
    if (before) registry_.end_watches_of(*before);
  }
  live.kind = *std::move(kind);
  co_return true;
}

void CustomKinds::publish() {
  std::vector<std::shared_ptr<const api::CustomKind>> kinds;
  for (const auto& [name, live] : live_) {
    if (live.kind) kinds.push_back(live.kind);
  }
  catalog_.set_custom(std::move(kinds));
  changed_();
}

Task<bool> CustomKinds::remove_objects(const Live& live) {
  const auto alive = alive_;
  std::vector<ObjectPtr> objects;
  live.cache->scan("", "", [&](const ObjectPtr& object) {
    objects.push_back(object);
    return true;
  });
  const auto kind = live.kind;
  const auto cache = live.cache;
  for (const ObjectPtr& object : objects) {
    Context one;
    one.resource = one.storage = &kind->storage();
    one.cache = cache.get();
    one.info.is_resource = true;
    one.info.verb = "delete";
    one.info.ns = object->ns();
    one.info.name = object->name();
    const auto removed = co_await registry_.remover().remove_object(one, {});
    if (!*alive || stopped_) co_return false;
    if (!removed.ok() && removed.error().http_code != 404) {
      log::warn("{}: {}", object->key(), removed.error().message());
      co_return false;
    }
  }
  const Status fresh = co_await m_.feed.read_barrier();
  if (!*alive || stopped_) co_return false;
  co_return fresh.ok() && cache->size() == 0;
}

// The objects first, then the definition.
Task<bool> CustomKinds::clean(const json::value& definition) {
  const auto alive = alive_;
  const std::string name(api::name_of(definition));
  const std::string now = format_time(m_.executor.wall_now());
  const auto live = live_.find(name);
  if (live != live_.end() && live->second.kind) {
    if (live->second.cache->size() > 0) {
      const bool told = co_await write_status(name, [&](json::value& current) {
        api::set_definition_condition(current, "Terminating", true, "InstanceDeletionInProgress",
                                      "CustomResource deletion is in progress", now);
      });
      if (!*alive || stopped_ || !told) co_return false;
    }
    const bool empty = co_await remove_objects(live->second);
    if (!*alive || stopped_ || !empty) co_return false;
  }
  co_return co_await write_status(name, [&](json::value& current) {
    api::set_definition_condition(current, "Terminating", false, "InstanceDeletionCompleted",
                                  "removed all instances", now);
    api::remove_finalizer(current, api::kCustomFinalizer);
  });
}

}  // namespace coracle::apiserver
