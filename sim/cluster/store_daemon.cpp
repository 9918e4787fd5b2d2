#include "cluster_sim/store_daemon.hpp"

#include "base/log.hpp"

namespace coracle::cluster_sim {
namespace {

constexpr std::uint64_t kSegmentBytes = 256 << 10;
constexpr std::size_t kFlushBytes = 8 << 20;

store::Urls urls_of(const std::string& name) { return {"http://" + name}; }

store::MemberConfig config_of(const std::string& name, const StoreOptions& options,
                              const std::vector<std::string>& names) {
  store::MemberConfig config;
  config.name = name;
  config.advertise_peer = config.advertise_client = urls_of(name);
  for (const std::string& other : names) config.initial_cluster[other] = urls_of(other);
  config.heartbeat = options.heartbeat;
  config.election = options.election;
  config.quota_bytes = options.quota_bytes;
  config.flush_bytes = kFlushBytes;
  return config;
}

store_sim::Micros micros(Duration span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

}  // namespace

// One life's end of the network between members.
class StoreDaemon::Transport final : public store::Transport {
 public:
  explicit Transport(StoreDaemon& self) : self_(self) {}

  void start(store::PeerEvents& events) override { events_ = &events; }
  void set_peers(const std::map<NodeId, std::vector<std::string>>&) override {}
  void cancel_snapshots() override { ++job_; }
  void stop() override { cancel_snapshots(); }

  void send(std::vector<raft::Message> messages) override {
    const Duration busy = std::chrono::microseconds(self_.disk_.take_cost());
    Strand& strand = self_.strand();
    strand.hold(strand.now() + busy);
    for (raft::Message& message : messages) {
      const auto to = self_.members_.find(raft::header_of(message).to);
      if (to == self_.members_.end()) continue;
      StoreDaemon* const peer = to->second;
      self_.site_.network.datagram(
          self_.machine_, peer->machine_, busy,
          [peer, message = std::move(message)]() mutable { peer->receive(std::move(message)); });
    }
  }

  void send_snapshot(const raft::InstallSnapshot& order,
                     std::shared_ptr<mvcc::StateSnapshot> state) override {
    StoreDaemon* const peer = self_.members_.at(order.to);
    const auto report = [this, to = order.to, job = ++job_](bool ok) {
      if (job == job_) events_->snapshot_sent(to, ok);
    };
    const std::uint64_t life = self_.machine_.life;
    Network& network = self_.site_.network;
    Machine &from = self_.machine_, &to = peer->machine_;
    network.send(
        from, to,
        [=, &network, &from, &to] {
          const bool ok = peer->receive_snapshot(order, *state);
          network.send_to_life(to, from, life, [report, ok] { report(ok); });
        },
        [report] { report(false); });
  }

 private:
  StoreDaemon& self_;
  store::PeerEvents* events_ = nullptr;
  std::uint64_t job_ = 0;
};

// What apiservers are served at.
class StoreDaemon::Desk final : public StoreDesk {
 public:
  Desk(Strand& strand, const std::shared_ptr<client::MemberDesk>& desk)
      : strand_(strand), desk_(desk) {}

  void range(client::RangeRequest request, Answer<client::RangeResult> answer) override {
    desk_->range(std::move(request), std::move(answer));
  }
  void write(client::GuardedWrite request, Answer<client::GuardedResult> answer) override {
    desk_->write(request, std::move(answer));
  }
  void grant(std::int64_t ttl_seconds, Answer<std::int64_t> answer) override {
    desk_->grant(ttl_seconds, std::move(answer));
  }
  void compact(std::int64_t revision, Answer<bool> answer) override {
    desk_->compact(revision, std::move(answer));
  }
  void status(Answer<client::StoreStatus> answer) override { answer(desk_->status()); }

  std::unique_ptr<client::Watch> watch(client::WatchRequest request,
                                       client::WatchSink sink) override {
    const mvcc::StreamId id(++watches_);
    client::MemberDesk::WatchTold told;
    told.on_events = [this, id, sink](mvcc::WatchResponse response, std::int64_t upto) {
      sink.on_events(client::from_store(response.events), upto);
      // The network takes whatever it is given, but not inside the hub's call.
      response.events.clear();
      strand_.post([desk = std::weak_ptr(desk_), id, response = std::move(response)] {
        if (const auto there = desk.lock()) there->consumed(id, response);
      });
    };
    told.on_end = sink.on_end;
    desk_->add_watch(id, request, std::move(told));
    return std::make_unique<OpenWatch>(desk_, id);
  }

 private:
  class OpenWatch final : public client::Watch {
   public:
    OpenWatch(const std::shared_ptr<client::MemberDesk>& desk, mvcc::StreamId id)
        : desk_(desk), id_(id) {}
    ~OpenWatch() override {
      if (const auto there = desk_.lock()) there->remove_watch(id_);
    }
    void request_progress() override {
      if (const auto there = desk_.lock()) there->want_progress(id_);
    }

