#include "plugins/node_affinity.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;
using testing::ScoreCase;

a_pod demanding(const std::string& terms) {
  return a_pod("p").set(
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
      terms);
}

a_pod expecting(const std::string& expression) {
  return demanding(R"([{"matchExpressions":[)" + expression + "]}]");
}

a_pod preferring(const std::string& preferred) {
  return a_pod("p").set(
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution", preferred);
}

const Verdict kNo = Verdict::never("node(s) didn't match Pod's node affinity/selector");
const Verdict kYes = Verdict::yes();

TEST_CASE("NodeAffinity: the operators") {
  // Node n has disk=ssd and cores=8, node m has neither.
  const std::vector<a_node> nodes{a_node("n").label("disk", "ssd").label("cores", "8"),
                                  a_node("m")};
  check_all(
      NodeAffinity(),
      std::vector<FilterCase>{
          {"In",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"In","values":["hdd","ssd"]})"),
           {kYes, kNo}},
          {"In, not among them",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"In","values":["hdd"]})"),
           {kNo, kNo}},
          {"NotIn holds without the label",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"NotIn","values":["ssd"]})"),
           {kNo, kYes}},
          {"Exists", nodes, {}, expecting(R"({"key":"disk","operator":"Exists"})"), {kYes, kNo}},
          {"DoesNotExist",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"DoesNotExist"})"),
           {kNo, kYes}},
          {"Gt",
           nodes,
           {},
           expecting(R"({"key":"cores","operator":"Gt","values":["7"]})"),
           {kYes, kNo}},
          {"Gt is strict",
           nodes,
           {},
           expecting(R"({"key":"cores","operator":"Gt","values":["8"]})"),
           {kNo, kNo}},
          {"Gt compares numbers, not text",
           {a_node("n").label("cores", "10")},
           {},
           expecting(R"({"key":"cores","operator":"Gt","values":["9"]})"),
           {kYes}},
          {"Lt",
           nodes,
           {},
           expecting(R"({"key":"cores","operator":"Lt","values":["9"]})"),
           {kYes, kNo}},
          {"Lt is strict",
           nodes,
           {},
           expecting(R"({"key":"cores","operator":"Lt","values":["8"]})"),
           {kNo, kNo}},
          {"Lt of a label that is no number",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"Lt","values":["9"]})"),
           {kNo, kNo}},
          {"an operator nobody knows",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"Like"})"),
           {kNo, kNo}},
      });
}

TEST_CASE("NodeAffinity: terms, fields and nodeSelector") {
  const std::vector<a_node> nodes{a_node("n").label("disk", "ssd"),
                                  a_node("m").label("disk", "hdd").label("zone", "a")};
  const std::string ssd =
      R"({"matchExpressions":[{"key":"disk","operator":"In","values":["ssd"]}]})";
  const std::string zone = R"({"matchExpressions":[{"key":"zone","operator":"Exists"}]})";
  const std::string named_m =
      R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["m"]}]})";
  const std::string not_m =
      R"({"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["m"]}]})";
  check_all(
      NodeAffinity(),
      std::vector<FilterCase>{
          {"nothing asked", nodes, {}, a_pod("p"), {Verdict::skip(), Verdict::skip()}},
          {"nodeSelector",
           nodes,
           {},
           a_pod("p").set("spec.nodeSelector", R"({"disk":"ssd"})"),
           {kYes, kNo}},
          {"all of nodeSelector",
           nodes,
           {},
           a_pod("p").set("spec.nodeSelector", R"({"disk":"hdd","zone":"b"})"),
           {kNo, kNo}},
          {"nodeSelector and affinity both",
           nodes,
           {},
           demanding("[" + zone + "]").set("spec.nodeSelector", R"({"disk":"ssd"})"),
           {kNo, kNo}},
          {"one of the terms", nodes, {}, demanding("[" + ssd + "," + zone + "]"), {kYes, kYes}},
          {"all expressions of a term",
           nodes,
           {},
           expecting(R"({"key":"disk","operator":"Exists"},{"key":"zone","operator":"Exists"})"),
           {kNo, kYes}},
          {"by name", nodes, {}, demanding("[" + named_m + "]"), {kNo, kYes}},
          {"by name, inverted", nodes, {}, demanding("[" + not_m + "]"), {kYes, kNo}},
          {"an empty term matches nothing", nodes, {}, demanding("[{}]"), {kNo, kNo}},
          {"no terms match nothing", nodes, {}, demanding("[]"), {kNo, kNo}},
      });
}

TEST_CASE("NodeAffinity scores preferred terms by weight") {
  const std::vector<a_node> nodes{a_node("n").label("disk", "ssd").label("zone", "a"),
                                  a_node("m").label("zone", "a"), a_node("o")};
  check_all(NodeAffinity(), std::vector<ScoreCase>{
                                {"nothing preferred: skipped", nodes, {}, a_pod("p"), {}},
                                // 2 + 3, 3, 0; the largest becomes 100.
                                {"weights add up",
                                 nodes,
                                 {},
                                 preferring(R"([
             {"weight":2,"preference":{"matchExpressions":[{"key":"disk","operator":"Exists"}]}},
             {"weight":3,"preference":
               {"matchExpressions":[{"key":"zone","operator":"Exists"}]}}])"),
                                 {100, 60, 0}},
                                {"no node has it",
                                 nodes,
                                 {},
                                 preferring(R"([
             {"weight":9,"preference":{"matchExpressions":[{"key":"x","operator":"Exists"}]}}])"),
                                 {0, 0, 0}},
                                {"an empty preference prefers nothing",
                                 nodes,
                                 {},
                                 preferring(R"([{"weight":9,"preference":{}}])"),
                                 {0, 0, 0}},
                            });
}

}  // namespace
}  // namespace coracle::scheduler
