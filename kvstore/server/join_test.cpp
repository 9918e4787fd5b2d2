#include "server/join.hpp"

#include <catch2/catch.hpp>

namespace coracle::store {
namespace {

KnownMember known(std::uint64_t id, const Urls& peers, const Urls& clients = {"http://c:1"}) {
  return {id, clients.empty() ? "" : "m", peers, clients, false};
}

// a runs, b was added.
ClusterSays a_cluster() {
  return {7, {known(1, {"http://a:1", "http://a:2"}), known(2, {"http://b:1"}, {})}};
}

Options joiner() {
  Options options;
  options.name = "b";
  options.joins_existing = true;
  options.initial_cluster = {{"a", {"http://a:2", "http://a:1"}}, {"b", {"http://b:1"}}};
  return options;
}

}  // namespace

TEST_CASE("a member that joins is who the cluster says it is") {
  Options options = joiner();
  REQUIRE(assign_identity(a_cluster(), &options).ok());
  CHECK(options.identity == disk::Identity{7, 2});
  CHECK(identity_of(options) == disk::Identity{7, 2});
  REQUIRE(options.known_members.size() == 2);
  CHECK(options.known_members[0].client_urls == Urls{"http://c:1"});
}

TEST_CASE("flags that do not fit the cluster that is joined") {
  Options options = joiner();
  ClusterSays cluster = a_cluster();
  std::string want;
  SECTION("it has more members") {
    cluster.members.push_back(known(3, {"http://c:1"}));
    want = "member count is unequal: --initial-cluster has 2, the cluster 3";
  }
  SECTION("another address") {
    options.initial_cluster["a"] = {"http://a:1"};
    want = "unmatched member while checking PeerURLs: 1 (http://a:1,http://a:2)";
  }
  SECTION("the names are mixed up, so this would be a member that runs") {
    std::swap(options.initial_cluster["a"], options.initial_cluster["b"]);
    want = "member 1 has already been bootstrapped";
  }
  SECTION("it was started before") {
    cluster.members[1] = known(2, {"http://b:1"});
    want = "member 2 has already been bootstrapped; its disk is lost";
  }
  const Status status = assign_identity(cluster, &options);
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK_THAT(status.message(), Catch::Contains(want));
  CHECK(options.identity.member == 0);
}

TEST_CASE("a founding member that others have seen before does not start anew") {
  const auto check = [](const Urls& advertise_peer, const std::string& token) {
    Options options;
    options.name = "x";
    options.advertise_peer = advertise_peer;
    options.cluster_token = token;
    ClusterSays cluster = a_cluster();
    cluster.members.push_back(known(member_id({"http://d:1"}, "t"), {"http://moved:1"}));
    return check_not_started(cluster, options).code();
  };
  CHECK(check({"http://new:1"}, "t") == Code::kOk);  // they do not know it
  CHECK(check({"http://b:1"}, "t") == Code::kOk);    // they wait for its first start
  CHECK(check({"http://a:1", "http://a:2"}, "t") == Code::kFailedPrecondition);
  CHECK(check({"http://d:1"}, "t") == Code::kFailedPrecondition);  // by its id
  CHECK(check({"http://d:1"}, "another") == Code::kOk);
}

}  // namespace coracle::store
