#include "linearize/model.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::linearize {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

std::uint64_t mix(std::uint64_t hash, const std::string& bytes) {
  return mix(mix(hash, std::hash<std::string>()(bytes)), bytes.size());
}

Answer refused(std::string why) {
  Answer answer;
  answer.error = std::move(why);
  return answer;
}

// -1, 0 or 1.
template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

bool accepts(mvcc::Compare::Result wanted, int order) {
  switch (wanted) {
    case mvcc::Compare::Result::kEqual:
      return order == 0;
    case mvcc::Compare::Result::kGreater:
      return order > 0;
    case mvcc::Compare::Result::kLess:
      return order < 0;
    case mvcc::Compare::Result::kNotEqual:
      return order != 0;
  }
  return false;
}

// A missing key counts as zeros, but no comparison with its value holds.
bool accepts(const mvcc::Compare& c, const SeenKv* kv) {
  using Target = mvcc::Compare::Target;
  const auto number = [&](const std::optional<std::int64_t>& n) {
    return accepts(c.result, order(n.value_or(0), c.number));
  };
  static const SeenKv kMissing;
  const SeenKv& it = kv ? *kv : kMissing;
  switch (c.target) {
    case Target::kVersion:
      return number(it.version);
    case Target::kCreate:
      return number(it.create);
    case Target::kMod:
      return number(it.mod);
    case Target::kLease:
      return number(it.lease);
    case Target::kValue:
      return kv != nullptr && accepts(c.result, order(*kv->value, c.value));
  }
  return false;
}

}  // namespace

std::uint64_t Model::hash() const {
  std::uint64_t hash = mix(chain_, static_cast<std::uint64_t>(compacted_));
  for (const LeaseId lease : leases_) hash = mix(hash, static_cast<std::uint64_t>(lease.value));
  return hash;
}

const SeenKv* Model::find(const std::string& key, std::int64_t at) const {
  const auto found = versions_.find(key);
  if (found == versions_.end()) return nullptr;
  for (auto it = found->second.rbegin(); it != found->second.rend(); ++it) {
    if (*it->mod <= at) return it->deleted ? nullptr : &*it;
  }
  return nullptr;
}

Answer Model::range(const mvcc::RangeRequest& r, std::int64_t header, std::int64_t at) const {
  Answer answer;
  answer.revision = header;
  answer.kvs.emplace();
  answer.count = 0;
  const auto range = mvcc::KeyRange::of(r.key, r.range_end);
  const std::size_t limit = r.limit > 0 ? static_cast<std::size_t>(r.limit) : SIZE_MAX;
  for (auto it = versions_.lower_bound(r.key); it != versions_.end(); ++it) {
    if (!range.unbounded && it->first >= range.end) break;
    const SeenKv* kv = find(it->first, at);
    if (kv == nullptr) continue;
    ++*answer.count;
    if (r.count_only || answer.kvs->size() >= limit) continue;
    answer.kvs->push_back(*kv);
    if (r.keys_only) answer.kvs->back().value = "";
  }
  answer.more = !r.count_only && static_cast<std::size_t>(*answer.count) > answer.kvs->size();
  return answer;
}

Answer Model::range_as_of(const mvcc::RangeRequest& request, std::int64_t as_of) const {
  const std::int64_t asked = request.revision.value;
  if (asked > as_of) return refused(kFuture);
  return range(request, as_of, asked > 0 ? asked : as_of);
}

Answer Model::observe(const ObserveRequest& request) const {
  Answer answer;
  answer.events.emplace();
  if (request.revision < 2 || request.revision > revision_) return answer;
  const auto range = mvcc::KeyRange::of(request.key, request.range_end);
  for (const SeenKv& event : events(request.revision)) {
    if (range.contains(event.key)) answer.events->push_back(event);
  }
  return answer;
}

std::string Model::refuse(const mvcc::RangeRequest& r) const {
  if (r.revision.value > revision_) return kFuture;
  if (r.revision.value > 0 && r.revision.value < compacted_) return kCompacted;
  return {};
}

std::string Model::refuse(const mvcc::PutRequest& r) const {
  if (r.lease.value != 0 && !leases_.contains(r.lease)) return kLeaseNotFound;
  if ((r.ignore_value || r.ignore_lease) && find(r.key, revision_) == nullptr) return kKeyNotFound;
  return {};
}

