#include "external/messages.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using testing::parsed;

constexpr Wanted kBoth{true, true};
const std::set<std::string> kAsked{"a", "b"};

std::vector<const NodeInfo*> all(const Snapshot& world) {
  std::vector<const NodeInfo*> nodes;
  for (const NodeInfo& node : world.nodes) nodes.push_back(&node);
  return nodes;
}

json::value asked(const Snapshot& world, bool with_pods, KnownNodes& known) {
  return parsed(question_line(1, kBoth, a_pod("p").object(), all(world), world, with_pods, &known));
}

TEST_CASE("a question tells each node once, and again when it changed") {
  KnownNodes known;
  Snapshot world = a_world({a_node("a").label("x", "y").taint("t", "v", "NoSchedule"), a_node("b")},
                           {a_pod("q").cpu("500m").on("b")});
  json::value question = asked(world, false, known);
  CHECK(question.at("nodes") == parsed(R"(["a","b"])"));
  CHECK(question.at("want") == parsed(R"(["filter","score"])"));
  CHECK(question.at("pod").at("metadata").at("name") == "p");
  REQUIRE(question.at("changed").as_array().size() == 2);
  const json::value& a = question.at("changed").as_array()[0];
  CHECK(a.at("labels").at("x") == "y");
  CHECK(a.at("taints") == parsed(R"([{"key":"t","value":"v","effect":"NoSchedule"}])"));
  CHECK(a.at("allocatable").at("cpu") == 4000);
  const json::value& b = question.at("changed").as_array()[1];
  CHECK(b.at("requested").at("cpu") == 500);
  CHECK(b.at("podCount") == 1);
  CHECK_FALSE(b.as_object().contains("pods"));

  CHECK(asked(world, false, known).at("changed").as_array().empty());
  world.add_pod(0, a_pod("r").cpu("1").on("a").info());
  question = asked(world, false, known);
  REQUIRE(question.at("changed").as_array().size() == 1);
  CHECK(question.at("changed").as_array()[0].at("requested").at("cpu") == 1000);

  world.remove_node(1);
  question = asked(world, false, known);
  CHECK(question.at("gone") == parsed(R"(["b"])"));
  CHECK(asked(world, false, known).at("gone").as_array().empty());
}

TEST_CASE("who wants to is told the pods of nodes, also when one took another's place") {
  KnownNodes known;
  Snapshot world = a_world({a_node("a")}, {a_pod("q").cpu("1").label("app", "db").on("a")});
  json::value question = asked(world, true, known);
  const json::value& pod = question.at("changed").as_array()[0].at("pods").as_array()[0];
  CHECK(pod == parsed(R"({"namespace":"default","name":"q","labels":{"app":"db"},"priority":0,
                          "requested":{"cpu":1000,"memory":0}})"));
  world.remove_pod(0, "default/q");
  world.add_pod(0, a_pod("r").cpu("1").on("a").info());
  question = asked(world, true, known);
  CHECK(question.at("changed").as_array()[0].at("pods").as_array()[0].at("name") == "r");
}

TEST_CASE("a greeting, and answers to it") {
  ProcessSpec spec;
  spec.name = "Carbon";
  spec.args = parsed(R"({"limit":3})");
  CHECK(parsed(hello_line(spec)) ==
        parsed(R"({"hello":{"protocol":1,"plugin":"Carbon","args":{"limit":3}}})"));
  CHECK(read_hello(R"({"hello":{"protocol":1,"points":["score","filter"]}})", kBoth).ok());
  const auto told = [](const char* line) { return read_hello(line, kBoth).message(); };
  CHECK(told("Hello!") == "its answer is not JSON; it said: Hello!");
  CHECK(told(R"({"id":1})") == R"(it did not answer "hello"; it said: {"id":1})");
  CHECK(told(R"({"hello":{"protocol":2}})") ==
        R"(it does not speak protocol 1; it said: {"hello":{"protocol":2}})");
  CHECK(told(R"({"hello":{"protocol":1,"points":["filter"]}})")
            .starts_with("it does not offer score, which is enabled"));
}

TEST_CASE("answers") {
  const auto read = [](const char* line, Wanted wanted = kBoth) {
    return read_process_answer(line, 7, wanted, kAsked);
  };
  const auto good = read(R"({"id":7,"filter":{"a":"hot"},"score":{"b":100}})");
  REQUIRE(good.ok());
  CHECK(good->noes.at("a") == "hot");
  CHECK(good->scores.at("b") == 100);
  CHECK(read(R"({"id":7,"skip":true})")->skip);
  CHECK(read(R"({"id":7,"filter":{}})", {true, false}).ok());
  CHECK(read(R"({"id":7,"error":"no idea"})").status() == failed_precondition("no idea"));

  struct Bad {
    const char* line;
    const char* said;
  };
  for (const Bad& bad : {
           Bad{"{", "its answer is not JSON"},
           Bad{"[]", "its answer is not an object"},
           Bad{R"({"filter":{}})", "its answer is not to question 7"},
           Bad{R"({"id":6,"filter":{},"score":{}})", "its answer is not to question 7"},
           Bad{R"({"id":7,"filter":{}})", "\"score\" is missing"},
           Bad{R"({"id":7,"score":{"a":1,"b":1}})", "\"filter\" is missing"},
           Bad{R"({"id":7,"filter":{},"score":{"a":1}})", "\"score\" is missing for node \"b\""},
           Bad{R"({"id":7,"filter":{},"score":{"a":1,"b":101}})",
               "the score of node \"b\" is not a whole number from 0 to 100: 101"},
           Bad{R"({"id":7,"filter":{},"score":{"a":1,"b":0.5}})",
               "the score of node \"b\" is not a whole number from 0 to 100: 5E-1"},
           Bad{R"({"id":7,"filter":{"z":"x"},"score":{}})",
               "\"filter\" names node \"z\", which it was not asked about"},
           Bad{R"({"id":7,"filter":{"a":""},"score":{}})",
               "\"filter\" gives no reason for node \"a\""},
           Bad{R"({"id":7,"filter":{},"score":{},"scores":{}})",
               "its answer has a member nobody knows, \"scores\""},
       }) {
    const auto answer = read(bad.line);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.status() == invalid_argument(std::string(bad.said) + "; it said: " + bad.line));
  }
}

}  // namespace
}  // namespace coracle::scheduler
