// store_access: the ways the registry writes to the store: a guarded create, and the read-decide-
// write loop behind every other verb.
//
// Nothing is retried whose outcome is unknown. Bound: kAttemptsMax lost races, then 409.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

// An object in the storage version on its way to the store.
struct Target {
  const api::ResourceInfo* storage = nullptr;
  std::string ns, name;

  std::string key() const;  // the store's: /registry/pods/ns/name
  api::GroupName group_name() const { return {storage->group, storage->plural}; }
};

// What came of a write.
struct Saved {
  Bytes tail;  // as the cache will hold it
  std::int64_t revision = 0;
  bool deleted = false;
  bool changed = true;  // false: it was so already, nothing was written
};

// What to do with the object there is.
struct Change {
  enum class Kind { kNone, kPut, kDelete };
  Kind kind = Kind::kNone;
  json::value object;  // kPut: the new one; kDelete: what the answer shows
};
// `current` is in the storage version and has its resourceVersion. Who changes it may move it into
// the Change instead of copying it; with kNone it must be as it was. May be called several times.
using Decide = std::function<Outcome<Change>(json::value& current)>;
// The same for decisions that others are asked for (admission webhooks).
using DecideLater = std::function<Task<Outcome<Change>>(json::value& current)>;

class StoreAccess {
 public:
  static constexpr int kAttemptsMax = 100;

  explicit StoreAccess(Machinery& machinery) : m_(machinery) {}

  // `stored`: as encode_stored() makes it, of `tree` if the caller has no more use for that; else
  // that is null. 409 AlreadyExists when it is there. With dry_run nothing is written and revision
  // is 0.
  Task<Outcome<Saved>> create(Target target, std::string stored, bool dry_run,
                              json::value tree = nullptr);
  // 404 when it is not there. The first decision is taken on the cached object; an error or a
  // "nothing to do" that comes of it is checked against the store before it is believed.
  Task<Outcome<Saved>> mutate(Target target, Decide decide, bool dry_run);
  Task<Outcome<Saved>> mutate_later(Target target, DecideLater decide, bool dry_run);
  // As the cache or, when it lacks the object, the store has it, in the storage version.
  Task<Outcome<json::value>> read(Target target);

 private:
  struct Current {
    std::int64_t revision = 0;
    std::string stored;  // head + metadata without resourceVersion, or as another server wrote it
    std::optional<json::value> tree;  // in the place of `stored`, when it is at hand
    bool fresh = false;
    bool outdated = false;  // sealed with a key that is on its way out
  };
  Task<Outcome<Current>> load(Target target, bool from_cache);
  Task<Outcome<std::int64_t>> lease_for(const api::ResourceInfo& storage);
  // Takes the tree out of `current`, if it is there.
  Task<Outcome<json::value>> decode(const Target& target, Current& current) const;
  // `tree` is what the write puts.
  void keep_tree(const api::ResourceInfo& storage, const client::GuardedWrite& write,
                 json::value tree);

  Machinery& m_;
  std::int64_t lease_ = 0;  // events live for an hour; many share a lease
  TimePoint lease_until_{};
};

}  // namespace coracle::apiserver
