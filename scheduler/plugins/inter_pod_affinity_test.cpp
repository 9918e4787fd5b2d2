#include "plugins/inter_pod_affinity.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::check_all;
using testing::FilterCase;
using testing::ScoreCase;

const char* const kHost = "kubernetes.io/hostname";
const char* const kZone = "topology.kubernetes.io/zone";

std::string term(const std::string& app, const std::string& key, const std::string& more = {}) {
  return R"({"labelSelector":{"matchLabels":{"app":")" + app + R"("}},"topologyKey":")" + key +
         "\"" + more + "}";
}

a_pod of_app(const char* name, const char* app, const std::string& ns = "default") {
  return a_pod(name, ns).label("app", app);
}

a_pod needing(a_pod pod, const char* what, const std::string& terms) {
  return pod.set(
      std::string("spec.affinity.") + what + ".requiredDuringSchedulingIgnoredDuringExecution",
      "[" + terms + "]");
}

a_pod liking(a_pod pod, const char* what, int weight, const std::string& one) {
  return pod.set(
      std::string("spec.affinity.") + what + ".preferredDuringSchedulingIgnoredDuringExecution",
      R"([{"weight":)" + std::to_string(weight) + R"(,"podAffinityTerm":)" + one + "}]");
}

const char* const kNear = "podAffinity";
const char* const kApart = "podAntiAffinity";
const Verdict kYes = Verdict::yes();
const Verdict kNotNear = Verdict::never("node(s) didn't match pod affinity rules");
const Verdict kNotApart = Verdict::not_now("node(s) didn't match pod anti-affinity rules");
const Verdict kRefused =
    Verdict::not_now("node(s) didn't satisfy existing pods anti-affinity rules");

// Zone a: n1, n2; zone b: n3; n4 is in no zone.
std::vector<a_node> four() {
  return {a_node("n1").zone("a"), a_node("n2").zone("a"), a_node("n3").zone("b"), a_node("n4")};
}

TEST_CASE("InterPodAffinity: what the pod asks") {
  const std::vector<a_pod> db_on_n1{of_app("d", "db").on("n1")};
  const a_pod web = of_app("p", "web");
  check_all(
      InterPodAffinity(),
      std::vector<FilterCase>{
          {"nothing asked by anybody: skipped", {a_node("n1")}, db_on_n1, web, {Verdict::skip()}},
          {"near on the node",
           four(),
           db_on_n1,
           needing(web, kNear, term("db", kHost)),
           {kYes, kNotNear, kNotNear, kNotNear}},
          {"near in the zone",
           four(),
           db_on_n1,
           needing(web, kNear, term("db", kZone)),
           {kYes, kYes, kNotNear, kNotNear}},
          {"nothing to be near to",
           four(),
           {},
           needing(web, kNear, term("db", kZone)),
           {kNotNear, kNotNear, kNotNear, kNotNear}},
          {"the first of its kind needs but the label",
           four(),
           {},
           needing(web, kNear, term("web", kZone)),
           {kYes, kYes, kYes, kNotNear}},
          {"all terms",
           four(),
           db_on_n1,
           needing(web, kNear, term("db", kZone) + "," + term("db", kHost)),
           {kYes, kNotNear, kNotNear, kNotNear}},
          {"one pod must match all terms",
           four(),
           {of_app("d", "db").on("n1"), of_app("c", "cache").on("n1")},
           needing(web, kNear, term("db", kZone) + "," + term("cache", kZone)),
           {kNotNear, kNotNear, kNotNear, kNotNear}},
          {"apart on the node",
           four(),
           db_on_n1,
           needing(web, kApart, term("db", kHost)),
           {kNotApart, kYes, kYes, kYes}},
          {"apart in the zone; who is in none is apart",
           four(),
           db_on_n1,
           needing(web, kApart, term("db", kZone)),
           {kNotApart, kNotApart, kYes, kYes}},
          {"any anti-affinity term says no",
           four(),
           {of_app("d", "db").on("n1"), of_app("c", "cache").on("n3")},
           needing(web, kApart, term("db", kHost) + "," + term("cache", kHost)),
           {kNotApart, kYes, kNotApart, kYes}},
      });
}

