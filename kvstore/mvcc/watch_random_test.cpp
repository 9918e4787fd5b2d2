// Watchers with random ranges, starts and reading habits against the plain list of all events.
#include <catch2/catch.hpp>

#include "base/rng.hpp"
#include "mvcc/testing.hpp"
#include "mvcc/watch_hub.hpp"

using namespace coracle;
using namespace coracle::mvcc;
using namespace coracle::mvcc::testing;

namespace {

struct Seen {
  Revision revision;
  Event event;
  std::optional<KeyValue> prev;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Client {
  StreamId stream;
  WatchCreate request;
  std::int64_t start = 0;  // first revision it must get
  std::int64_t id = 0;
  bool created = false;  // its answer arrived
  bool ended = false;
  Revision last, progress;
  std::vector<Seen> seen;
};

class World : public Bench {
 public:
  explicit World(std::uint64_t seed)
      : rng(seed),
        hub(*store,
            {.max_history_revisions = 3, .max_history_bytes = 60, .max_outstanding_bytes = 300}) {
    for (std::uint64_t s = 1; s <= 3; ++s) hub.open_stream(StreamId(s));
  }

  void take(Deliveries deliveries) {
    for (Delivery& d : deliveries) queue.push_back(std::move(d));
  }

  std::string key() { return std::string(1, static_cast<char>('a' + rng.below(6))); }

  void create() {
    Client client;
    client.stream = StreamId(1 + rng.below(3));
    WatchCreate& r = client.request;
    r.key = rng.chance(0.1) ? "" : key();
    r.range_end = rng.chance(0.3) ? "" : rng.chance(0.3) ? kZero : prefix_end(key());
    r.prev_kv = rng.chance(0.5);
    r.no_put = rng.chance(0.1);
    r.no_delete = rng.chance(0.1);
    const std::int64_t now = store->revision().value;
    if (rng.chance(0.7)) r.start = Revision(rng.between(1, now + 4));
    client.start = r.start == Revision() ? now + 1 : r.start.value;
    Deliveries made = hub.create(client.stream, r);
    REQUIRE(made.size() == 1);
    REQUIRE(made[0].response.created);
    client.id = made[0].response.watch_id;
    if (!made[0].response.canceled) clients.push_back(client);
    take(std::move(made));
  }

  void change() {
    Txn txn;
    txn.then(Put(key(), std::to_string(rng.below(100))));
    if (rng.chance(0.3)) txn.then(Delete("f", "h"));
    if (rng.chance(0.3)) txn.then(Put("zz", "2"));
    if (rng.chance(0.2)) {
      del(Delete(key()));
    } else if (txn.success.size() < 2 || std::get<PutRequest>(txn.success[0].request).key != "f") {
      this->txn(txn);
    } else {
      return;
    }
    for (const Change& c : last_changes) all.push_back(c);
    take(hub.publish(last_changes));
  }

  Client* client_of(const Delivery& d) {
    for (Client& c : clients) {
      if (c.stream == d.stream && c.id == d.response.watch_id) return &c;
    }
    return nullptr;
  }

  void receive(const Delivery& d) {
    const WatchResponse& r = d.response;
    if (r.watch_id == kNoWatchId && !r.created) {
      for (Client& c : clients) {
        if (c.stream == d.stream && c.created && !c.ended)
          c.progress = std::max(c.progress, r.revision);
      }
      return;
    }
    Client* client = client_of(d);
    if (client == nullptr) return;
    if (r.created) {
      client->created = true;
      return;
    }
    REQUIRE(client->created);
    REQUIRE(!client->ended);
    if (r.canceled) {
      client->ended = true;
      REQUIRE(r.compact_revision > Revision());
      return;
    }
    for (const WatchEvent& e : r.events) {
      const Revision revision = e.event->kv.mod;
      REQUIRE(revision > client->progress);  // nothing at or below what progress promised
      REQUIRE(revision >= client->last);
      client->last = revision;
      client->seen.push_back(
          {revision, *e.event, e.prev_kv ? std::optional(*e.prev_kv) : std::nullopt});
    }
    REQUIRE(r.revision >= client->last);
  }

  void read_some() {
    for (auto n = rng.below(4); n > 0 && !queue.empty(); --n) {
      const Delivery d = std::move(queue.front());
      queue.pop_front();
      receive(d);
      hub.consumed(d.stream, d.response);
    }
  }

  void drain() {
    while (!queue.empty() || hub.slow_watchers() > 0) {
      read_some();
      take(hub.catch_up());
    }
  }

  std::vector<Seen> expected(const Client& client) const {
    std::vector<Seen> want;
    const std::string from = client.request.key.empty() ? kZero : client.request.key;
    const KeyRange range = KeyRange::of(from, client.request.range_end);
    std::map<std::string, KeyValue> before;
    for (const Change& change : all) {
      const auto now = before;
      for (const auto& event : change.events) {
        const bool put = event->type == Event::Type::kPut;
        const auto old = now.find(event->kv.key);
        if (change.revision.value >= client.start && range.contains(event->kv.key) &&
            !(put ? client.request.no_put : client.request.no_delete)) {
          Seen seen{change.revision, *event, std::nullopt};
          if (client.request.prev_kv && old != now.end()) seen.prev = old->second;
          want.push_back(seen);
        }
        put ? void(before[event->kv.key] = event->kv) : void(before.erase(event->kv.key));
      }
    }
    return want;
  }

  Rng rng;
  WatchHub hub;
  std::vector<Client> clients;
  std::deque<Delivery> queue;
  std::vector<Change> all;
};

}  // namespace

TEST_CASE("every watcher gets every event of its range once, in order") {
  const auto seed = GENERATE(range(1u, 21u));
  const bool compacting = GENERATE(false, true);
  CAPTURE(seed, compacting);
  World w(seed);
  for (int i = 0; i < 600; ++i) {
    const auto what = w.rng.below(100);
    if (what < 45) {
      w.change();
    } else if (what < 75) {
      w.read_some();
    } else if (what < 90) {
      w.take(w.hub.catch_up());
    } else if (what < 94) {
      if (w.clients.size() < 40) w.create();
    } else if (what < 98) {
      w.take(w.hub.request_progress(StreamId(1 + w.rng.below(3))));
    } else if (compacting && w.store->revision() > w.store->compacted().plus(20)) {
      REQUIRE(w.compact(w.store->revision().value - 10).ok());
      w.compact_fully(5);
    }
  }
  w.drain();
  REQUIRE(w.clients.size() > 5);
  for (const Client& client : w.clients) {
    CAPTURE(client.stream, client.id, client.start);
    auto want = w.expected(client);
    if (client.ended) {
      // Told that it lost its place: what it had until then is a gapless beginning.
      REQUIRE(compacting);
      REQUIRE(client.seen.size() <= want.size());
      want.resize(client.seen.size());
    } else {
      REQUIRE(client.seen.size() == want.size());
    }
    for (std::size_t i = 0; i < want.size(); ++i) {
      // A compaction may have taken the previous value.
      if (compacting && !client.seen[i].prev) want[i].prev.reset();
      REQUIRE(client.seen[i] == want[i]);
    }
  }
}
