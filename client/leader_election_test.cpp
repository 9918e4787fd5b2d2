#include "client/leader_election.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;
using Action = LeaseDecision::Action;

LeaderElectionOptions options(const std::string& identity) {
  LeaderElectionOptions o;
  o.name = "demo";
  o.identity = identity;
  return o;
}

const TimePoint kNow{1000s};
const WallTime kWall{1767225600s};
const std::string kWallText = "2026-01-01T00:00:00.000000Z";

LeaseRecord held_by(const std::string& holder) { return {holder, 15, "then", "then", 4}; }

TEST_CASE("who may write the Lease, and what") {
  struct Case {
    const char* name;
    std::optional<LeaseRecord> record;
    Duration since_change;
    Action action;
    LeaseRecord written;
  };
  const std::vector<Case> cases{
      {"no Lease: make it", std::nullopt, 0s, Action::kCreate, {"me", 15, kWallText, kWallText, 0}},
      {"mine: renew, keep when it was acquired",
       held_by("me"),
       0s,
       Action::kUpdate,
       {"me", 15, "then", kWallText, 4}},
      {"another's and fresh: wait", held_by("other"), 14s, Action::kWait, {}},
      {"another's, not renewed for its duration: take it",
       held_by("other"),
       15s,
       Action::kUpdate,
       {"me", 15, kWallText, kWallText, 5}},
      {"released: take it at once",
       LeaseRecord{"", 1, "then", "then", 4},
       0s,
       Action::kUpdate,
       {"me", 15, kWallText, kWallText, 5}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const LeaseView view{c.record, kNow - c.since_change};
    const LeaseDecision decision = decide_lease(view, options("me"), kNow, kWall);
    CHECK(decision.action == c.action);
    if (c.action != Action::kWait) CHECK(decision.record == c.written);
  }
}

TEST_CASE("only a change of the record restarts its time") {
  LeaseView view;
  observe(view, held_by("other"), kNow);
  observe(view, held_by("other"), kNow + 5s);
  CHECK(view.changed_at == kNow);
  LeaseRecord renewed = held_by("other");
  renewed.renew_time = "now";
  observe(view, renewed, kNow + 6s);
  CHECK(view.changed_at == kNow + 6s);
}

TEST_CASE("options that cannot work") {
  auto o = options("me");
  CHECK(validate(o).ok());
  o.renew_deadline = 15s;
  CHECK(validate(o).message() == "leaseDuration must be greater than renewDeadline");
  o = options("me");
  o.retry_period = 9s;
  CHECK(validate(o).message() == "renewDeadline must be greater than retryPeriod*JitterFactor");
  CHECK(validate(options("")).message() == "Lock identity is empty");
}

const std::string kPath = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

struct World {
  ManualExecutor executor;
  FakeApi api{executor};
  Lines log;
  LeaderElector elector{executor,
                        api,
                        Rng(3),
                        options("me"),
                        {[this] { log.push_back("started"); }, [this] { log.push_back("stopped"); },
                         [this](const std::string& who) { log.push_back("leader " + who); }}};

  void become_leader() {
    elector.start();
    api.expect("GET", kPath + "/demo").fail(404, "NotFound");
    executor.run_ready();
    auto create = api.expect("POST", kPath);
    json::value lease = create.body();
    CHECK(lease_record(lease).holder == "me");
    set_path(lease, "metadata.resourceVersion", "1");
    create.reply(201, lease);
    executor.run_ready();
  }
  // Answers the next renewal with what it wrote.
  void renewed() {
    executor.advance(2s);
    auto put = api.expect("PUT", kPath + "/demo");
    put.reply(200, put.request.body);
    executor.run_ready();
  }
};

TEST_CASE("it makes the Lease, leads, renews, and releases when stopped") {
  World w;
  w.become_leader();
  CHECK(w.log == Lines{"started", "leader me"});
  CHECK(w.elector.is_leader());
  w.renewed();
  w.renewed();
  CHECK(w.log.size() == 2);
  bool stopped = false;
  w.elector.stop([&] { stopped = true; });
  CHECK(w.log.back() == "stopped");
  auto put = w.api.expect("PUT", kPath + "/demo");
  const LeaseRecord released = lease_record(put.body());
  CHECK(released.holder.empty());
  CHECK(released.duration_seconds == 1);
  CHECK_FALSE(stopped);
  put.reply(200, put.request.body);
  w.executor.run_ready();
  CHECK(stopped);
  w.executor.advance(1h);
  CHECK(w.api.idle());
}

TEST_CASE("a leader that cannot renew stops after the deadline, though an answer hangs") {
  World w;
  w.become_leader();
  w.executor.advance(2s);
  auto hanging = w.api.expect("PUT", kPath + "/demo");
  w.executor.advance(7s);
  CHECK(w.elector.is_leader());
  w.executor.advance(1s);
  CHECK_FALSE(w.elector.is_leader());
  CHECK(w.log.back() == "stopped");
  hanging.reply(200, hanging.request.body);  // too late to lead again by it
  w.executor.run_ready();
  CHECK_FALSE(w.elector.is_leader());
  w.executor.advance(5s);
  w.api.expect("GET", kPath + "/demo").fail(500, "InternalError");
  w.executor.run_ready();
}

// Work that keeps the strand: time passes, and no timer or answer is looked at meanwhile.
void keep_busy(World& w, Duration span) {
  w.executor.post([&w, span] { w.executor.busy(span); });
  w.executor.run_ready();
  w.executor.advance(0s);  // the timers that are due, before what lies in the sockets
}

TEST_CASE("a leader whose strand was busy looks at what has come before it gives up") {
  World w;
  w.become_leader();
  w.executor.advance(2s);
  auto put = w.api.expect("PUT", kPath + "/demo");
  keep_busy(w, 11s);
  put.reply(200, put.request.body);
  w.executor.run_ready();
  CHECK(w.elector.is_leader());
  // That renewal was asked for eleven seconds ago: the next one is due at once.
  w.executor.advance(0s);
  put = w.api.expect("PUT", kPath + "/demo");
  put.reply(200, put.request.body);
  w.executor.run_ready();
  w.renewed();
  CHECK(w.log == Lines{"started", "leader me"});
}

TEST_CASE("a leader whose strand was busy at the time to renew renews late") {
  World w;
  w.become_leader();
  keep_busy(w, 12s);
  auto put = w.api.expect("PUT", kPath + "/demo");
  put.reply(200, put.request.body);
  w.executor.run_ready();
  w.executor.advance(1s);
  CHECK(w.log == Lines{"started", "leader me"});
}

TEST_CASE("a leader whose strand was busy gives up when no answer comes then either") {
  World w;
  w.become_leader();
  keep_busy(w, 12s);
  auto hanging = w.api.expect("PUT", kPath + "/demo");
  w.executor.advance(400ms);
  CHECK(w.elector.is_leader());
  w.executor.advance(100ms);
  CHECK_FALSE(w.elector.is_leader());
}

TEST_CASE("a leader whose strand was busy until others may lead stops at once") {
  World w;
  w.become_leader();
  keep_busy(w, 13500ms);
  CHECK_FALSE(w.elector.is_leader());
  CHECK(w.log.back() == "stopped");
}

TEST_CASE("a leader whose write met a conflict reads, and stops when another holds the Lease") {
  World w;
  w.become_leader();
  w.executor.advance(2s);
  w.api.expect("PUT", kPath + "/demo").fail(409, "Conflict");
  w.executor.run_ready();
  CHECK(w.elector.is_leader());  // not known to be lost yet
  w.executor.advance(2s);
  w.api.expect("GET", kPath + "/demo").reply(200, with_record(nullptr, held_by("other")));
  w.executor.run_ready();
  CHECK(w.log == Lines{"started", "leader me", "leader other", "stopped"});
}

TEST_CASE("a candidate waits while the Lease is renewed and takes it when it is not") {
  World w;
  w.elector.start();
  LeaseRecord record = held_by("other");
  const auto read = [&] {
    w.api.expect("GET", kPath + "/demo").reply(200, with_record(nullptr, record));
    w.executor.run_ready();
  };
  read();
  for (int i = 0; i < 20; ++i) {
    record.renew_time = std::to_string(i);
    w.executor.advance(4400ms);  // at most retry_period * (1 + jitter)
    read();
  }
  CHECK(w.log == Lines{"leader other"});
  const TimePoint dead_since = w.executor.now();
  std::optional<FakeApi::Call> call;
  for (;;) {
    w.executor.advance(4400ms);
    call = w.api.next_call();
    if (call->request.method != "GET") break;
    call->reply(200, with_record(nullptr, record));
    w.executor.run_ready();
    if (w.api.idle()) continue;
    call = w.api.next_call();
    break;
  }
  CHECK(call->request.method == "PUT");
  CHECK(w.executor.now() - dead_since >= 15s);
  CHECK(w.executor.now() - dead_since < 24s);
  CHECK(lease_record(call->body()).transitions == 5);
  call->reply(200, call->request.body);
  w.executor.run_ready();
  CHECK(w.elector.is_leader());
}

}  // namespace
}  // namespace coracle::client
