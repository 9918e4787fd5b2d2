#include "mvcc/check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "mvcc/errors.hpp"
#include "mvcc/key_range.hpp"

namespace coracle::mvcc {
namespace {

// A union of key ranges, kept disjoint so that asking is O(log n) whatever the client sent.
class KeySpans {
 public:
  void add(KeyRange range) {
    if (range.empty()) return;
    auto it = spans_.upper_bound(range.begin);
    if (it != spans_.begin() && reaches(*std::prev(it), range.begin)) --it;
    while (it != spans_.end() && (range.unbounded || it->first <= range.end)) {
      range.begin = std::min(range.begin, it->first);
      if (it->second.unbounded) range.unbounded = true;
      if (!range.unbounded) range.end = std::max(range.end, it->second.end);
      it = spans_.erase(it);
    }
    spans_.emplace(std::move(range.begin), End{std::move(range.end), range.unbounded});
  }
  void add(const KeySpans& other) {
    for (const auto& [begin, end] : other.spans_) add({begin, end.end, end.unbounded, false});
  }
  bool contains(const std::string& key) const {
    auto it = spans_.upper_bound(key);
    return it != spans_.begin() && ((--it)->second.unbounded || key < it->second.end);
  }

 private:
  struct End {
    std::string end;
    bool unbounded = false;
  };
  static bool reaches(const std::pair<const std::string, End>& span, const std::string& key) {
    return span.second.unbounded || key <= span.second.end;
  }
  std::map<std::string, End> spans_;
};

// What one branch writes, on whatever path below it.
struct Writes {
  std::set<std::string> puts;
  KeySpans deletes;
};

Status check_op(const RequestOp& op, std::size_t max_ops);

Status check_level(const TxnRequest& request, std::size_t max_ops) {
  const std::size_t most =
      std::max({request.compare.size(), request.success.size(), request.failure.size()});
  if (most > max_ops) return err_too_many_ops();
  for (const Compare& compare : request.compare) {
    if (compare.key.empty()) return err_empty_key();
  }
  for (const auto* branch : {&request.success, &request.failure}) {
    for (const RequestOp& op : *branch) RETURN_IF_ERROR(check_op(op, max_ops - most));
  }
  return {};
}

Status check_op(const RequestOp& op, std::size_t max_ops) {
  if (const auto* range = std::get_if<RangeRequest>(&op.request)) return check_range(*range);
  if (const auto* put = std::get_if<PutRequest>(&op.request)) return check_put(*put);
  if (const auto* del = std::get_if<DeleteRequest>(&op.request)) return check_delete(*del);
  if (const auto* txn = std::get_if<TxnRequest>(&op.request)) return check_level(*txn, max_ops);
  return err_key_not_found();
}

Status collect_writes(const std::vector<RequestOp>& branch, Writes& all);

// Adds what a nested txn writes. Its branches exclude each other, so they may share keys.
Status collect_nested(const TxnRequest& txn, Writes& all) {
  Writes success, failure;
  RETURN_IF_ERROR(collect_writes(txn.success, success));
  RETURN_IF_ERROR(collect_writes(txn.failure, failure));
  for (const auto* side : {&success, &failure}) {
    for (const std::string& key : side->puts) {
      if (all.puts.contains(key) || all.deletes.contains(key)) return err_duplicate_key();
    }
  }
  all.puts.merge(success.puts);
  all.puts.merge(failure.puts);
  all.deletes.add(success.deletes);
  all.deletes.add(failure.deletes);
  return {};
}

// Deletes of this level first, then nested txns in order, then puts of this level: as etcd, which
// hence allows a later nested txn to delete what an earlier one put.
Status collect_writes(const std::vector<RequestOp>& branch, Writes& all) {
  for (const RequestOp& op : branch) {
    const auto* del = std::get_if<DeleteRequest>(&op.request);
    if (del == nullptr) continue;
    // etcd takes an end of "\0" literally here, so "from this key on" clashes with nothing.
    const KeyRange range = KeyRange::of(del->key, del->range_end);
    if (!range.unbounded) all.deletes.add(range);
  }
  for (const RequestOp& op : branch) {
    if (const auto* txn = std::get_if<TxnRequest>(&op.request)) {
      RETURN_IF_ERROR(collect_nested(*txn, all));
    }
  }
  for (const RequestOp& op : branch) {
    const auto* put = std::get_if<PutRequest>(&op.request);
    if (put == nullptr) continue;
    if (all.deletes.contains(put->key) || !all.puts.insert(put->key).second) {
      return err_duplicate_key();
    }
  }
  return {};
}

bool branch_has_put(const std::vector<RequestOp>& branch) {
  return std::any_of(branch.begin(), branch.end(), [](const RequestOp& op) {
    const auto* txn = std::get_if<TxnRequest>(&op.request);
    return std::holds_alternative<PutRequest>(op.request) || (txn != nullptr && has_put(*txn));
  });
}

template <class Predicate>
bool all_ops(const TxnRequest& request, Predicate predicate) {
  return std::all_of(request.success.begin(), request.success.end(), predicate) &&
         std::all_of(request.failure.begin(), request.failure.end(), predicate);
}

}  // namespace

Status check_range(const RangeRequest& request) {
  if (request.key.empty()) return err_empty_key();
  const int order = static_cast<int>(request.sort_order);
  const int target = static_cast<int>(request.sort_target);
  if (order < 0 || order > static_cast<int>(SortOrder::kDescend)) return err_invalid_sort();
  if (target < 0 || target > static_cast<int>(SortTarget::kValue)) return err_invalid_sort();
  return {};
}

Status check_put(const PutRequest& request) {
  if (request.key.empty()) return err_empty_key();
  if (request.ignore_value && !request.value.empty()) return err_value_provided();
  if (request.ignore_lease && request.lease != LeaseId()) return err_lease_provided();
  return {};
}

Status check_delete(const DeleteRequest& request) {
  return request.key.empty() ? err_empty_key() : Status();
}

Status check_txn(const TxnRequest& request, std::size_t max_ops) {
  RETURN_IF_ERROR(check_level(request, max_ops));
  Writes success, failure;
  RETURN_IF_ERROR(collect_writes(request.success, success));
  return collect_writes(request.failure, failure);
}

bool is_read_only(const TxnRequest& request) {
  return all_ops(request, [](const RequestOp& op) {
    return std::holds_alternative<RangeRequest>(op.request);
  });
}

bool is_serializable(const TxnRequest& request) {
  return all_ops(request, [](const RequestOp& op) {
    const auto* range = std::get_if<RangeRequest>(&op.request);
    return range != nullptr && range->serializable;
  });
}

bool has_put(const TxnRequest& request) {
  return branch_has_put(request.success) || branch_has_put(request.failure);
}

}  // namespace coracle::mvcc
