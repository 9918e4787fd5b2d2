#include <algorithm>

#include "base/encoding.hpp"
#include "mvcc/errors.hpp"
#include "mvcc/records.hpp"
#include "mvcc/store.hpp"

namespace coracle::mvcc {

Result<HashPlan> Store::plan_hash(Revision at) const {
  CORACLE_CHECK(changes_.empty());
  RETURN_IF_ERROR(check_revision(at.value));
  HashPlan plan{at.value == 0 ? revision_ : at.value, compacted_, {}};
  // Below the mark, etcd hashes only what each key is at `upto`, unless no key is alive then: that
  // keeps the hash apart from how far removal has come.
  bool any_live = false;
  for (const auto* e = index_.seek({}); e != nullptr && !any_live; e = index_.next(*e)) {
    const VersionRef* ref = e->at(plan.upto);
    any_live = ref != nullptr && !ref->tombstone;
  }
  for (const auto* e = index_.seek({}); e != nullptr; e = index_.next(*e)) {
    const VersionRef* ref = e->at(any_live ? plan.upto : compacted_);
    if (ref == nullptr || ref->tombstone || ref->main > compacted_) continue;
    plan.kept.emplace_back(ref->main, ref->sub);
  }
  std::sort(plan.kept.begin(), plan.kept.end());
  return plan;
}

HashKv run_hash(const StateReader& snapshot, const HashPlan& plan) {
  std::uint32_t crc = crc32c("key");
  const HashKv nothing{crc, Revision(plan.compacted), Revision(plan.upto)};
  if (plan.upto < 0) return nothing;  // etcd takes a negative revision literally
  auto kept = plan.kept.begin();
  snapshot.scan(Family::kMvcc, {}, first_record_key(plan.upto + 1),
                [&](std::string_view key, std::string_view value) {
                  const VersionRef ref = parse_record_key(key).value();
                  bool counts = ref.main > plan.compacted;
                  if (!counts) {
                    const std::pair<std::int64_t, std::uint32_t> place(ref.main, ref.sub);
                    while (kept != plan.kept.end() && *kept < place) ++kept;
                    counts = kept != plan.kept.end() && *kept == place;
                  }
                  if (counts) crc = crc32c(value, crc32c(key, crc));
                  return true;
                });
  return {crc, nothing.compacted, nothing.hash_revision};
}

Result<HashKv> Store::hash_kv(Revision at) const {
  ASSIGN_OR_RETURN(const HashPlan plan, plan_hash(at));
  return run_hash(state_, plan);
}

}  // namespace coracle::mvcc
