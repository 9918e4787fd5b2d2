#include "apiserver/flow/queue_set.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "apiserver/flow/seat_shares.hpp"
#include "base/rng.hpp"

namespace coracle::apiserver {
namespace {

using Verdict = QueueSet::Arrival::Verdict;
using std::chrono::milliseconds;

TEST_CASE("a hand is different cards, all hands as likely") {
  std::map<std::set<int>, int> seen;
  for (std::uint64_t hash = 0; hash < 20; ++hash) {  // 5 * 4: every way to draw two of five
    const std::vector<int> hand = deal_hand(hash, 5, 2);
    REQUIRE(hand.size() == 2);
    CHECK(hand[0] != hand[1]);
    for (const int card : hand) CHECK((card >= 0 && card < 5));
    ++seen[{hand.begin(), hand.end()}];
  }
  CHECK(seen.size() == 10);
  for (const auto& [hand, times] : seen) CHECK(times == 2);
  const std::vector<int> all = deal_hand(12345, 8, 8);
  CHECK(std::set<int>(all.begin(), all.end()).size() == 8);
}

// Requests of equal length that are served one after the other on virtual time.
struct World {
  QueueSet set;
  TimePoint now{std::chrono::hours(1)};
  Duration takes = milliseconds(100);
  std::map<QueueSet::Id, std::uint64_t> flows;  // of those that wait
  std::multimap<TimePoint, QueueSet::Started> running;
  std::map<std::uint64_t, int> served;  // by flow
  QueueSet::Id next = 1;
  std::vector<Verdict> verdicts;

  Verdict arrive(std::uint64_t flow, int seats = 1) {
    const QueueSet::Id id = next++;
    const auto arrival = set.arrive(id, flow, seats, now);
    if (arrival.verdict == Verdict::kExecute) start({id, arrival.queue, seats}, flow);
    if (arrival.verdict == Verdict::kWait) {
      flows[id] = flow;
      dispatch();
    }
    return arrival.verdict;
  }
  void start(QueueSet::Started one, std::uint64_t flow) {
    ++served[flow];
    running.emplace(now + takes, one);
  }
  void dispatch() {
    for (const auto& one : set.dispatch(now)) {
      start(one, flows.at(one.id));
      flows.erase(one.id);
    }
  }
  bool finish_one() {
    if (running.empty()) return false;
    const auto [when, one] = *running.begin();
    running.erase(running.begin());
    now = when;
    set.finish(one.queue, one.seats, takes, now);
    dispatch();
    return true;
  }
};

TEST_CASE("up to the limit at once, then in a queue, then refused") {
  World w{QueueSet({1, 1, 2}, 2)};
  CHECK(w.arrive(1) == Verdict::kExecute);
  CHECK(w.arrive(1) == Verdict::kExecute);
  CHECK(w.arrive(1) == Verdict::kWait);
  CHECK(w.arrive(1) == Verdict::kWait);
  CHECK(w.arrive(1) == Verdict::kQueueFull);
  CHECK((w.set.waiting() == 2 && w.set.executing() == 2 && w.set.seats_wanted() == 4));
  while (w.finish_one()) {
  }
  CHECK(w.served[1] == 4);
  CHECK(w.set.idle());
}

TEST_CASE("without queues what does not fit is refused") {
  World w{QueueSet({0, 0, 0}, 2)};
  CHECK(w.arrive(1) == Verdict::kExecute);
  CHECK(w.arrive(1, 2) == Verdict::kNoSeat);
  CHECK(w.arrive(2) == Verdict::kExecute);
  CHECK(w.arrive(3) == Verdict::kNoSeat);
  w.finish_one();
  CHECK(w.arrive(3) == Verdict::kExecute);
}

TEST_CASE("one busy flow does not keep the others waiting") {
  World w{QueueSet({64, 6, 1000}, 4)};
  for (int i = 0; i < 200; ++i) w.arrive(1);
  w.finish_one();
  const TimePoint asked = w.now;
  REQUIRE(w.arrive(0x123456789abcdef) == Verdict::kWait);
  while (w.served[0x123456789abcdef] == 0) REQUIRE(w.finish_one());
  CHECK(w.now - asked <= 2 * w.takes);
}

TEST_CASE("flows that are always busy get the same") {
  World w{QueueSet({128, 6, 1000}, 5)};
  Rng rng(7);
  std::vector<std::uint64_t> flows;
  for (int i = 0; i < 4; ++i) flows.push_back(rng.next());
  // The first asks for much more; hands of these four do not cover each other.
  for (int i = 0; i < 400; ++i) w.arrive(flows[0]);
  for (int i = 0; i < 100; ++i) {
    for (int k = 1; k < 4; ++k) w.arrive(flows[k]);
  }
  for (int i = 0; i < 250; ++i) w.finish_one();
  for (int k = 1; k < 4; ++k) CHECK(w.served[flows[k]] >= 30);
  // It has six queues of its own where the others' requests, too, are spread over six.
  CHECK(w.served[flows[0]] <= 150);
}

TEST_CASE("a wide request waits for room, one wider than all for all") {
  World w{QueueSet({1, 1, 10}, 4)};
  CHECK(w.arrive(1, 3) == Verdict::kExecute);
  CHECK(w.arrive(1, 2) == Verdict::kWait);
  CHECK(w.arrive(1, 1) == Verdict::kWait);  // does not overtake in its queue
  w.finish_one();
  CHECK(w.set.seats_in_use() == 3);
  CHECK(w.arrive(1, 9) == Verdict::kWait);
  w.finish_one();
  w.finish_one();
  CHECK(w.set.seats_in_use() == 9);
  CHECK(w.arrive(1, 1) == Verdict::kWait);
  while (w.finish_one()) {
  }
  CHECK(w.set.idle());
}

TEST_CASE("who gives up leaves no trace, a raised limit lets more in") {
  World w{QueueSet({4, 2, 10}, 1)};
  w.arrive(1);
  const auto a = w.set.arrive(50, 1, 1, w.now);
  const auto b = w.set.arrive(51, 1, 1, w.now);
  REQUIRE(b.verdict == Verdict::kWait);
  w.flows[50] = w.flows[51] = 1;
  w.set.leave(50, a.queue, w.now);
  CHECK(w.set.waiting() == 1);
  w.set.set_limit(2);
  w.dispatch();
  CHECK((w.set.waiting() == 0 && w.set.executing() == 2));
  w.set.set_settings({1, 1, 10});
  while (w.finish_one()) {
  }
  CHECK(w.set.idle());
  w.arrive(1);
  CHECK(w.arrive(1) == Verdict::kExecute);
}

// Whatever comes: counts agree, nobody is lost, the limit holds.
TEST_CASE("random arrivals keep the books") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const int limit = static_cast<int>(rng.between(1, 12));
    World w{QueueSet({static_cast<int>(rng.between(1, 8)), 1, static_cast<int>(rng.between(1, 9))},
                     limit)};
    int admitted = 0;
    for (int i = 0; i < 500; ++i) {
      if (rng.chance(0.4)) {
        w.finish_one();
      } else {
        const Verdict verdict = w.arrive(rng.below(6), static_cast<int>(rng.between(1, 4)));
        admitted += verdict == Verdict::kExecute || verdict == Verdict::kWait;
      }
      int waiting = 0, executing = 0, seats = 0;
      for (std::size_t q = 0; q < w.set.queue_count(); ++q) {
        const auto view = w.set.view(q);
        waiting += view.waiting;
        executing += view.executing;
        seats += view.seats;
      }
      REQUIRE((waiting == w.set.waiting() && executing == w.set.executing()));
      REQUIRE(seats == w.set.seats_in_use());
      REQUIRE((seats <= limit || executing == 1));
      REQUIRE(static_cast<std::size_t>(waiting) == w.flows.size());
    }
    while (w.finish_one()) {
    }
    int total = 0;
    for (const auto& [flow, count] : w.served) total += count;
    CHECK(total == admitted);
    CHECK(w.set.idle());
  }
}

