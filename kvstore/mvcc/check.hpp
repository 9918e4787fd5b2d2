// What can be said about a request before it is proposed, without looking at any state.
// Pure. Ok, or the failure with etcd's text and code (errors.hpp).
#pragma once

#include <cstddef>

#include "base/status.hpp"
#include "mvcc/types.hpp"

namespace coracle::mvcc {

inline constexpr std::size_t kMaxTxnOps = 128;

Status check_range(const RangeRequest& request);
Status check_put(const PutRequest& request);
Status check_delete(const DeleteRequest& request);
// Operations, keys and options at every level; then that no key is put twice or both put and
// deleted on one path.
Status check_txn(const TxnRequest& request, std::size_t max_ops = kMaxTxnOps);

// Every operation is a range and none a nested txn: serve it like a Range, without a proposal.
bool is_read_only(const TxnRequest& request);
// A read-only txn that may be answered by any member from what it has: every range says so.
bool is_serializable(const TxnRequest& request);
bool has_put(const TxnRequest& request);  // anywhere; such a txn counts against the space quota

}  // namespace coracle::mvcc
