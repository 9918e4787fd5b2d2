#include "member/change_rules.hpp"

#include <catch2/catch.hpp>

#include "member/errors.hpp"
#include "member/peer_codec.hpp"

namespace coracle::store {
namespace {

using Kind = MemberChange::Kind;

// Members are letters: V a voter, S a silent one, U one that was never started, L a learner; their
// ids are 1, 2, 3..., their peer URLs "u1", "u2"...
class World {
 public:
  explicit World(const std::string& members) {
    for (size_t i = 0; i < members.size(); ++i) {
      const NodeId id(i + 1);
      auto& member = members_[id];
      member.set_id(id.value);
      if (members[i] != 'U') member.set_name("m" + std::to_string(id.value));
      member.set_islearner(members[i] == 'L');
      member.add_peerurls("u" + std::to_string(id.value));
      if (members[i] == 'V' || members[i] == 'L') heard_.insert(id);
    }
  }
  Status check(const MemberChange& change, bool in_sync = true) const {
    return check_change(
        {NodeId(1), members_, removed_, [this](NodeId id) { return heard_.contains(id); },
         [in_sync](NodeId) { return in_sync; }},
        change);
  }

 private:
  std::map<NodeId, etcdserverpb::Member> members_;
  std::set<NodeId> removed_ = {NodeId(99)};
  std::set<NodeId> heard_;
};

MemberChange add(const std::string& url) { return {Kind::kAdd, NodeId(50), {url}, false}; }
MemberChange add_learner(const std::string& url) { return {Kind::kAdd, NodeId(50), {url}, true}; }
MemberChange remove(std::uint64_t id) { return {Kind::kRemove, NodeId(id), {}, false}; }
MemberChange promote(std::uint64_t id) { return {Kind::kPromote, NodeId(id), {}, false}; }

}  // namespace

TEST_CASE("which membership changes are taken") {
  struct Row {
    std::string name, members;
    MemberChange change;
    Status want;
  };
  const Row rows[] = {
      {"from one to two", "V", add("x"), {}},
      {"from two to three while the second was never started", "VU", add("x"),
       err_not_enough_started()},
      {"from two to three", "VV", add("x"), {}},
      {"from three to four, one never started", "VVU", add("x"), err_not_enough_started()},
      {"from five to six, one never started", "VVVVU", add("x"), err_unhealthy()},
      {"from three to four, two never started", "VUU", add("x"), err_not_enough_started()},
      {"while one is silent", "VVS", add("x"), err_unhealthy()},
      {"a learner while one is silent", "VVS", add_learner("x"), err_unhealthy()},
      {"a learner", "VVV", add_learner("x"), {}},
      {"a learner does not count among the silent", "VL", add("x"), {}},
      {"a second learner", "VVVL", add_learner("x"), err_too_many_learners()},
      {"an address that is taken", "VVV", add("u2"), err_peer_url_exists()},
      {"an address of a learner", "VVVL", add("u4"), err_peer_url_exists()},

      {"the only one", "V", remove(1), err_not_enough_started()},
      {"one of two", "VV", remove(2), {}},
      {"the started one of two", "VU", remove(1), err_not_enough_started()},
      {"one of three", "VVV", remove(3), {}},
      {"the silent one of three", "VVS", remove(3), {}},
      {"a talking one of three when one is silent", "VVS", remove(2), err_unhealthy()},
      {"a talking one of five when one is silent", "VVVVS", remove(2), {}},
      {"a talking one of five when two are silent", "VVVSS", remove(2), err_unhealthy()},
      {"one that was never started", "VVU", remove(3), {}},
      {"a learner whatever the rest does", "VVSL", remove(4), {}},
      {"a stranger", "VVV", remove(77), err_member_not_found()},
      {"one that was removed before", "VVV", remove(99), err_member_not_found()},

      {"a learner becomes a voter", "VVVL", promote(4), {}},
      {"the second voter", "VL", promote(2), {}},
      {"a voter is one already", "VVV", promote(2), err_not_a_learner()},
      {"a stranger cannot be promoted", "VVV", promote(77), err_member_not_found()},
      {"too few others were started", "VUUL", promote(4), err_not_enough_started()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(World(row.members).check(row.change).to_string() == row.want.to_string());
  }
  CHECK(World("VVVL").check(promote(4), false) == err_learner_not_ready());
}

TEST_CASE("a change survives the way to the leader") {
  for (const MemberChange& change :
       {MemberChange{Kind::kAdd, NodeId(), {"http://h:1", "http://h:2"}, true},
        MemberChange{Kind::kAdd, NodeId(), {"http://h:1"}, false}, remove(7), promote(8)}) {
    ChangeRequest wire;
    encode(change, &wire);
    const auto back = decode(wire);
    REQUIRE(back.ok());
    CHECK(back->kind == change.kind);
    CHECK(back->id == change.id);
    CHECK(back->peer_urls == change.peer_urls);
    CHECK(back->learner == change.learner);
  }
  ChangeRequest empty, no_urls;
  no_urls.mutable_add();
  CHECK(decode(empty).status().code() == Code::kInvalidArgument);
  CHECK(decode(no_urls).status().code() == Code::kInvalidArgument);
}

}  // namespace coracle::store
