#include "linearize/search.hpp"

#include <catch2/catch.hpp>

#include "base/rng.hpp"
#include "linearize/history_json.hpp"
#include "linearize/model.hpp"

using namespace coracle;
using namespace coracle::linearize;

namespace {

struct Case {
  const char* name;
  const char* lines;
  Kind kind;
};

// Two puts of `a`, one after the other, and what then is told.
#define PUT_A(call, back, value, revision)                              \
  R"({"client":1,"call":)" call R"(,"return":)" back                    \
  R"(,"request":{"put":{"key":"a","value":")" value R"("}},"result":{)" \
  R"("revision":)" revision "}}\n"
#define TWO_PUTS PUT_A("1", "2", "1", "2") PUT_A("3", "4", "2", "3")

const Case kCases[] = {
    {"nothing happened", "", Kind::kOk},
    {"a read after two puts",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":3,"count":1,"kvs":[{"key":"a","value":"2","create":2,"mod":3,"version":2,"lease":0}]}})",
     Kind::kOk},
    {"a stale read",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":2,"kvs":[{"key":"a","value":"1"}]}})",
     Kind::kViolation},
    {"the same read, but it began before the second put returned",
     TWO_PUTS
     R"({"client":2,"call":4,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":2,"kvs":[{"key":"a","value":"1"}]}})",
     Kind::kOk},
    {"the same read, serializable",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a","serializable":true}},"result":{"revision":2,"kvs":[{"key":"a","value":"1"}]}})",
     Kind::kOk},
    {"a serializable read of no past",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a","serializable":true}},"result":{"revision":2,"kvs":[{"key":"a","value":"2"}]}})",
     Kind::kViolation},
    {"a serializable read from the future",
     TWO_PUTS
     R"({"client":2,"call":1,"return":2,"request":{"range":{"key":"a","serializable":true}},"result":{"revision":3,"kvs":[{"key":"a","value":"2"}]}})",
     Kind::kViolation},
    {"a lost write",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":3,"count":0,"kvs":[]}})",
     Kind::kViolation},
    {"a revision is used twice",
     R"({"client":1,"call":1,"return":2,"request":{"put":{"key":"a","value":"1"}},"result":{"revision":2}}
{"client":2,"call":1,"return":2,"request":{"put":{"key":"b","value":"1"}},"result":{"revision":2}})",
     Kind::kViolation},
    {"a write is applied twice",
     R"({"client":1,"call":1,"return":2,"request":{"put":{"key":"a","value":"1"}},"result":{"revision":2}}
{"client":2,"call":3,"return":4,"request":{"range":{"key":"a"}},"result":{"revision":3,"kvs":[{"key":"a","value":"1","create":2,"mod":3,"version":2}]}})",
     Kind::kViolation},
    {"revisions go down",
     R"({"client":1,"call":1,"return":2,"request":{"put":{"key":"a","value":"1"}},"result":{"revision":3}}
{"client":1,"call":3,"return":4,"request":{"put":{"key":"a","value":"2"}},"result":{"revision":2}})",
     Kind::kViolation},
    {"a revision is left out",
     TWO_PUTS
     R"({"client":1,"call":5,"return":6,"request":{"put":{"key":"a","value":"3"}},"result":{"revision":5}})",
     Kind::kViolation},
    {"a value never written",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":3,"kvs":[{"key":"a","value":"9"}]}})",
     Kind::kViolation},
    {"an unknown write takes effect later",
     TWO_PUTS
     R"({"client":2,"call":1,"request":{"put":{"key":"a","value":"u"}}}
{"client":3,"call":5,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":3,"kvs":[{"key":"a","value":"2"}]}}
{"client":3,"call":7,"return":8,"request":{"range":{"key":"a"}},"result":{"revision":4,"kvs":[{"key":"a","value":"u","version":3}]}})",
     Kind::kOk},
    {"an unknown write takes effect never",
     TWO_PUTS
     R"({"client":2,"call":1,"request":{"put":{"key":"a","value":"u"}}}
{"client":3,"call":7,"return":8,"request":{"range":{"key":"a"}},"result":{"revision":3,"kvs":[{"key":"a","value":"2"}]}})",
     Kind::kOk},
    {"an unknown write takes effect twice",
     TWO_PUTS
     R"({"client":2,"call":1,"request":{"put":{"key":"a","value":"u"}}}
{"client":1,"call":5,"return":6,"request":{"put":{"key":"a","value":"3"}},"result":{"revision":5}}
{"client":3,"call":7,"return":8,"request":{"range":{"key":"a"}},"result":{"revision":6,"kvs":[{"key":"a","value":"u"}]}})",
     Kind::kViolation},
    {"an unknown write takes effect before its call",
     R"({"client":3,"call":1,"return":2,"request":{"range":{"key":"a"}},"result":{"revision":2,"kvs":[{"key":"a","value":"u"}]}}
{"client":2,"call":3,"request":{"put":{"key":"a","value":"u"}}})",
     Kind::kViolation},
    {"a guarded txn won twice",
     R"({"client":1,"call":1,"return":9,"request":{"txn":{"compare":[{"key":"a","target":"mod","number":0}],"then":[{"put":{"key":"a","value":"1"}}]}},"result":{"succeeded":true}}
{"client":2,"call":1,"return":9,"request":{"txn":{"compare":[{"key":"a","target":"mod","number":0}],"then":[{"put":{"key":"a","value":"2"}}]}},"result":{"succeeded":true}})",
     Kind::kViolation},
    {"a guarded txn won once, without revisions",
     R"({"client":1,"call":1,"return":9,"request":{"txn":{"compare":[{"key":"a","target":"mod","number":0}],"then":[{"put":{"key":"a","value":"1"}}]}},"result":{"succeeded":false}}
{"client":2,"call":1,"return":9,"request":{"txn":{"compare":[{"key":"a","target":"mod","number":0}],"then":[{"put":{"key":"a","value":"2"}}]}},"result":{"succeeded":true}})",
     Kind::kOk},
    {"a torn txn",
     R"({"client":1,"call":1,"return":9,"request":{"txn":{"then":[{"put":{"key":"a","value":"1"}},{"put":{"key":"b","value":"1"}}]}},"result":{"succeeded":true,"revision":2}}
{"client":2,"call":1,"return":9,"request":{"range":{"key":"a","end":"c"}},"result":{"revision":2,"count":1,"kvs":[{"key":"a","value":"1"}]}})",
     Kind::kViolation},
    {"a compacted revision is read",
     TWO_PUTS
     R"({"client":1,"call":5,"return":6,"request":{"compact":{"revision":3}},"result":{"revision":3}}
{"client":2,"call":7,"return":8,"request":{"range":{"key":"a","revision":2}},"result":{"revision":3,"kvs":[{"key":"a","value":"1"}]}})",
     Kind::kViolation},
    {"an unknown compaction was done",
     TWO_PUTS
     R"({"client":1,"call":1,"request":{"compact":{"revision":3}}}
{"client":2,"call":5,"return":6,"request":{"range":{"key":"a","revision":2}},"result":{"revision":3,"kvs":[{"key":"a","value":"1"}]}}
{"client":2,"call":7,"return":8,"request":{"range":{"key":"a","revision":2}},"result":{"error":"compacted"}})",
     Kind::kOk},
    {"a past revision changes",
     TWO_PUTS
     R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a","revision":2}},"result":{"revision":3,"kvs":[{"key":"a","value":"2"}]}})",
     Kind::kViolation},
    {"a lease ends and takes its keys in one revision",
     R"({"client":1,"call":1,"return":2,"request":{"grant":{"lease":7,"ttl":5}},"result":{"revision":1}}
{"client":1,"call":3,"return":4,"request":{"txn":{"then":[{"put":{"key":"a","value":"1","lease":7}},{"put":{"key":"b","value":"1","lease":7}}]}},"result":{"revision":2}}
{"client":9,"call":5,"request":{"revoke":{"lease":7}}}
{"client":1,"call":6,"return":7,"request":{"range":{"key":"a","end":"c"}},"result":{"revision":3,"count":0}}
{"client":1,"call":8,"return":9,"request":{"put":{"key":"a","value":"2","lease":7}},"result":{"error":"lease not found"}})",
     Kind::kOk},
    {"a lease takes its keys in two revisions",
     R"({"client":1,"call":1,"return":2,"request":{"grant":{"lease":7,"ttl":5}},"result":{"revision":1}}
{"client":1,"call":3,"return":4,"request":{"txn":{"then":[{"put":{"key":"a","value":"1","lease":7}},{"put":{"key":"b","value":"1","lease":7}}]}},"result":{"revision":2}}
{"client":9,"call":5,"return":6,"request":{"revoke":{"lease":7}},"result":{}}
{"client":1,"call":6,"return":7,"request":{"range":{"key":"a","end":"c"}},"result":{"revision":3,"count":1}})",
     Kind::kViolation},
    {"a watcher was told what happened",
     TWO_PUTS
     R"({"client":5,"call":3,"return":9,"request":{"observe":{"key":"","end":"\u0000","revision":3}},"result":{"events":[{"type":"put","key":"a","value":"2","create":2,"mod":3}]}})",
     Kind::kOk},
    {"a watcher missed a part of a revision",
     R"({"client":1,"call":1,"return":9,"request":{"txn":{"then":[{"put":{"key":"a","value":"1"}},{"put":{"key":"b","value":"1"}}]}},"result":{"succeeded":true,"revision":2}}
{"client":5,"call":3,"return":9,"request":{"observe":{"key":"a","end":"c","revision":2}},"result":{"events":[{"type":"put","key":"a","value":"1"}]}})",
     Kind::kViolation},
};

