// Model: etcd's rules for revisions, keys, transactions, compaction and leases, written down once
// more in the plainest way (a naive twin of kvstore/mvcc), with a way back for the search.
//
// Owner: one search. Not modelled: sorting, filters, limits on sizes and operations.
// Cost:  everything since the beginning is kept, so that any past revision can be read.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "linearize/history.hpp"
#include "mvcc/key_range.hpp"

namespace coracle::linearize {

class Model {
 public:
  // The full answer; `changed`: there is something to undo.
  struct Applied {
    Answer answer;
    bool changed = false;
  };

  Applied apply(const Request& request);
  // Takes back the last apply() that changed something and was not yet taken back.
  void undo();

  std::int64_t revision() const { return revision_; }
  // Equal for equal pasts; of different ones, equal with the chance of a hash collision only.
  std::uint64_t hash() const;

  // A range as it was answered when `as_of` was the current revision. REQUIRES as_of <= revision().
  Answer range_as_of(const mvcc::RangeRequest& request, std::int64_t as_of) const;
  // The events of a revision that exists, those in the range.
  Answer observe(const ObserveRequest& request) const;
  // All events of a revision; REQUIRES 1 < revision <= revision().
  const std::vector<SeenKv>& events(std::int64_t revision) const {
    return changes_[static_cast<std::size_t>(revision - 2)];
  }

 private:
  struct Step {  // what one apply() changed
    std::int64_t revision, compacted;
    std::uint64_t chain;
    std::vector<std::string> written;  // a key for each version added, in order
    std::set<LeaseId> leases;
    bool leases_changed = false;
  };
  struct Turn {  // a transaction under way
    std::int64_t begin;
    Step step;
    std::vector<SeenKv> events;
  };

  const SeenKv* find(const std::string& key, std::int64_t at) const;
  std::string refuse(const mvcc::RangeRequest& r) const;
  std::string refuse(const mvcc::PutRequest& r) const;
  std::string refuse(const std::vector<mvcc::RequestOp>& ops) const;
  bool holds(const mvcc::Compare& compare) const;
  bool choose(const mvcc::TxnRequest& txn) const;
  std::vector<bool> path(const mvcc::TxnRequest& txn) const;

  Answer range(const mvcc::RangeRequest& r, std::int64_t header, std::int64_t at) const;
  Answer put(const mvcc::PutRequest& r, Turn& turn);
  Answer remove(const mvcc::DeleteRequest& r, Turn& turn);
  Answer txn(const mvcc::TxnRequest& r, const std::vector<bool>& path, std::size_t& at, Turn& turn);
  void write(SeenKv kv, Turn& turn);

  Turn begin() const;
  Applied finish(Turn turn, Answer answer);
  Applied compact(const CompactRequest& r);
  Applied grant(const GrantRequest& r);
  Applied revoke(const RevokeRequest& r);
  Applied top(const mvcc::TxnRequest& r);

  std::int64_t revision_ = 1;
  std::int64_t compacted_ = -1;
  std::uint64_t chain_ = 1;  // hash of all changes so far
  std::set<LeaseId> leases_;
  std::map<std::string, std::vector<SeenKv>> versions_;  // ascending by mod, tombstones too
  std::vector<std::vector<SeenKv>> changes_;             // by revision - 2
  std::vector<Step> steps_;
};

}  // namespace coracle::linearize
