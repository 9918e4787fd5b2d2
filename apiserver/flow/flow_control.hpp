// FlowControl: API priority and fairness. Every request but logs, exec and their kin takes seats of
// the priority level its flow schema names; when there are none it waits in a fair queue, or is
// answered 429 and told when to come again.
//
// Thread: apiserver strand. Of what no other schema is about, the mandatory ones take care, which
// are always there. Bounds: waiting requests by the levels' queues; each waits at most `wait_max`.
// Seats that one level does not use are lent to others every kRebalance, by what was demanded since
// (upstream smooths that over time and lets seats of large writes linger; this does not).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apiserver/flow/queue_set.hpp"
#include "apiserver/flow/seat_shares.hpp"
#include "base/executor.hpp"
#include "base/metrics.hpp"

namespace coracle::apiserver {

struct FlowLimits {
  int reads = 400, writes = 200;  // together the server's seats; both 0: no limit
  Duration wait_max = std::chrono::seconds(15);
};

// What an answer's headers tell: which schema and level its request was given to.
struct FlowIdentity {
  std::string schema_uid, level_uid;
};

class FlowControl {
 public:
  static constexpr Duration kRebalance = std::chrono::seconds(10);

  struct Level {
    PriorityLevel config;
    SeatShare share;
    QueueSet queues;
    int demand = 0;          // the most seats wanted at once since the last round
    bool quiescing = false;  // its object is gone; what it has is served to the end
    std::shared_ptr<bool> alive;
    Gauge* limit_gauge = nullptr;
  };
  struct Schema {
    FlowSchema schema;
    std::shared_ptr<Level> level;
    std::shared_ptr<const FlowIdentity> identity;
    Gauge *executing = nullptr, *seats = nullptr, *in_queue = nullptr;
    Counter* dispatched = nullptr;
  };
  using SchemaPtr = std::shared_ptr<const Schema>;
  // A request that waits.
  struct Waiter {
    enum class State { kWaiting, kExecuting, kRefused };
    State state = State::kWaiting;
    SchemaPtr schema;
    QueueSet::Id id = 0;
    int queue = 0, seats = 1;
    TimePoint began{};
    WallTime arrived{};
    std::string user, flow;
    RequestInfo request;
    Executor::TimerId timer = 0;
    std::function<void(Outcome<Done>)> done;
  };

  // The seats of one request, given back when it dies.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();

    bool waiting() const { return waiter_ && waiter_->state == Waiter::State::kWaiting; }
    // Null for requests that are not counted.
    std::shared_ptr<const FlowIdentity> identity() const {
      return schema_ ? schema_->identity : nullptr;
    }
    // For give_up(): the client has gone.
    std::weak_ptr<Waiter> waiter() const { return waiter_; }

   private:
    friend class FlowControl;
    FlowControl* owner_ = nullptr;
    SchemaPtr schema_;
    std::shared_ptr<Waiter> waiter_;
    int queue_ = 0, seats_ = 0;
    TimePoint began_{};
  };

  FlowControl(Executor& executor, Metrics& metrics, FlowLimits limits);
  ~FlowControl();

  // Mandatory ones that are missing are added. Requests under way stay where they are.
  void configure(std::vector<FlowSchema> schemas, std::vector<PriorityLevel> levels);

  // 429 when there is no room; `identity` is set either way. A ticket that is waiting() must be
  // awaited before the request goes on.
  Outcome<Ticket> enter(const UserInfo& user, const RequestInfo& request, int seats,
                        std::shared_ptr<const FlowIdentity>* identity);
  Callback<Outcome<Done>> admitted(const Ticket& ticket);
  void give_up(const std::weak_ptr<Waiter>& waiter);

  // For the pages under /debug/api_priority_and_fairness/.
  const std::map<std::string, std::shared_ptr<Level>>& levels() const { return levels_; }
  std::vector<std::shared_ptr<const Waiter>> waiters() const;

 private:
  const SchemaPtr& classify(const UserInfo& user, const RequestInfo& request) const;
  SchemaPtr make_schema(FlowSchema schema, std::shared_ptr<Level> level);
  void set_levels(std::vector<PriorityLevel> configs);
  void rebalance(TimePoint now);
  void dispatch(Level& level, TimePoint now);
  void refuse(const std::shared_ptr<Waiter>& waiter, const char* reason);
  api::ApiError rejection(const Schema& schema, const char* reason);
  void finish(const Schema& schema, int queue, int seats, TimePoint began);

  Executor& executor_;
  Metrics& metrics_;
  const FlowLimits limits_;
  std::map<std::string, std::shared_ptr<Level>> levels_;
  std::vector<SchemaPtr> schemas_;  // in the order they are tried; the last one takes all
  std::map<QueueSet::Id, std::shared_ptr<Waiter>> waiting_;
  QueueSet::Id next_id_ = 1;
  TimePoint next_rebalance_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// "dump_priority_levels", "dump_queues" or "dump_requests", as upstream lays them out; else none.
std::optional<std::string> flow_dump(const FlowControl& flow, std::string_view page, bool details);

}  // namespace coracle::apiserver