PriorityLevel a_level(int shares, int lendable = 0, std::optional<int> borrow = {}) {
  PriorityLevel level;
  level.shares = shares;
  level.lendable_percent = lendable;
  level.borrowing_limit_percent = borrow;
  return level;
}

TEST_CASE("seats by shares") {
  const auto shares = nominal_shares({a_level(30, 33), a_level(100, 90, 50), a_level(5)}, 600);
  REQUIRE(shares.size() == 3);
  CHECK((shares[0].nominal == 134 && shares[0].least == 90 && shares[0].most == 600));
  CHECK((shares[1].nominal == 445 && shares[1].least == 44 && shares[1].most == 668));
  CHECK((shares[2].nominal == 23 && shares[2].least == 23));
}

TEST_CASE("what one does not use another may borrow") {
  struct Case {
    std::string name;
    std::vector<int> demand, want;
  };
  // 60 seats: 20 each; the first lends all, the second half, the third nothing and borrows at most
  // ten.
  const std::vector<SeatShare> shares = {{20, 0, 60}, {20, 10, 60}, {20, 20, 30}};
  const auto c = GENERATE(values<Case>({
      {"all busy: everybody his own", {20, 20, 20}, {20, 20, 20}},
      {"all want too much: still his own", {60, 60, 60}, {20, 20, 20}},
      {"one wants more, one idles", {0, 40, 20}, {1, 40, 20}},
      {"the borrower's own limit", {0, 10, 60}, {1, 30, 30}},
      {"the unlendable stays", {50, 0, 0}, {30, 10, 20}},
  }));
  CAPTURE(c.name);
  const std::vector<int> got = shared_out(shares, c.demand, 60);
  CAPTURE(got);
  int sum = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    sum += got[i];
    CHECK(got[i] >= std::min(c.demand[i], shares[i].nominal));
    CHECK(got[i] <= std::max(1, shares[i].most));
  }
  CHECK(sum <= 62);  // rounding, and the one seat that everybody keeps
  CHECK(got == c.want);
}

}  // namespace
}  // namespace coracle::apiserver
