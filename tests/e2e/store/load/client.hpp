// One closed-loop client: random operations on few keys through random members, each recorded.
// It also keeps a ledger: keys of its own that it puts once, so that a lost one is missed later.
// Owner: one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "store_load/history.hpp"
#include "store_load/members.hpp"

namespace coracle::load {

// What all clients and watchers of a run share.
struct Run {
  std::vector<Stubs> members;
  History* history = nullptr;
  std::string keys = "k/";  // of the contended keys
  std::int64_t key_count = 6;
  std::size_t pad = 0;                // bytes more for each value of the ledger
  StopSign stop;                      // for clients
  std::atomic<std::int64_t> seen{0};  // the highest revision any client was told
  std::atomic<std::int64_t> safe{0};  // every watcher has got so far: compaction may follow

  std::mutex mutex;
  std::vector<std::string> faults;  // what must not happen, in words
  void fault(std::string text);
  void saw(std::int64_t revision);
};

struct Counts {
  std::int64_t done = 0, refused = 0, unknown = 0, not_sent = 0;
  void add(const Counts& other);
};

class Client {
 public:
  Client(Run* run, int number, std::uint64_t seed) : run_(*run), number_(number), rng_(seed) {}

  // Until run.stop; at most one operation per `pause`.
  void loop(Duration pause);
  // Puts until a member says it is done; its revision. Nothing after `limit`.
  std::optional<std::int64_t> put_for_certain(const std::string& key, Duration limit);
  void read_all();  // a linearizable read of the contended keys, tried until it is answered

  const Counts& counts() const { return counts_; }
  const std::map<std::string, std::string>& ledger() const { return ledger_; }

 private:
  void step();
  void range();
  void put();
  void put_in_ledger();
  void erase();
  void compare_and_put();
  void big_txn();
  void compact();
  void lease();
  std::string key();
  std::string value();
  std::string prefix_end() const;
  Stubs& member();

  // Sends `request` and records what came of it. Reads of unknown outcome are left out.
  template <class Request, class Response, class Call>
  Outcome send(const Request& request, Response* response, bool reads, Call call);

  Run& run_;
  const int number_;
  Rng rng_;
  StopSign pause_;  // never raised
  Counts counts_;
  std::int64_t written_ = 0;
  std::size_t member_ = 0;
  std::map<std::string, std::string> ledger_;  // acknowledged only
  std::vector<std::int64_t> leases_;
  std::int64_t next_lease_ = 1;
};

}  // namespace coracle::load
