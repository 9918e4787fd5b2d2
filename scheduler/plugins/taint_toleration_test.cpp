#include "plugins/taint_toleration.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;
using testing::ScoreCase;

Verdict refused(const std::string& taint) {
  return Verdict::never("node(s) had untolerated taint {" + taint + "}");
}

TEST_CASE("TaintToleration filters") {
  const std::vector<a_node> tainted{a_node("n").taint("dedicated", "gpu", "NoSchedule")};
  const auto pod = [](const char* tolerations) {
    return a_pod("p").set("spec.tolerations", tolerations);
  };
  const Verdict no = refused("dedicated: gpu"), yes = Verdict::yes();
  check_all(TaintToleration(),
            std::vector<FilterCase>{
                {"no taint", {a_node("n")}, {}, a_pod("p"), {yes}},
                {"not tolerated", tainted, {}, a_pod("p"), {no}},
                {"equal",
                 tainted,
                 {},
                 pod(R"([{"key":"dedicated","value":"gpu","effect":"NoSchedule"}])"),
                 {yes}},
                {"equal is the operator that needs no name",
                 tainted,
                 {},
                 pod(R"([{"key":"dedicated","operator":"Equal","value":"gpu"}])"),
                 {yes}},
                {"another value", tainted, {}, pod(R"([{"key":"dedicated","value":"cpu"}])"), {no}},
                {"exists", tainted, {}, pod(R"([{"key":"dedicated","operator":"Exists"}])"), {yes}},
                {"another key", tainted, {}, pod(R"([{"key":"other","operator":"Exists"}])"), {no}},
                {"every key", tainted, {}, pod(R"([{"operator":"Exists"}])"), {yes}},
                {"every key needs Exists",
                 tainted,
                 {},
                 pod(R"([{"operator":"Equal","value":"gpu"}])"),
                 {no}},
                {"another effect",
                 tainted,
                 {},
                 pod(R"([{"key":"dedicated","operator":"Exists","effect":"NoExecute"}])"),
                 {no}},
                {"the first that is not tolerated is named",
                 {a_node("n")
                      .taint("a", "", "NoSchedule")
                      .taint("b", "1", "NoExecute")
                      .taint("c", "", "NoSchedule")},
                 {},
                 pod(R"([{"key":"a","operator":"Exists"}])"),
                 {refused("b: 1")}},
                {"PreferNoSchedule keeps nobody away",
                 {a_node("n").taint("a", "", "PreferNoSchedule")},
                 {},
                 a_pod("p"),
                 {yes}},
            });
}

TEST_CASE("TaintToleration scores by taints that would have to be borne") {
  const std::vector<a_node> nodes{
      a_node("n0"), a_node("n1").taint("a", "", "PreferNoSchedule"),
      a_node("n2").taint("a", "", "PreferNoSchedule").taint("b", "", "PreferNoSchedule")};
  check_all(TaintToleration(),
            std::vector<ScoreCase>{
                {"none, one, two", nodes, {}, a_pod("p"), {100, 50, 0}},
                {"one tolerated",
                 nodes,
                 {},
                 a_pod("p").set("spec.tolerations", R"([{"key":"a","operator":"Exists"}])"),
                 {100, 100, 0}},
                {"tolerated for another effect only",
                 nodes,
                 {},
                 a_pod("p").set("spec.tolerations",
                                R"([{"key":"a","operator":"Exists","effect":"NoSchedule"}])"),
                 {100, 50, 0}},
                {"all equal", {a_node("n"), a_node("m")}, {}, a_pod("p"), {100, 100}},
            });
}

}  // namespace
}  // namespace coracle::scheduler
