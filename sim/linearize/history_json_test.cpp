#include "linearize/history_json.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::linearize;

TEST_CASE("a line that is read and written again is the same") {
  const std::string lines[] = {
      R"({"client":1,"call":5,"return":9,"request":{"range":{"key":"a","end":"b","limit":2,"revision":7,"serializable":true,"count_only":true}},"result":{"revision":8,"count":3,"more":false,"kvs":[]}})",
      R"({"client":1,"call":5,"request":{"put":{"key":"a","value":"x","lease":4,"prev_kv":true}}})",
      R"({"client":1,"call":5,"return":6,"request":{"delete":{"key":"a","end":"\u0000"}},"result":{"revision":3,"deleted":2,"prev_kvs":[{"key":"a","value":"1","create":2,"mod":2,"version":1,"lease":0}]}})",
      R"({"client":1,"call":5,"return":6,"request":{"txn":{"compare":[{"key":"a","target":"mod","result":"!=","number":3}],"then":[{"put":{"key":"a","value":"1"}}],"else":[{"txn":{"compare":[],"then":[],"else":[]}}]}},"result":{"revision":4,"succeeded":true,"responses":[{"revision":4}]}})",
      R"({"client":1,"call":5,"return":6,"request":{"compact":{"revision":2}},"result":{"error":"compacted"}})",
      R"({"client":1,"call":5,"request":{"grant":{"lease":7,"ttl":10}}})",
      R"({"client":1,"call":5,"request":{"revoke":{"lease":7}}})",
      R"({"client":1,"call":5,"return":6,"request":{"observe":{"key":"a","revision":4}},"result":{"events":[{"type":"delete","key":"a","mod":4}]}})",
  };
  for (const std::string& line : lines) {
    const auto history = parse_history(line + "\n");
    INFO(line);
    INFO(history.status().to_string());
    REQUIRE(history.ok());
    REQUIRE(history->size() == 1);
    CHECK(to_json(to_json_line(history->front())) == line);
  }
}

TEST_CASE("what is wrong with a line is said") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"client":1)", "line 1: "},
      {R"([])", "line 1: an object is needed"},
      {R"({"client":1,"call":1})", "line 1: call and request are needed"},
      {R"({"call":1,"return":2,"request":{"put":{}}})",
       "line 1: return and result belong together"},
      {R"({"call":3,"return":2,"request":{"put":{}},"result":{}})",
       "line 1: it returned before it was called"},
      {R"({"call":1,"request":{"put":{},"range":{}}})",
       "line 1: a request is an object with one member"},
      {R"({"call":1,"request":{"get":{}}})", "line 1: unknown request: get"},
      {R"({"call":1,"request":{"put":{"kee":"a"}}})", "line 1: unknown member: kee"},
      {R"({"call":1,"request":{"put":{"key":1}}})", "line 1: key: a string is needed"},
      {R"({"call":"1","request":{"put":{}}})", "line 1: call: an integer is needed"},
      {R"({"call":1,"request":{"txn":{"compare":[{"target":"size"}]}}})",
       "line 1: compare: unknown: size"},
  };
  for (const auto& [line, error] : cases) {
    const auto history = parse_history(line);
    CAPTURE(line);
    REQUIRE_FALSE(history.ok());
    CHECK(history.status().code() == Code::kInvalidArgument);
    CHECK(history.status().message().substr(0, std::string(error).size()) == error);
  }
}
