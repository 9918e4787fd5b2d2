// Clients: each does one operation after another at whatever member it finds, of every kind the
// store knows, writes down what it asked and was told, and gives up on an operation after a while
// (which leaves its outcome unknown).
#pragma once

#include <map>
#include <optional>

#include "linearize/history.hpp"
#include "store_sim/front.hpp"
#include "store_sim/lease_check.hpp"
#include "store_sim/oracle.hpp"
#include "store_sim/schedule.hpp"

namespace coracle::store_sim {

class World;
class SimMember;

class Clients {
 public:
  explicit Clients(World& world) : world_(world) {}

  void start();
  // Everything until now; of what was not answered, the oracle knows whether it happened.
  linearize::History history(const Oracle& oracle) const;
  // Somebody else asks for something, once; it is part of the history.
  void ask(SimMember& member, store::Proposal proposal) {
    send_proposal(--last_passer_by_, member, std::move(proposal));
  }
  // What was refused for want of space did not happen.
  void check_refused(const Oracle& oracle) const;
  std::int64_t seen_revision() const { return seen_revision_; }
  std::uint64_t answered() const { return answered_; }
  Micros last_write_at() const { return last_write_at_; }
  std::string key(std::uint64_t number) const;

 private:
  struct Call {
    linearize::Operation operation;
    LeaseCheck::Moment called;
    std::optional<Oracle::Request> request;  // if it went to the log
    std::size_t number = 0;
    bool no_space = false;
  };

  void next(int client, Micros pause);
  void burst_later();
  void begin(int client);
  Call& open(int client);
  // The client waits for `call` no longer.
  void settle(int client, std::size_t call);
  void give_up_later(int client, std::size_t call);
  void on_reply(int client, std::size_t call, Reply reply);
  void send_proposal(int client, SimMember& member, store::Proposal proposal);
  void send_range(int client, SimMember& member);
  void send_read_txn(int client, SimMember& member);
  void send_keep_alive(int client, SimMember& member);
  Replied replying(int client, std::size_t call);

  store::Proposal draw_proposal();
  store::pb::PutRequest draw_put();
  store::pb::TxnRequest draw_txn(int depth);
  std::string draw_key();
  std::int64_t draw_lease();

  World& world_;
  std::vector<Call> calls_;
  std::map<int, std::size_t> waits_for_;  // by client; those below zero ask once
  int last_passer_by_ = 0;
  std::vector<std::int64_t> leases_;  // granted, as far as clients know
  std::int64_t last_lease_ = 0;
  std::uint64_t last_value_ = 0;
  std::int64_t seen_revision_ = 1;
  std::uint64_t answered_ = 0;
  Micros last_write_at_ = 0;
};

}  // namespace coracle::store_sim
