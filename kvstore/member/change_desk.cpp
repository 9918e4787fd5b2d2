#include "member/change_desk.hpp"

#include "base/log.hpp"
#include "member/errors.hpp"

namespace coracle::store {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(20);

}  // namespace

void ChangeDesk::submit(MemberChange change, Done done) {
  const TimePoint now = member_.loop().now();
  if (change.kind == MemberChange::Kind::kAdd) {
    change.id = NodeId(added_member_id(change.peer_urls, member_.options().cluster_token,
                                       member_.loop().wall_now()));
  }
  attempt(std::move(change), now + member_.options().request_timeout(), std::move(done));
}

void ChangeDesk::attempt(MemberChange change, TimePoint deadline, Done done) {
  if (member_.core().role() != raft::Role::kLeader) return done(err_not_leader());
  if (member_.loop().now() >= deadline) return done(err_timeout());
  // What the rules look at must be all there is: no change may be in the log and not applied.
  if (busy_ || member_.core().membership() != member_.machine().membership()) {
    member_.loop().after(kLookAgain, [=, this] { attempt(change, deadline, done); });
    return;
  }
  if (const Status refused = check(change); !refused.ok()) return done(refused);
  busy_ = true;
  member_.propose_change(to_raft(change), [this, id = change.id, done](const Outcome& outcome) {
    busy_ = false;
    if (outcome.status.ok()) return done(id);
    done(outcome.status);
  });
}

Status ChangeDesk::check(const MemberChange& change) {
  const raft::StatusReport report = member_.core().status();
  const auto in_sync = [&report](NodeId id) {
    const auto peer = report.peers.find(id);
    return peer != report.peers.end() &&
           double(peer->second.match.value) >= 0.9 * double(report.last.value);
  };
  return check_change({member_.id(), member_.machine().members(), member_.machine().removed(),
                       [this](NodeId id) { return member_.heard_from(id); }, in_sync},
                      change);
}

raft::MembershipChange ChangeDesk::to_raft(const MemberChange& change) const {
  switch (change.kind) {
    case MemberChange::Kind::kRemove:
      return {raft::ChangeKind::kRemove, change.id, ""};
    case MemberChange::Kind::kPromote:
      return {raft::ChangeKind::kPromote, change.id, ""};
    case MemberChange::Kind::kAdd:
      break;
  }
  pb::Member record;
  record.set_id(change.id.value);
  record.set_islearner(change.learner);
  for (const std::string& url : change.peer_urls) record.add_peerurls(url);
  return {raft::ChangeKind::kAddLearner, change.id, record.SerializeAsString()};
}

}  // namespace coracle::store