bool Model::holds(const mvcc::Compare& c) const {
  const auto range = mvcc::KeyRange::of(c.key, c.range_end);
  bool any = false;
  for (auto it = versions_.lower_bound(c.key); it != versions_.end(); ++it) {
    if (!range.unbounded && it->first >= range.end) break;
    const SeenKv* kv = find(it->first, revision_);
    if (kv == nullptr) continue;
    any = true;
    if (!accepts(c, kv)) return false;
  }
  return any || accepts(c, nullptr);
}

bool Model::choose(const mvcc::TxnRequest& txn) const {
  return std::all_of(txn.compare.begin(), txn.compare.end(),
                     [this](const mvcc::Compare& c) { return holds(c); });
}

// The branches of this and all nested transactions, in the order of execution: all are chosen on
// the state before the first operation.
std::vector<bool> Model::path(const mvcc::TxnRequest& txn) const {
  std::vector<bool> chosen{choose(txn)};
  for (const mvcc::RequestOp& op : chosen.front() ? txn.success : txn.failure) {
    if (const auto* nested = std::get_if<mvcc::TxnRequest>(&op.request)) {
      const auto inner = path(*nested);
      chosen.insert(chosen.end(), inner.begin(), inner.end());
    }
  }
  return chosen;
}

std::string Model::refuse(const std::vector<mvcc::RequestOp>& ops) const {
  for (const mvcc::RequestOp& op : ops) {
    std::string why;
    if (const auto* range = std::get_if<mvcc::RangeRequest>(&op.request)) why = refuse(*range);
    if (const auto* put = std::get_if<mvcc::PutRequest>(&op.request)) why = refuse(*put);
    if (const auto* txn = std::get_if<mvcc::TxnRequest>(&op.request)) {
      why = refuse(choose(*txn) ? txn->success : txn->failure);
    }
    if (!why.empty()) return why;
  }
  return {};
}

Model::Turn Model::begin() const {
  return {revision_, {revision_, compacted_, chain_, {}, {}, false}, {}};
}

void Model::write(SeenKv kv, Turn& turn) {
  kv.mod = turn.begin + 1;
  revision_ = turn.begin + 1;  // what the rest of the transaction reads
  turn.step.written.push_back(kv.key);
  turn.events.push_back(kv);
  versions_[kv.key].push_back(std::move(kv));
}

Answer Model::put(const mvcc::PutRequest& r, Turn& turn) {
  Answer answer;
  answer.prev_kvs.emplace();
  SeenKv kv{r.key, r.value, turn.begin + 1, 0, 1, r.lease.value, false};
  if (const SeenKv* before = find(r.key, turn.begin + 1)) {
    if (r.prev_kv) answer.prev_kvs->push_back(*before);
    kv.create = before->create;
    kv.version = *before->version + 1;
    if (r.ignore_value) kv.value = before->value;
    if (r.ignore_lease) kv.lease = before->lease;
  }
  write(std::move(kv), turn);
  answer.revision = revision_;
  return answer;
}

Answer Model::remove(const mvcc::DeleteRequest& r, Turn& turn) {
  const Answer found = range({.key = r.key, .range_end = r.range_end}, 0, turn.begin + 1);
  Answer answer;
  answer.deleted = *found.count;
  answer.prev_kvs = r.prev_kv ? *found.kvs : std::vector<SeenKv>();
  for (const SeenKv& kv : *found.kvs) write({.key = kv.key, .deleted = true}, turn);
  answer.revision = revision_;
  return answer;
}

Answer Model::txn(const mvcc::TxnRequest& r, const std::vector<bool>& path, std::size_t& at,
                  Turn& turn) {
  Answer answer;
  answer.succeeded = path[at++];
  answer.responses.emplace();
  for (const mvcc::RequestOp& op : *answer.succeeded ? r.success : r.failure) {
    Answer inner;
    if (const auto* range_op = std::get_if<mvcc::RangeRequest>(&op.request)) {
      const std::int64_t asked = range_op->revision.value;
      inner = range(*range_op, revision_, asked > 0 ? asked : revision_);
    } else if (const auto* put_op = std::get_if<mvcc::PutRequest>(&op.request)) {
      inner = put(*put_op, turn);
    } else if (const auto* delete_op = std::get_if<mvcc::DeleteRequest>(&op.request)) {
      inner = remove(*delete_op, turn);
    } else if (const auto* nested = std::get_if<mvcc::TxnRequest>(&op.request)) {
      inner = txn(*nested, path, at, turn);
    }
    answer.responses->push_back(std::move(inner));
  }
  return answer;
}

