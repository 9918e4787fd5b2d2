#include "member/founding.hpp"

namespace coracle::store {

void found_cluster(mvcc::StateStore& state, const MemberConfig& config, AppliedMark mark) {
  std::vector<pb::Member> members;
  raft::Membership membership;
  for (const auto& [name, urls] : config.initial_cluster) {
    pb::Member member;
    member.set_id(member_id(urls, config.cluster_token));
    member.set_name(name);
    for (const std::string& url : urls) member.add_peerurls(url);
    if (!config.joins_existing) membership.voters.insert(NodeId(member.id()));
    members.push_back(std::move(member));
  }
  StateMachine::bootstrap(state, membership, members, mark);
}

}  // namespace coracle::store