   private:
    const std::weak_ptr<client::MemberDesk> desk_;
    const mvcc::StreamId id_;
  };

  Strand& strand_;
  const std::shared_ptr<client::MemberDesk> desk_;
  std::uint64_t watches_ = 0;
};

StoreDaemon::StoreDaemon(Site& site, Machine& machine, Rng rng, StorePort& port,
                         const StoreOptions& options, const std::vector<std::string>& names,
                         StoreMembers& members)
    : Daemon(site, machine, rng),
      port_(port),
      members_(members),
      config_(config_of(machine.name, options, names)),
      id_(store::identity_of(config_).member),
      sync_max_(std::max<Duration>(options.sync_max, std::chrono::microseconds(50))),
      disk_(rng_.split(), tally_) {
  port_.machine = &machine;
  members_[id_] = this;
}

StoreDaemon::~StoreDaemon() { end(); }

bool StoreDaemon::ready() const { return member_ && member_->core().leader() != NodeId(0); }

store_sim::SimFolder::Hooks StoreDaemon::folder_hooks() {
  store_sim::SimFolder::Hooks hooks;
  hooks.later = [this, life = machine_.life](std::function<void()> work) {
    const Duration takes = std::chrono::microseconds(rng_.between(100, 30'000));
    site_.timeline.at(site_.timeline.now() + takes, [this, life, work = std::move(work)] {
      if (life == machine_.life && running()) strand().post(work);
    });
  };
  hooks.wrap_log = [](std::unique_ptr<disk::LogStore> log, const disk::LogImage&) { return log; };
  return hooks;
}

void StoreDaemon::begin() {
  disk_.restart();
  disk_.set_sync_max(micros(sync_max_));
  receiving_ = stopping_ = false;
  folder_ = std::make_unique<store_sim::SimFolder>(disk_, image_, kSegmentBytes, folder_hooks());
  transport_ = std::make_unique<Transport>(*this);
  guarded([this] {
    auto opened = store::Member::open(
        config_, {strand(), *folder_, *transport_, rng_.next(), [this] { stopping_ = true; }});
    if (!opened.ok()) throw store_sim::GivenUp{opened.status()};
    member_ = std::move(opened).value();
    desk_ = std::make_shared<client::MemberDesk>(*member_, rng_.split(), true);
    front_ = std::make_unique<Desk>(strand(), desk_);
    port_.desk = front_.get();
    member_->start();
  });
}

void StoreDaemon::end() {
  disk_.stop();
  port_.desk = nullptr;
  front_.reset();
  desk_.reset();
  member_.reset();
  transport_.reset();
  folder_.reset();
}

Strand::Guard StoreDaemon::guard() {
  return [this](const std::function<void()>& work) { guarded(work); };
}

void StoreDaemon::guarded(const std::function<void()>& work) {
  try {
    work();
    if (!member_) return;
    member_->end_of_turn();
    if (stopping_) return ended(false, "stopped");
    strand().hold(strand().now() + std::chrono::microseconds(disk_.take_cost()));
  } catch (const store_sim::Crash& crash) {
    ended(crash.power, "lost power at a write");
  } catch (const store_sim::GivenUp& gone) {
    ended(false, gone.why.to_string());
  }
}

void StoreDaemon::ended(bool power, const std::string& why) {
  log::info("{} ends: {}", machine_.name, why);
  kill(power);
}

void StoreDaemon::kill(bool power) {
  if (!running()) return;
  Daemon::kill(power);
  if (power) disk_.lose_power();
  // The state's buffers are the process's, so they go either way.
  store_sim::lose_power(image_, disk_.rng());
}

void StoreDaemon::receive(raft::Message message) {
  std::vector<raft::Message> one;
  one.push_back(std::move(message));
  member_->step(std::move(one));
}

bool StoreDaemon::receive_snapshot(const raft::InstallSnapshot& order,
                                   const mvcc::StateSnapshot& state) {
  if (receiving_) return false;
  auto staged = store_sim::staged_copy(*folder_, state);
  if (!staged.ok()) return false;
  receiving_ = true;
  auto shared = std::make_shared<std::unique_ptr<store::StagedState>>(std::move(staged).value());
  strand().post([this, order, shared] {
    member_->install(order, std::move(*shared));
    receiving_ = false;
  });
  return true;
}

void StoreDaemon::fill(std::uint64_t writes) {
  disk_.plan_full(writes);
  disk_.plan_failure(0, store_sim::Failure::kEnospc);
}

void StoreDaemon::slow_down(Duration sync_max) {
  disk_.set_sync_max(std::max<store_sim::Micros>(micros(sync_max), 50));
}

void StoreDaemon::heal_disk() {
  disk_.plan_nothing();
  disk_.set_sync_max(micros(sync_max_));
}

}  // namespace coracle::cluster_sim