TEST_CASE("InterPodAffinity: what running pods ask binds the newcomer") {
  const std::vector<a_pod> lonely{needing(of_app("d", "db"), kApart, term("web", kZone)).on("n1")};
  check_all(InterPodAffinity(), std::vector<FilterCase>{
                                    {"their zone is closed",
                                     four(),
                                     lonely,
                                     of_app("p", "web"),
                                     {kRefused, kRefused, kYes, kYes}},
                                    {"not to others",
                                     {a_node("n1").zone("a")},
                                     lonely,
                                     of_app("p", "cache"),
                                     {Verdict::skip()}},
                                    {"not to other namespaces",
                                     {a_node("n1").zone("a")},
                                     lonely,
                                     of_app("p", "web", "other"),
                                     {Verdict::skip()}},
                                    {"our own rule is named first",
                                     four(),
                                     lonely,
                                     needing(of_app("p", "web"), kApart, term("db", kHost)),
                                     {kNotApart, kRefused, kYes, kYes}},
                                });
}

TEST_CASE("InterPodAffinity: namespaces of a term") {
  auto world = a_world({a_node("n1")}, {of_app("d", "db", "data").on("n1")});
  const json::object labels{{"team", "x"}};
  world.set_namespace("data", &labels);
  const auto verdict = [&](const std::string& more) {
    return testing::filtered(InterPodAffinity(),
                             *needing(of_app("p", "web"), kNear, term("db", kHost, more)).info(),
                             world)[0];
  };
  CHECK(verdict("") == kNotNear);
  CHECK(verdict(R"(,"namespaces":["data"])") == kYes);
  CHECK(verdict(R"(,"namespaces":["default"])") == kNotNear);
  CHECK(verdict(R"(,"namespaceSelector":{})") == kYes);
  CHECK(verdict(R"(,"namespaceSelector":{"matchLabels":{"team":"x"}})") == kYes);
  CHECK(verdict(R"(,"namespaceSelector":{"matchLabels":{"team":"y"}})") == kNotNear);
}

TEST_CASE("InterPodAffinity scores") {
  const std::vector<a_node> nodes{a_node("n1").zone("a"), a_node("n2").zone("a"),
                                  a_node("n3").zone("b")};
  const a_pod web = of_app("p", "web");
  const std::vector<a_pod> dbs{of_app("d", "db").on("n1"), of_app("e", "db").on("n3"),
                               of_app("f", "db").on("n3")};
  check_all(
      InterPodAffinity(),
      std::vector<ScoreCase>{
          {"nobody prefers: skipped", nodes, dbs, web, {}},
          {"no pod to prefer: skipped", nodes, {}, liking(web, kNear, 5, term("db", kZone)), {}},
          // Sums 5, 5, 10: the least becomes 0, the most 100.
          {"near, more is better",
           nodes,
           dbs,
           liking(web, kNear, 5, term("db", kZone)),
           {0, 0, 100}},
          // Sums 5, 0, 10.
          {"near on the node", nodes, dbs, liking(web, kNear, 5, term("db", kHost)), {50, 0, 100}},
          {"apart", nodes, dbs, liking(web, kApart, 5, term("db", kHost)), {50, 100, 0}},
          {"what a running pod requires is worth 1",
           nodes,
           {needing(of_app("d", "db"), kNear, term("web", kHost)).on("n2")},
           web,
           {0, 100, 0}},
          // 3 on n1, 1 on n2.
          {"what a running pod prefers is worth its weight",
           nodes,
           {liking(of_app("d", "db"), kNear, 3, term("web", kHost)).on("n1"),
            liking(of_app("e", "db"), kNear, 1, term("web", kHost)).on("n2")},
           web,
           {100, 33, 0}},
          // 100 * (29 / 100) is 28.99.. where 29 / 100 is reckoned first.
          {"cut as upstream cuts",
           nodes,
           {liking(of_app("d", "db"), kNear, 100, term("web", kHost)).on("n1"),
            liking(of_app("e", "db"), kNear, 29, term("web", kHost)).on("n2")},
           web,
           {100, 28, 0}},
          {"what a running pod would rather not",
           nodes,
           {liking(of_app("d", "db"), kApart, 3, term("web", kZone)).on("n1")},
           web,
           {0, 0, 100}},
      });
}

}  // namespace
}  // namespace coracle::scheduler
