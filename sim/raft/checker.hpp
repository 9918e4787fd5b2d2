// RaftChecker: sees everything in the simulated world and fails at the first broken promise.
//
// Promises: one leader a term; log matching; leader completeness; commit never falls; no
// acknowledged write lost; revisions never reused; one vote a term; votes and acknowledgements only
// of what is durable; reads and writes linearizable.
// Cost: constant for each entry and event, by keeping a hash of each log prefix.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "raft/core.hpp"
#include "raft_sim/disk.hpp"
#include "raft_sim/machine.hpp"

namespace coracle::raft_sim {

class RaftChecker {
 public:
  // Empty while all is well.
  const std::string& failure() const { return failure_; }

  void on_append(NodeId member, const std::vector<raft::Entry>& entries, const raft::LogView& log);
  void on_state(NodeId member, const raft::Core& core, const raft::LogView& log);
  void on_restart(NodeId member, const raft::LogView& log);
  void on_send(NodeId member, const raft::Message& message, const DurableImage& durable);
  void on_applied(NodeId member, const raft::Entry& entry, std::optional<Revision> revision);
  void on_bad_status(NodeId member, const Status& status);

  // An operation that starts now must see everything that was answered before.
  Revision floor() const { return floor_; }
  void on_write_acknowledged(std::uint64_t id, Revision revision, Revision floor_at_start);
  void on_read_answered(std::uint64_t id, Revision state, Revision floor_at_start);

  void fail(std::string what);
  std::size_t committed() const { return committed_.size(); }

 private:
  struct Committed {
    Term term;
    std::string data;
    Term committed_in;  // a leader of a later term must hold it
  };

  void check_leader(NodeId member, const raft::Core& core, const raft::LogView& log);
  void note_committed(NodeId member, Index upto, Term term, const raft::LogView& log);

  std::string failure_;
  std::map<Term, NodeId> leaders_;
  std::map<std::pair<NodeId, Term>, NodeId> votes_;
  std::map<std::pair<Index, Term>, std::uint64_t> prefixes_;  // hash of the log up to the entry
  std::map<NodeId, Index> commits_;
  std::vector<Committed> committed_;  // by index - 1: what any member ever called committed
  std::map<Revision, Index> revision_owners_;
  Revision floor_{1};
};

}  // namespace coracle::raft_sim
