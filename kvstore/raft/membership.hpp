// Membership changes: one member at a time, as entries of the log.
//
// A member uses the latest change in its log, committed or not (Ongaro's thesis, 4.1). Two
// memberships one change apart have no disjoint majorities; the leader keeps them one apart by
// taking a change only when the one before is committed and it has committed in its own term.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.hpp"
#include "raft/types.hpp"

namespace coracle::raft {

enum class ChangeKind : std::uint8_t { kAddVoter = 1, kAddLearner = 2, kPromote = 3, kRemove = 4 };

struct MembershipChange {
  ChangeKind kind = ChangeKind::kAddVoter;
  NodeId node;
  std::string context;  // the driver's (name, addresses); carried, not read

  friend bool operator==(const MembershipChange&, const MembershipChange&) = default;
};

// The data of a kConfig entry: the change and what it leads to, so that a member that knows nothing
// of the beginning (a new one) is right from the first such entry on.
struct ConfigEntry {
  MembershipChange change;
  Membership after;

  friend bool operator==(const ConfigEntry&, const ConfigEntry&) = default;
};

std::string encode(const MembershipChange& change);
std::string encode(const ConfigEntry& entry);
// InvalidArgument for anything encode did not write. decode_change takes both forms.
Result<MembershipChange> decode_change(std::string_view data);
Result<ConfigEntry> decode_config_entry(std::string_view data);

// The membership after `change`; never edits the old one.
// Errors: AlreadyExists (add), NotFound (promote, remove), FailedPrecondition (promote of a voter,
// removal of the last voter), InvalidArgument (node 0).
Result<Membership> apply(const Membership& before, const MembershipChange& change);

// The memberships a log implies: one that is applied, and those of later entries in the log.
// Invariant: indexes ascend; the first is the applied one.
class MembershipHistory {
 public:
  MembershipHistory(Index index, Membership applied) { reset(index, std::move(applied)); }

  const Membership& latest() const { return steps_.back().second; }
  Index latest_index() const { return steps_.back().first; }
  const Membership& at(Index i) const;  // REQUIRES i >= the applied index
  void add(Index index, Membership after);
  void truncate_from(Index index);  // entries >= index were cut from the log
  void applied_to(Index index);     // forgets what came before
  void reset(Index index, Membership membership);

 private:
  std::vector<std::pair<Index, Membership>> steps_;
};

}  // namespace coracle::raft
