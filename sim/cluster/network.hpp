// Network: what machines say to each other. Connections are TCP's: in order between two machines,
// late rather than lost, and broken when nothing has come through for kStall. Datagrams (Raft's
// messages) are late, lost and out of order.
//
// Strand-less: called from anywhere in the world's one thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "cluster_sim/options.hpp"
#include "cluster_sim/strand.hpp"

namespace coracle::cluster_sim {

using MachineId = std::uint32_t;

// A machine as the others see it.
struct Machine {
  MachineId id = 0;
  std::string name;
  MachineClock clock;
  std::shared_ptr<Strand> strand;  // of the process that runs; null: none
  std::uint64_t life = 0;          // counts its processes
  bool reachable() const { return strand != nullptr && strand->alive(); }
};

// Something both ends of a connection know of: a request, a stream. It leaves the network before it
// goes.
class Session {
 public:
  virtual ~Session() { CHECK(number_ == 0); }
  // The connection broke, or the process at the other end is gone.
  virtual void broken(const Status& why) = 0;

 private:
  friend class Network;
  std::uint64_t number_ = 0;  // among all that ever entered; 0: it is in no network
};

class Network {
 public:
  static constexpr Duration kResend = std::chrono::milliseconds(200);
  static constexpr Duration kStall = std::chrono::seconds(45);

  Network(Timeline& timeline, const NetworkOptions& options, Rng rng)
      : timeline_(timeline), options_(options), rng_(rng) {}

  Machine& add(std::string name);
  Machine* find(const std::string& name);
  const std::vector<std::unique_ptr<Machine>>& machines() const { return machines_; }

  // `work` runs on the strand of the life of `to` that is there when it arrives; `refused` on the
  // one of `from`, if there is none.
  void send(Machine& from, Machine& to, std::function<void()> work,
            std::function<void()> refused = nullptr);
  // As send(), but for one life: another never sees it.
  void send_to_life(Machine& from, Machine& to, std::uint64_t life, std::function<void()> work);
  // After `wait`, which the sender takes.
  void datagram(Machine& from, Machine& to, Duration wait, std::function<void()> work);

  // A session hears when what lies between its ends breaks. Not owned.
  void enter(Session* session, const Machine& a, const Machine& b);
  void leave(Session* session, const Machine& a, const Machine& b);
  // The process of a machine is gone: whoever talks to it learns so when a message gets there.
  void process_ended(Machine& machine);

  void cut(const Machine& from, const Machine& to) { cuts_.insert({from.id, to.id}); }
  void cut_off(const Machine& machine) { alone_.insert(machine.id); }
  void rejoin(const Machine& machine) { alone_.erase(machine.id); }
  void heal();
  void degrade(const Machine& machine, Duration extra, double loss);
  // The people's machine: no fault concerns it.
  void exempt(const Machine& machine) { exempt_.insert(machine.id); }
  bool is_cut(const Machine& from, const Machine& to) const;
  std::uint64_t messages() const { return messages_; }

 private:
  using Pair = std::pair<MachineId, MachineId>;
  struct Waiting {
    std::uint64_t life;  // 0: any
    std::function<void()> work, refused;
  };
  struct Line {  // one direction
    TimePoint last;
    std::deque<Waiting> stalled;
    TimePoint stalled_since;
  };
  struct Quality {
    Duration extra{0};
    double loss = 0;
  };
  Duration delay(const Machine& from, const Machine& to);
  bool loses(const Machine& from, const Machine& to);
  void transmit(Machine& from, Machine& to, Line& line, Waiting message);
  void try_again(MachineId from, MachineId to);
  void arrive(Machine& from, Machine& to, Waiting message);
  void break_pair(Machine& a, Machine& b, const Status& why);

  Timeline& timeline_;
  const NetworkOptions options_;
  Rng rng_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::map<std::string, Machine*> by_name_;
  struct HashOfPair {
    std::size_t operator()(const Pair& pair) const {
      return std::hash<std::uint64_t>()(std::uint64_t{pair.first} << 32 ^ pair.second);
    }
  };
  // Both are looked up, never walked. Sessions in the order they entered, so that breaking tells
  // them in that order.
  std::unordered_map<Pair, Line, HashOfPair> lines_;
  std::unordered_map<Pair, std::map<std::uint64_t, Session*>, HashOfPair> sessions_;
  std::uint64_t sessions_made_ = 0, messages_ = 0;
  std::set<Pair> cuts_;
  std::set<MachineId> alone_, exempt_;
  std::map<MachineId, Quality> quality_;
};

}  // namespace coracle::cluster_sim