Kind kind_of(const std::string& lines) {
  const auto history = parse_history(lines);
  INFO(history.status().to_string());
  REQUIRE(history.ok());
  return check(*history).kind;
}

}  // namespace

TEST_CASE("histories known to be good and bad") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    CHECK(static_cast<int>(kind_of(c.lines)) == static_cast<int>(c.kind));
  }
}

TEST_CASE("the smallest prefix ends with the first answer that cannot be") {
  const auto history = parse_history(
      TWO_PUTS
      R"({"client":2,"call":5,"return":6,"request":{"range":{"key":"a"}},"result":{"revision":2}}
{"client":2,"call":7,"return":8,"request":{"range":{"key":"a"}},"result":{"revision":2}})");
  REQUIRE(history.ok());
  const Verdict verdict = check(*history);
  REQUIRE(verdict.kind == Kind::kViolation);
  CHECK(verdict.culprit == 2);
  CHECK(verdict.events == 6);
}

namespace {

Request random_request(Rng& rng) {
  const std::string key(1, char('a' + rng.below(4)));
  const std::string value = std::to_string(rng.next());
  switch (rng.below(6)) {
    case 0:
    case 1:
      return mvcc::PutRequest{.key = key, .value = value, .prev_kv = rng.chance(0.5)};
    case 2:
      return mvcc::DeleteRequest{.key = key, .prev_kv = rng.chance(0.5)};
    case 3: {
      mvcc::TxnRequest txn;
      txn.compare = {{.target = mvcc::Compare::Target::kVersion, .key = key, .number = 1}};
      txn.success.push_back({mvcc::PutRequest{.key = key, .value = value}});
      txn.failure.push_back({mvcc::PutRequest{.key = key, .value = value + "!"}});
      return txn;
    }
    default:
      return mvcc::RangeRequest{.key = "a", .range_end = "z"};
  }
}

// What a true store could have answered: each operation happens at one moment between call and
// return; some answers get lost. With `watched`, a watcher is told of every revision in the end.
History true_history(Rng& rng, std::size_t count, bool watched) {
  struct Planned {
    std::int64_t call, happens, returned;
    Request request;
  };
  std::vector<Planned> planned;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t call = rng.between(0, std::int64_t(count) * 10);
    const std::int64_t happens = call + rng.between(0, 60);
    planned.push_back({call, happens, happens + rng.between(0, 60), random_request(rng)});
  }
  std::sort(planned.begin(), planned.end(),
            [](const Planned& a, const Planned& b) { return a.happens < b.happens; });
  Model model;
  History history;
  for (Planned& p : planned) {
    Operation o{.call = p.call, .returned = p.returned, .request = p.request};
    const bool lost = rng.chance(0.05);
    const std::int64_t before = model.revision();
    if (!lost || rng.chance(0.5)) {
      Answer answer = model.apply(p.request).answer;
      if (!lost) o.answer = std::move(answer);
    }
    history.push_back(std::move(o));
    if (!watched || model.revision() == before) continue;
    const ObserveRequest all{"a", "z", model.revision()};
    history.push_back({.call = p.happens,
                       .returned = p.happens + rng.between(0, 500),
                       .answer = model.observe(all),
                       .request = all});
  }
  return history;
}

}  // namespace

TEST_CASE("whatever really happened in some order is accepted, and soon") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const History history = true_history(rng, 10 + rng.below(300), true);
    const Verdict verdict = check(history);
    REQUIRE(verdict.kind == Kind::kOk);
    REQUIRE(verdict.steps < 100 * history.size());
  }
}

TEST_CASE("without a watcher, too, if few answers are lost") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    REQUIRE(check(true_history(rng, 10 + rng.below(40), false)).kind == Kind::kOk);
  }
}

TEST_CASE("one answer spoiled is found") {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    History history = true_history(rng, 100, true);
    Operation& victim = history[20 + rng.below(60)];
    if (!victim.answer || !victim.answer->revision) continue;
    *victim.answer->revision += rng.chance(0.5) ? 30 : -30;
    REQUIRE(check(history).kind == Kind::kViolation);
    ++found;
  }
  REQUIRE(found > 80);
}

TEST_CASE("a long history takes time in proportion") {
  Rng rng(7);
  const History history = true_history(rng, 5'000, true);
  const Verdict verdict = check(history);
  REQUIRE(verdict.kind == Kind::kOk);
  REQUIRE(verdict.steps < 200 * history.size());
}
