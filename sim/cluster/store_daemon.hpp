// StoreDaemon: a member of the store on its machine, which has a disk that can fail. All members of
// a world make one cluster, whose membership does not change.
#pragma once

#include <map>
#include <memory>

#include "client_embedded/member_desk.hpp"
#include "cluster_sim/daemon.hpp"
#include "store_sim/state.hpp"

namespace coracle::cluster_sim {

class StoreDaemon;
using StoreMembers = std::map<NodeId, StoreDaemon*>;

class StoreDaemon final : public Daemon {
 public:
  // `members` takes this one in; names of all are known from the start.
  StoreDaemon(Site& site, Machine& machine, Rng rng, StorePort& port, const StoreOptions& options,
              const std::vector<std::string>& names, StoreMembers& members);
  ~StoreDaemon() override;

  bool ready() const override;
  void kill(bool power) override;
  NodeId id() const { return id_; }
  // Null: it does not run.
  store::Member* member() const { return member_.get(); }

  void tear(std::uint64_t writes) { disk_.plan_crash(writes, true); }
  void fill(std::uint64_t writes);
  void slow_down(Duration sync_max);
  void heal_disk();

  // Of the transport, on this member's strand.
  void receive(raft::Message message);
  bool receive_snapshot(const raft::InstallSnapshot& order, const mvcc::StateSnapshot& state);

 private:
  class Transport;
  class Desk;

  void begin() override;
  void end() override;
  Strand::Guard guard() override;
  void guarded(const std::function<void()>& work);
  void ended(bool power, const std::string& why);
  store_sim::SimFolder::Hooks folder_hooks();

  StorePort& port_;
  StoreMembers& members_;
  const store::MemberConfig config_;
  const NodeId id_;
  const Duration sync_max_;
  store_sim::Tally tally_;
  store_sim::SimDisk disk_;
  store_sim::StateImage image_;
  bool receiving_ = false, stopping_ = false;

  // While running, in the order they are made.
  std::unique_ptr<store_sim::SimFolder> folder_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<store::Member> member_;
  std::shared_ptr<client::MemberDesk> desk_;
  std::unique_ptr<Desk> front_;
};

}  // namespace coracle::cluster_sim