Model::Applied Model::finish(Turn turn, Answer answer) {
  if (turn.events.empty()) return {std::move(answer), false};
  chain_ = mix(chain_, static_cast<std::uint64_t>(revision_));
  for (const SeenKv& e : turn.events) {
    chain_ = mix(mix(chain_, e.key), e.value.value_or(""));
    chain_ = mix(chain_, static_cast<std::uint64_t>(e.lease.value_or(-1)));
  }
  changes_.push_back(std::move(turn.events));
  steps_.push_back(std::move(turn.step));
  return {std::move(answer), true};
}

Model::Applied Model::top(const mvcc::TxnRequest& r) {
  const std::vector<bool> chosen = path(r);
  if (std::string why = refuse(chosen[0] ? r.success : r.failure); !why.empty()) {
    return {refused(std::move(why)), false};
  }
  Turn turn = begin();
  std::size_t at = 0;
  Answer answer = txn(r, chosen, at, turn);
  answer.revision = revision_;
  return finish(std::move(turn), std::move(answer));
}

Model::Applied Model::compact(const CompactRequest& r) {
  if (r.revision <= compacted_) return {refused(kCompacted), false};
  if (r.revision > revision_) return {refused(kFuture), false};
  Turn turn = begin();
  compacted_ = r.revision;
  steps_.push_back(std::move(turn.step));
  Answer answer;
  answer.revision = revision_;
  return {std::move(answer), true};
}

Model::Applied Model::grant(const GrantRequest& r) {
  if (leases_.contains(r.lease)) return {refused(kLeaseExists), false};
  Turn turn = begin();
  turn.step.leases = leases_;
  turn.step.leases_changed = true;
  leases_.insert(r.lease);
  steps_.push_back(std::move(turn.step));
  Answer answer;
  answer.revision = revision_;
  return {std::move(answer), true};
}

Model::Applied Model::revoke(const RevokeRequest& r) {
  if (!leases_.contains(r.lease)) return {refused(kLeaseNotFound), false};
  Turn turn = begin();
  turn.step.leases = leases_;
  turn.step.leases_changed = true;
  leases_.erase(r.lease);
  for (const auto& [key, versions] : versions_) {
    const SeenKv* kv = find(key, turn.begin);
    if (kv != nullptr && *kv->lease == r.lease.value) write({.key = key, .deleted = true}, turn);
  }
  Answer answer;
  answer.revision = revision_;
  if (turn.events.empty()) {
    steps_.push_back(std::move(turn.step));
    return {std::move(answer), true};
  }
  return finish(std::move(turn), std::move(answer));
}

Model::Applied Model::apply(const Request& request) {
  if (const auto* r = std::get_if<mvcc::RangeRequest>(&request)) {
    if (std::string why = refuse(*r); !why.empty()) {
      return {refused(std::move(why)), false};
    }
    return {range(*r, revision_, r->revision.value > 0 ? r->revision.value : revision_), false};
  }
  if (const auto* r = std::get_if<mvcc::PutRequest>(&request)) {
    if (std::string why = refuse(*r); !why.empty()) {
      return {refused(std::move(why)), false};
    }
    Turn turn = begin();
    Answer answer = put(*r, turn);
    return finish(std::move(turn), std::move(answer));
  }
  if (const auto* r = std::get_if<mvcc::DeleteRequest>(&request)) {
    Turn turn = begin();
    Answer answer = remove(*r, turn);
    return finish(std::move(turn), std::move(answer));
  }
  if (const auto* r = std::get_if<mvcc::TxnRequest>(&request)) return top(*r);
  if (const auto* r = std::get_if<CompactRequest>(&request)) return compact(*r);
  if (const auto* r = std::get_if<GrantRequest>(&request)) return grant(*r);
  if (const auto* r = std::get_if<RevokeRequest>(&request)) return revoke(*r);
  return {observe(std::get<ObserveRequest>(request)), false};
}

void Model::undo() {
  CHECK(!steps_.empty());
  Step step = std::move(steps_.back());
  steps_.pop_back();
  if (revision_ != step.revision) changes_.pop_back();
  revision_ = step.revision;
  compacted_ = step.compacted;
  chain_ = step.chain;
  if (step.leases_changed) leases_ = std::move(step.leases);
  for (auto key = step.written.rbegin(); key != step.written.rend(); ++key) {
    const auto found = versions_.find(*key);
    found->second.pop_back();
    if (found->second.empty()) versions_.erase(found);
  }
}

}  // namespace coracle::linearize
