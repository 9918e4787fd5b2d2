#include "apiserver/registry/store_access.hpp"

#include <utility>

#include "api/object.hpp"
#include "api/strategy.hpp"
#include "apiserver/registry/codec.hpp"
#include "apiserver/registry/conversion.hpp"

namespace coracle::apiserver {

namespace {

// Of a kind whose objects come and go by the thousand and are hardly ever changed.
bool is_event(const api::ResourceInfo& storage) { return storage.kind == "Event"; }

constexpr std::int64_t kEventSeconds = 3600;
constexpr std::int64_t kLeaseShareSeconds = 60;

Bytes tail_bytes(const api::ResourceInfo& storage, std::string_view stored, std::int64_t revision) {
  const std::string head = head_of(storage);
  if (revision == 0) return std::make_shared<const std::string>(stored.substr(head.size()));
  return std::make_shared<const std::string>(tail_of(head, stored, revision));
}

}  // namespace

std::string Target::key() const {
  std::string out = std::string(kRegistry) + storage->storage_prefix + "/";
  if (storage->namespaced) out += ns + "/";
  return out + name;
}

Task<Outcome<std::int64_t>> StoreAccess::lease_for(const api::ResourceInfo& storage) {
  if (!is_event(storage)) co_return std::int64_t{0};
  const TimePoint now = m_.executor.now();
  if (lease_ != 0 && now < lease_until_) co_return lease_;
  auto granted = co_await m_.store.grant_lease(kEventSeconds + kLeaseShareSeconds);
  if (!granted.ok()) co_return store_error(granted.status(), false);
  lease_ = *granted;
  lease_until_ = now + std::chrono::seconds(kLeaseShareSeconds);
  co_return lease_;
}

void StoreAccess::keep_tree(const api::ResourceInfo& storage, const client::GuardedWrite& write,
                            json::value tree) {
  // Custom objects may be stored in several versions: their trees are converted when they are read.
  if (storage.custom != nullptr || !tree.is_object()) return;
  m_.feed.recent().keep(write.key, write.value, std::move(tree), is_event(storage));
}

Task<Outcome<Saved>> StoreAccess::create(Target target, std::string stored, bool dry_run,
                                         json::value tree) {
  client::GuardedWrite write;
  write.key = target.key();
  write.value = stored;
  write.read_on_conflict = false;
  Saved saved;
  if (dry_run) {
    client::RangeRequest look;
    look.key = write.key;
    look.count_only = true;
    const auto there = co_await m_.store.range(std::move(look));
    if (!there.ok()) co_return store_error(there.status(), true);
    if (there->count > 0) co_return api::already_exists_error(target.group_name(), target.name);
    saved.tail = tail_bytes(*target.storage, stored, 0);
    co_return saved;
  }
  CO_TRY_OUTCOME(write.lease, co_await lease_for(*target.storage));
  keep_tree(*target.storage, write, std::move(tree));
  const auto result = co_await m_.store.write(std::move(write));
  if (!result.ok()) co_return store_error(result.status(), false);
  if (!result->succeeded) co_return api::already_exists_error(target.group_name(), target.name);
  saved.revision = result->revision;
  saved.tail = tail_bytes(*target.storage, stored, saved.revision);
  co_return saved;
}

Task<Outcome<StoreAccess::Current>> StoreAccess::load(Target target, bool from_cache) {
  Current current;
  if (from_cache) {
    const ResourceCache* cache = m_.feed.cache(target.storage->storage_prefix);
    const std::string key =
        target.storage->namespaced ? target.ns + "/" + target.name : target.name;
    const ObjectPtr object = cache == nullptr ? nullptr : cache->find(key);
    if (object && cache->unreadable(key) == nullptr) {
      current.revision = object->revision();
      current.tree = m_.feed.recent().take(target.key(), current.revision);
      if (current.tree) co_return current;
      current.stored = object->other_version() ? to_json(tree_as_stored(*target.storage, *object))
                                               : head_of(*target.storage) + *object->tail();
      co_return current;
    }
  }
  client::RangeRequest look;
  look.key = target.key();
  auto found = co_await m_.store.range(std::move(look));
  if (!found.ok()) co_return store_error(found.status(), true);
  if (found->kvs.empty()) co_return api::not_found_error(target.group_name(), target.name);
  current.fresh = true;
  current.revision = found->kvs[0].mod_revision;
  current.stored = std::move(found->kvs[0].value);
  current.outdated = found->kvs[0].form == client::KeyValue::Form::kOutdated;
  co_return current;
}

Task<Outcome<json::value>> StoreAccess::decode(const Target& target, Current& current) const {
  json::value tree;
  if (current.tree) {
    tree = *std::exchange(current.tree, std::nullopt);
  } else {
    auto parsed = parse_json(current.stored);
    if (!parsed.ok()) co_return api::internal_api_error(parsed.status().message());
    tree = *std::move(parsed);
  }
  if (!tree.is_object()) {
    co_return api::internal_api_error("stored object " + target.key() + " is no JSON object");
  }
  set_path(tree, "metadata.resourceVersion", json::value(std::to_string(current.revision)));
  const std::string_view version = api::api_version_of(tree);
  if (!target.storage->custom || version == target.storage->api_version) co_return tree;
  std::vector<json::value> one;
  one.push_back(std::move(tree));
  CO_TRY_OUTCOME(std::vector<json::value> made,
                 co_await convert_all(m_, *target.storage, std::move(one)));
  co_return std::move(made.front());
}

Task<Outcome<json::value>> StoreAccess::read(Target target) {
  CO_TRY_OUTCOME(Current current, co_await load(target, true));
  co_return co_await decode(target, current);
}

Task<Outcome<Saved>> StoreAccess::mutate(Target target, Decide decide, bool dry_run) {
  // The coroutine reads `decide` from the closure, which mutate_later keeps.
  return mutate_later(
      std::move(target),
      [decide = std::move(decide)](json::value& current) -> Task<Outcome<Change>> {
        co_return decide(current);
      },
      dry_run);
}

Task<Outcome<Saved>> StoreAccess::mutate_later(Target target, DecideLater decide, bool dry_run) {
  CO_TRY_OUTCOME(Current current, co_await load(target, true));
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    CO_TRY_OUTCOME(json::value tree, co_await decode(target, current));
    Outcome<Change> change = co_await decide(tree);
    const bool believable = change.ok() && change->kind != Change::Kind::kNone && !dry_run;
    if (!believable && !current.fresh) {
      CO_TRY_OUTCOME(current, co_await load(target, false));
      continue;
    }
    if (!change.ok()) co_return change.error();
    if (change->kind == Change::Kind::kNone && current.outdated) {
      // Keys are rotated by writing everything once more as it is.
      change->kind = Change::Kind::kPut;
      change->object = std::move(tree);
    }
    Saved saved;
    saved.revision = current.revision;
    saved.deleted = change->kind == Change::Kind::kDelete;
    saved.changed = change->kind != Change::Kind::kNone;
    const std::string stored =
        encode_stored(*target.storage, saved.changed ? change->object : tree);
    // While its blocks are still in the processor's cache, not after the wait for the store.
    tree = nullptr;
    if (dry_run || !saved.changed) {
      saved.tail = tail_bytes(*target.storage, stored, saved.revision);
      co_return saved;
    }
    client::GuardedWrite write;
    write.op = saved.deleted ? client::GuardedWrite::Op::kDelete : client::GuardedWrite::Op::kPut;
    write.key = target.key();
    if (!saved.deleted) write.value = stored;
    write.expected_mod_revision = current.revision;
    if (!saved.deleted) {
      CO_TRY_OUTCOME(write.lease, co_await lease_for(*target.storage));
      keep_tree(*target.storage, write, std::move(change->object));
    }
    change->object = nullptr;
    auto result = co_await m_.store.write(std::move(write));
    if (!result.ok()) co_return store_error(result.status(), false);
    if (result->succeeded) {
      saved.revision = result->revision;
      saved.tail = tail_bytes(*target.storage, stored, saved.revision);
      co_return saved;
    }
    if (result->current.empty()) co_return api::not_found_error(target.group_name(), target.name);
    current.revision = result->current[0].mod_revision;
    current.stored = std::move(result->current[0].value);
    current.outdated = result->current[0].form == client::KeyValue::Form::kOutdated;
    current.fresh = true;
  }
  co_return api::conflict_error(target.group_name(), target.name, api::kStaleObject);
}

}  // namespace coracle::apiserver
