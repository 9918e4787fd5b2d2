// Runner: one log of operations on a reference and on ours, in step, every answer compared.
// Owner: one thread. Both servers are started by start() and gone with the Runner.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "differential/compare.hpp"
#include "differential/server_process.hpp"
#include "differential/watch_compare.hpp"

namespace coracle::differential {

struct Programs {
  std::string etcd;
  std::string kvstore;
};

struct Finding {
  std::size_t index = 0;  // of the operation in the log
  std::uint64_t seed = 0;
  std::string operation;
  std::string detail;
};

struct Figures {
  std::map<std::string, int> operations;  // by kind, those of settling included
  std::map<std::string, int> refused;     // of these, answered with an error by both
  std::map<std::string, int> known;       // known differences met, by name
  int watch_responses = 0;
  void add(const Figures& other);
  int total() const;
};

class Runner {
 public:
  explicit Runner(Programs programs) : programs_(std::move(programs)) {}

  Status start();
  std::optional<Finding> step(std::size_t index, std::uint64_t seed);
  // What is left to compare at the end: old revisions, hashes, leases that die; then both are
  // killed, started again, and compared again.
  std::optional<Finding> finish(std::size_t index);
  const Figures& figures() const { return figures_; }

 private:
  using Detail = std::optional<std::string>;
  struct Stream {
    std::unique_ptr<WatchSession> reference, ours;
    StreamExpectation expected;
    int created = 0;  // answers to creations since the last comparison
  };

  Status connect();
  Detail run(const Operation& operation);
  Detail call(const Operation& operation);
  void learn(const Operation& operation, const Answer& reference);

  Detail run_compaction(const pb::CompactionRequest& request);
  Detail run_short_lease(const ShortLease& operation);
  Detail run_open(int stream);
  Detail run_send(const WatchSend& send);
  Detail run_create(Stream& stream, int number, const pb::WatchCreateRequest& request);
  Detail run_cancel(Stream& stream, int number, std::int64_t watch_id);
  Detail run_close(int stream);

  Detail both(Stream& stream, const std::function<bool(const WatchSession::Responses&)>& enough);
  Detail take_and_compare(Stream& stream, int number);
  Detail put_canary();
  Detail settle();
  Detail probe();
  Detail sweep();

  const Programs programs_;
  std::unique_ptr<ServerProcess> etcd_process_, our_process_;
  std::unique_ptr<StoreClient> etcd_, ours_;
  View view_;
  std::map<int, Stream> streams_;
  Stream probe_;
  std::int64_t canary_revision_ = 0;
  Figures figures_;
};

}  // namespace coracle::differential
