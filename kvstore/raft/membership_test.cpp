#include "raft/membership.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::raft;

TEST_CASE("membership: what a change leads to") {
  struct Case {
    const char* name;
    MembershipChange change;
    Code code;
    Membership after;
  };
  const NodeId a{1}, b{2}, l{3}, fresh{4};
  const Membership before{{a, b}, {l}};
  const auto test = GENERATE_COPY(values<Case>({
      {"add voter", {ChangeKind::kAddVoter, fresh, ""}, Code::kOk, {{a, b, fresh}, {l}}},
      {"add learner", {ChangeKind::kAddLearner, fresh, ""}, Code::kOk, {{a, b}, {l, fresh}}},
      {"add twice", {ChangeKind::kAddVoter, a, ""}, Code::kAlreadyExists, {}},
      {"promote", {ChangeKind::kPromote, l, ""}, Code::kOk, {{a, b, l}, {}}},
      {"promote a voter", {ChangeKind::kPromote, a, ""}, Code::kFailedPrecondition, {}},
      {"promote a stranger", {ChangeKind::kPromote, fresh, ""}, Code::kNotFound, {}},
      {"remove", {ChangeKind::kRemove, b, ""}, Code::kOk, {{a}, {l}}},
      {"remove a stranger", {ChangeKind::kRemove, fresh, ""}, Code::kNotFound, {}},
      {"member 0", {ChangeKind::kAddVoter, NodeId{}, ""}, Code::kInvalidArgument, {}},
  }));
  CAPTURE(test.name);
  const auto after = apply(before, test.change);
  REQUIRE(after.status().code() == test.code);
  if (after.ok()) REQUIRE((*after == test.after));
}

TEST_CASE("membership: entries survive the trip and damage does not pass") {
  const ConfigEntry entry{{ChangeKind::kPromote, NodeId{7}, "name=x"},
                          {{NodeId{1}, NodeId{7}}, {}}};
  const std::string data = encode(entry);
  REQUIRE((decode_config_entry(data).value() == entry));
  REQUIRE((decode_change(data).value() == entry.change));
  REQUIRE((decode_change(encode(entry.change)).value() == entry.change));
  for (std::size_t length = 0; length < data.size(); ++length) {
    CAPTURE(length);
    REQUIRE_FALSE(decode_config_entry(data.substr(0, length)).ok());
  }
  REQUIRE_FALSE(decode_config_entry(data + "x").ok());
}
