#include "member/founding.hpp"

namespace coracle::store {
namespace {

pb::Member to_record(const KnownMember& known) {
  pb::Member member;
  member.set_id(known.id);
  member.set_name(known.name);
  for (const std::string& url : known.peer_urls) member.add_peerurls(url);
  for (const std::string& url : known.client_urls) member.add_clienturls(url);
  member.set_islearner(known.learner);
  return member;
}

}  // namespace

void found_cluster(mvcc::StateStore& state, const MemberConfig& config, AppliedMark mark) {
  std::vector<pb::Member> members;
  raft::Membership membership;
  for (const KnownMember& known : config.known_members) members.push_back(to_record(known));
  if (members.empty()) {
    for (const auto& [name, urls] : config.initial_cluster) {
      const std::uint64_t id = member_id(urls, config.cluster_token);
      members.push_back(to_record({id, name, urls, {}, false}));
      if (!config.joins_existing) membership.voters.insert(NodeId(id));
    }
  }
  StateMachine::bootstrap(state, membership, members, config.cluster_token, mark);
}

}  // namespace coracle::store
