// SimStore: the end of client::Store in the simulated world: the store's members, reached over the
// simulated network. StorePort is where a member's process takes its requests.
//
// Strand: that of the apiserver's process. As the etcd end it goes round the endpoints: a read that
// is not answered within kReadAttempt is asked again elsewhere; a write never is, once it may have
// arrived. A watch ends with Unavailable when its member goes, cannot be reached, or has had no
// leader for long.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/store.hpp"
#include "cluster_sim/network.hpp"

namespace coracle::cluster_sim {

// What a member answers, on its strand.
class StoreDesk {
 public:
  template <class T>
  using Answer = std::function<void(Result<T>)>;

  virtual ~StoreDesk() = default;
  virtual void range(client::RangeRequest request, Answer<client::RangeResult> answer) = 0;
  virtual void write(client::GuardedWrite request, Answer<client::GuardedResult> answer) = 0;
  virtual void grant(std::int64_t ttl_seconds, Answer<std::int64_t> answer) = 0;
  virtual void compact(std::int64_t revision, Answer<bool> answer) = 0;
  virtual void status(Answer<client::StoreStatus> answer) = 0;
  virtual std::unique_ptr<client::Watch> watch(client::WatchRequest request,
                                               client::WatchSink sink) = 0;
};

struct StorePort {
  Machine* machine = nullptr;
  StoreDesk* desk = nullptr;  // null: it does not run
};

class SimStore final : public client::Store {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(10);
  static constexpr Duration kReadAttempt = std::chrono::seconds(3);
  static constexpr Duration kAgain = std::chrono::milliseconds(100);  // nobody takes connections

  // Told of each write that was made, when the answer comes.
  using Made = std::function<void(const client::GuardedWrite&, const client::GuardedResult&)>;
  // `ports` outlive it.
  SimStore(Network& network, Machine& machine, std::vector<StorePort*> ports, std::size_t first,
           Made made = nullptr);
  ~SimStore() override { drop_calls(); }
  // Gives up what is under way, and destroys who waits for it.
  void drop_calls();

  Task<Result<client::RangeResult>> range(client::RangeRequest request) override;
  Task<Result<client::GuardedResult>> write(client::GuardedWrite request) override;
  std::unique_ptr<client::Watch> watch(client::WatchRequest request,
                                       client::WatchSink sink) override;
  Task<Result<std::int64_t>> grant_lease(std::int64_t ttl_seconds) override;
  Task<Result<bool>> compact(std::int64_t revision) override;
  Task<Result<client::StoreStatus>> status() override;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace coracle::cluster_sim
