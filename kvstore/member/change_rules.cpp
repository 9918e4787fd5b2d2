#include "member/change_rules.hpp"

#include <algorithm>

#include "member/errors.hpp"

namespace coracle::store {
namespace {

using etcdserverpb::Member;

struct Voters {
  int all = 0;
  int started = 0;
  int heard = 0;
  bool enough_started() const { return started >= all / 2 + 1; }
};

// `but` is not counted.
Voters voters_of(const ClusterView& cluster, NodeId but = {}) {
  Voters voters;
  for (const auto& [id, member] : cluster.members) {
    if (member.islearner() || id == but) continue;
    ++voters.all;
    if (!member.name().empty()) ++voters.started;
    if (cluster.heard_from(id)) ++voters.heard;
  }
  return voters;
}

Status check_add(const ClusterView& cluster, const MemberChange& change) {
  Voters voters = voters_of(cluster);
  if (!change.learner) {
    ++voters.all;
    // From one to two there is no other way: nobody could be started before.
    const bool second = voters.all == 2 && voters.started == 1;
    if (!second && !voters.enough_started()) return err_not_enough_started();
    --voters.all;
  }
  if (voters.heard < voters.all) return err_unhealthy();
  int learners = 0;
  for (const auto& [id, member] : cluster.members) {
    if (member.islearner()) ++learners;
    for (const std::string& url : member.peerurls()) {
      if (std::find(change.peer_urls.begin(), change.peer_urls.end(), url) !=
          change.peer_urls.end()) {
        return err_peer_url_exists();
      }
    }
  }
  if (change.learner && learners >= kLearnersMax) return err_too_many_learners();
  return {};
}

Status check_remove(const ClusterView& cluster, const MemberChange& change) {
  const auto found = cluster.members.find(change.id);
  if (cluster.removed.contains(change.id)) return err_member_not_found();
  const bool learner = found != cluster.members.end() && found->second.islearner();
  if (!learner) {
    if (!voters_of(cluster, change.id).enough_started()) return err_not_enough_started();
    // Whoever is silent can go; when another one goes, those who talk must be a majority.
    const Voters voters = voters_of(cluster);
    const bool majority_talks = voters.heard - 1 >= 1 + (voters.all - 1) / 2;
    if (cluster.heard_from(change.id) && !majority_talks) return err_unhealthy();
  }
  return found == cluster.members.end() ? err_member_not_found() : Status();
}

Status check_promote(const ClusterView& cluster, const MemberChange& change) {
  const auto found = cluster.members.find(change.id);
  if (found == cluster.members.end()) return err_member_not_found();
  if (!found->second.islearner()) return err_not_a_learner();
  if (!cluster.in_sync(change.id)) return err_learner_not_ready();
  Voters voters = voters_of(cluster);
  ++voters.all;
  ++voters.started;
  return voters.enough_started() ? Status() : err_not_enough_started();
}

}  // namespace

Status check_change(const ClusterView& cluster, const MemberChange& change) {
  switch (change.kind) {
    case MemberChange::Kind::kAdd:
      return check_add(cluster, change);
    case MemberChange::Kind::kRemove:
      return check_remove(cluster, change);
    case MemberChange::Kind::kPromote:
      return check_promote(cluster, change);
  }
  return err_member_not_found();
}

}  // namespace coracle::store
