#include "linearize/history.hpp"

namespace coracle::linearize {
namespace {

template <class T>
bool agrees(const std::optional<T>& seen, const std::optional<T>& full) {
  return !seen || seen == full;
}

template <class T>
bool all_match(const std::optional<std::vector<T>>& seen,
               const std::optional<std::vector<T>>& full) {
  if (!seen) return true;
  if (!full || seen->size() != full->size()) return false;
  for (std::size_t i = 0; i < seen->size(); ++i) {
    if (!matches((*seen)[i], (*full)[i])) return false;
  }
  return true;
}

}  // namespace

bool matches(const SeenKv& seen, const SeenKv& full) {
  return seen.key == full.key && seen.deleted == full.deleted && agrees(seen.value, full.value) &&
         agrees(seen.create, full.create) && agrees(seen.mod, full.mod) &&
         agrees(seen.version, full.version) && agrees(seen.lease, full.lease);
}

bool matches(const Answer& seen, const Answer& full) {
  if (seen.error != full.error) return false;
  return agrees(seen.revision, full.revision) && agrees(seen.count, full.count) &&
         agrees(seen.deleted, full.deleted) && agrees(seen.more, full.more) &&
         agrees(seen.succeeded, full.succeeded) && all_match(seen.kvs, full.kvs) &&
         all_match(seen.prev_kvs, full.prev_kvs) && all_match(seen.events, full.events) &&
         all_match(seen.responses, full.responses);
}

SeenKv seen(const mvcc::KeyValue& kv) {
  return {kv.key, kv.value, kv.create.value, kv.mod.value, kv.version, kv.lease.value, false};
}

}  // namespace coracle::linearize
