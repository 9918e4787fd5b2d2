// A store in memory, in the place of members: what it holds survives its process.
#include "client/memory_store.hpp"
#include "cluster_sim/daemon.hpp"

namespace coracle::cluster_sim {
namespace {

class MemoryDesk final : public StoreDesk {
 public:
  explicit MemoryDesk(client::MemoryStore& store) : store_(store) {}

  void range(client::RangeRequest request, Answer<client::RangeResult> answer) override {
    spawn<Result<client::RangeResult>>(store_.range(std::move(request)), std::move(answer));
  }
  void write(client::GuardedWrite request, Answer<client::GuardedResult> answer) override {
    spawn<Result<client::GuardedResult>>(store_.write(std::move(request)), std::move(answer));
  }
  void grant(std::int64_t ttl_seconds, Answer<std::int64_t> answer) override {
    spawn<Result<std::int64_t>>(store_.grant_lease(ttl_seconds), std::move(answer));
  }
  void compact(std::int64_t revision, Answer<bool> answer) override {
    spawn<Result<bool>>(store_.compact(revision), std::move(answer));
  }
  void status(Answer<client::StoreStatus> answer) override {
    spawn<Result<client::StoreStatus>>(store_.status(), std::move(answer));
  }
  std::unique_ptr<client::Watch> watch(client::WatchRequest request,
                                       client::WatchSink sink) override {
    return store_.watch(std::move(request), std::move(sink));
  }

 private:
  client::MemoryStore& store_;
};

// It never ends: faults of the store need members.
class MemoryStoreDaemon final : public Daemon {
 public:
  MemoryStoreDaemon(Site& site, Machine& machine, Rng rng, StorePort& port)
      : Daemon(site, machine, rng), port_(port) {
    port_.machine = &machine;
  }
  void kill(bool) override {}
  bool ready() const override { return store_ != nullptr; }

 private:
  void begin() override {
    store_ = std::make_unique<client::MemoryStore>(strand());
    desk_ = std::make_unique<MemoryDesk>(*store_);
    port_.desk = desk_.get();
  }
  void end() override {}

  StorePort& port_;
  std::unique_ptr<client::MemoryStore> store_;
  std::unique_ptr<MemoryDesk> desk_;
};

}  // namespace

std::unique_ptr<Daemon> make_memory_store(Site& site, Machine& machine, Rng rng, StorePort& port) {
  return std::make_unique<MemoryStoreDaemon>(site, machine, rng, port);
}

}  // namespace coracle::cluster_sim
