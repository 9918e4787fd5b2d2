#include "web/health.hpp"

#include <catch2/catch.hpp>

#include "member/errors.hpp"

namespace coracle::store {
namespace {

struct Case {
  std::string name;
  HealthFacts facts;
  std::string query;
  int status;
  std::string body;
};

HealthFacts facts(bool nospace, bool corrupt, bool leader, Status linearizable = {}) {
  HealthFacts out;
  out.nospace = nospace;
  out.corrupt = corrupt;
  out.has_leader = leader;
  out.linearizable = std::move(linearizable);
  return out;
}

}  // namespace

TEST_CASE("/health names the first reason, as etcd does") {
  const std::string ok = R"({"health":"true","reason":""})";
  const auto bad = [](const std::string& reason) {
    return R"({"health":"false","reason":")" + reason + "\"}";
  };
  const Case all[] = {
      {"well", facts(false, false, true), "", 200, ok},
      {"no space", facts(true, false, true), "", 503, bad("ALARM NOSPACE")},
      {"no space, excluded", facts(true, false, true), "exclude=NOSPACE", 200, ok},
      {"another excluded", facts(true, false, true), "exclude=CORRUPT", 503, bad("ALARM NOSPACE")},
      {"both", facts(true, true, true), "exclude=NOSPACE", 503, bad("ALARM CORRUPT")},
      {"both excluded", facts(true, true, true), "exclude=NOSPACE&exclude=CORRUPT", 200, ok},
      {"no leader", facts(false, false, false, err_no_leader()), "", 503, bad("RAFT NO LEADER")},
      {"no leader, serializable", facts(false, false, false, err_no_leader()), "serializable=true",
       200, ok},
      {"a read that fails", facts(false, false, true, err_timeout()), "", 503,
       bad("RANGE ERROR:etcdserver: request timed out")},
  };
  for (const Case& c : all) {
    CAPTURE(c.name);
    const net::Response response = health_page(c.facts, net::Query::parse(c.query));
    CHECK(response.status == c.status);
    CHECK(response.body == c.body);
  }
}

TEST_CASE("/livez and /readyz run their checks") {
  HealthFacts bad;
  bad.corrupt = bad.learner = true;
  bad.linearizable = err_no_leader();
  const auto page = [](std::string_view path, const HealthFacts& known, std::string_view query) {
    const net::Response response = checks_page(checks_of(path), known, net::Query::parse(query));
    return std::to_string(response.status) + " " + response.body;
  };
  CHECK(page("/livez", bad, "") == "200 ok\n");
  CHECK(page("/livez", bad, "verbose") == "200 [+]serializable_read ok\nok\n");
  CHECK(page("/readyz", {}, "") == "200 ok\n");
  CHECK(page("/readyz", bad, "") ==
        "503 [-]data_corruption failed: alarm activated: CORRUPT\n[+]serializable_read ok\n"
        "[-]linearizable_read failed: etcdserver: no leader\n"
        "[-]non_learner failed: this member is a learner\n");
  CHECK(page("/readyz", bad,
             "exclude=data_corruption&exclude=linearizable_read&exclude=non_learner") ==
        "200 ok\n");
  CHECK(page("/readyz/data_corruption", bad, "") ==
        "503 [-]data_corruption failed: alarm activated: CORRUPT\n");
  CHECK(checks_of("/readyz/nonsense").empty());
  CHECK(checks_of("/livez/non_learner").empty());
}

TEST_CASE("Only pages that need it cost a linearizable read") {
  const auto query = [](std::string_view text) { return net::Query::parse(text); };
  CHECK(health_needs_read(query("")));
  CHECK_FALSE(health_needs_read(query("serializable=true")));
  CHECK_FALSE(checks_need_read(checks_of("/livez"), query("")));
  CHECK(checks_need_read(checks_of("/readyz"), query("")));
  CHECK_FALSE(checks_need_read(checks_of("/readyz"), query("exclude=linearizable_read")));
}

}  // namespace coracle::store
