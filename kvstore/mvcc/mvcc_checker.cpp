#include "mvcc/mvcc_checker.hpp"

#include <sstream>

#include "base/strings.hpp"
#include "mvcc/records.hpp"

namespace coracle::mvcc {
namespace {

template <class... Parts>
std::string say(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace

std::string MvccChecker::event(const Event& event, Revision revision) {
  const KeyValue& kv = event.kv;
  const auto life = alive_.find(kv.key);
  if (kv.mod != revision) return say(quoted(kv.key), " has mod ", kv.mod, " in ", revision);
  if (event.type == Event::Type::kDelete) {
    if (life == alive_.end()) return say(quoted(kv.key), " deleted, but not alive");
    alive_.erase(life);
    return {};
  }
  const Life want = life == alive_.end() ? Life{revision.value, 1}
                                         : Life{life->second.create, life->second.version + 1};
  if (kv.create.value != want.create || kv.version != want.version) {
    return say(quoted(kv.key), " at ", revision, ": create ", kv.create, " version ", kv.version,
               ", expected ", want.create, " and ", want.version);
  }
  alive_[kv.key] = want;
  return {};
}

std::string MvccChecker::step(const Store& store, const std::vector<Change>& changes) {
  if (!started_) {
    if (store.revision().value != 1 + static_cast<std::int64_t>(changes.size())) {
      return "the checker must watch a store from its first revision";
    }
    started_ = true;
    revision_ = Revision(1);
    compacted_ = Revision(-1);
  }
  for (const Change& change : changes) {
    if (change.revision != revision_.next()) {
      return say("revision ", change.revision, " follows ", revision_);
    }
    if (change.events.empty()) return say("revision ", change.revision, " changes nothing");
    revision_ = change.revision;
    for (const auto& e : change.events) {
      if (std::string broken = event(*e, revision_); !broken.empty()) return broken;
    }
  }
  if (store.revision() != revision_) {
    return say("revision is ", store.revision(), " after changes up to ", revision_);
  }
  if (store.compacted() < compacted_) return say("compacted fell to ", store.compacted());
  if (store.compacted() > store.revision()) return say("compacted above ", store.revision());
  compacted_ = store.compacted();
  if (store.live_keys() != alive_.size()) {
    return say(store.live_keys(), " live keys, expected ", alive_.size());
  }
  return {};
}

std::string MvccChecker::whole(const Store& store, const StateReader& state) const {
  std::map<std::string, KeyValue> last;
  std::string broken;
  std::int64_t bytes = 0;
  state.scan(Family::kMvcc, {}, {}, [&](std::string_view key, std::string_view value) {
    const auto ref = parse_record_key(key);
    const auto kv = decode_kv(value);
    bytes += static_cast<std::int64_t>(key.size() + value.size());
    if (!ref.ok() || !kv.ok()) {
      broken = say("an unreadable record ", quoted(key));
    } else if (ref->main > store.revision().value) {
      broken = say("a record of revision ", ref->main, " beyond ", store.revision());
    } else if (ref->tombstone) {
      last.erase(kv->key);
    } else if (kv->mod.value != ref->main || kv->create > kv->mod || kv->version < 1 ||
               (kv->version == 1) != (kv->create == kv->mod)) {
      broken = say("a record that contradicts itself at revision ", ref->main);
    } else {
      last[kv->key] = *kv;
    }
    return broken.empty();
  });
  if (!broken.empty()) return broken;
  if (bytes != store.bytes_in_use()) {
    return say(store.bytes_in_use(), " bytes in use, but records have ", bytes);
  }
  if (last.size() != store.live_keys()) {
    return say(store.live_keys(), " live keys, but records give ", last.size());
  }
  for (const auto& [key, kv] : last) {
    if (store.get(key, store.revision()) != kv) return say(quoted(key), " differs from its record");
  }
  return {};
}

}  // namespace coracle::mvcc
