#include "cluster_sim/store_end.hpp"

#include <map>
#include <utility>

namespace coracle::cluster_sim {

namespace {

class AnyCall {
 public:
  virtual ~AnyCall() = default;
  virtual void give_up() = 0;
};

}  // namespace

struct SimStore::State {
  State(Network& n, Machine& m, std::vector<StorePort*> p, std::size_t first)
      : network(n), machine(m), strand(m.strand), ports(std::move(p)), current(first) {}
  StorePort& port() { return *ports[current % ports.size()]; }
  void elsewhere(const StorePort& than) {
    if (&port() == &than) current = (current + 1) % ports.size();
  }

  Network& network;
  Machine& machine;
  const std::shared_ptr<Strand> strand;
  const std::vector<StorePort*> ports;
  std::size_t current;
  std::uint64_t made = 0;
  SimStore::Made told;
  std::map<std::uint64_t, std::shared_ptr<AnyCall>> calls;
};

namespace {

using StatePtr = std::shared_ptr<SimStore::State>;

// One call, asked once or more; the answer of an attempt that was given up is not heard.
template <class T>
class StoreCall final : public AnyCall,
                        public Session,
                        public std::enable_shared_from_this<StoreCall<T>> {
 public:
  using Answer = StoreDesk::Answer<T>;
  using Work = std::function<void(StoreDesk&, Answer)>;
  StoreCall(StatePtr state, bool reads, Work work, Answer done)
      : state_(std::move(state)), reads_(reads), work_(std::move(work)), done_(std::move(done)) {}

  void begin() {
    number_ = ++state_->made;
    state_->calls.emplace(number_, this->shared_from_this());
    deadline_ = state_->strand->after(SimStore::kTimeout, later([](StoreCall& self) {
                                        self.state_->elsewhere(*self.port_);
                                        self.finish(unavailable("etcdserver: request timed out"));
                                      }));
    attempt();
  }

  void give_up() override {
    const auto self = this->shared_from_this();
    over();
    const Answer done = std::exchange(done_, nullptr);
  }

  void broken(const Status& why) override {
    entered_ = false;
    if (over_) return;
    state_->strand->post(later([why, attempt = attempt_](StoreCall& self) {
      if (self.attempt_ == attempt) self.lost(why);
    }));
  }

 private:
  // Runs if the call is not over.
  std::function<void()> later(std::function<void(StoreCall&)> work) {
    return [weak = this->weak_from_this(), work = std::move(work)] {
      const auto self = weak.lock();
      if (self && !self->over_) work(*self);
    };
  }

  void attempt() {
    port_ = &state_->port();
    const std::uint64_t attempt = ++attempt_;
    state_->network.enter(this, state_->machine, *port_->machine);
    entered_ = true;
    if (reads_) {
      patience_ = state_->strand->after(SimStore::kReadAttempt, later([attempt](StoreCall& self) {
                                          if (self.attempt_ == attempt) self.again_elsewhere();
                                        }));
    }
    state_->network.send(state_->machine, *port_->machine, arrival(attempt),
                         later([attempt](StoreCall& self) {
                           if (self.attempt_ != attempt) return;
                           self.state_->elsewhere(*self.port_);
                           self.leave();
                           self.wait_a_little();
                         }));
  }

  std::function<void()> arrival(std::uint64_t attempt) {
    return [weak = this->weak_from_this(), attempt, work = work_, port = port_,
            network = &state_->network, client = &state_->machine,
            client_life = state_->machine.life] {
      Machine& server = *port->machine;
      const Answer answer = [=, &server, life = server.life](Result<T> result) {
        if (server.life != life || !server.reachable()) return;
        network->send_to_life(server, *client, client_life,
                              [weak, attempt, result = std::move(result)] {
                                const auto self = weak.lock();
                                if (self && !self->over_ && self->attempt_ == attempt) {
                                  self->answered(result);
                                }
                              });
      };
      if (port->desk == nullptr) return answer(unavailable("etcdserver: not ready"));
      work(*port->desk, answer);
    };
  }

  void wait_a_little() {
    state_->strand->cancel(patience_);
    state_->strand->after(SimStore::kAgain, later([attempt = attempt_](StoreCall& self) {
                            if (self.attempt_ == attempt) self.attempt();
                          }));
  }

  void answered(Result<T> result) {
    // A member without a leader may be cut off from the others.
    const bool unwell = !result.ok() && result.status().code() == Code::kUnavailable;
    if (unwell) state_->elsewhere(*port_);
    if (unwell && reads_) {
      leave();
      return wait_a_little();
    }
    finish(std::move(result));
  }

  void lost(const Status& why) {
    state_->elsewhere(*port_);
    if (!reads_) return finish(unavailable("error reading from server: " + why.message()));
    wait_a_little();
  }

  void again_elsewhere() {
    state_->elsewhere(*port_);
    leave();
    attempt();
  }

  void leave() {
    if (std::exchange(entered_, false)) {
      state_->network.leave(this, state_->machine, *port_->machine);
    }
  }

  void over() {
    over_ = true;
    leave();
    state_->strand->cancel(deadline_);
    state_->strand->cancel(patience_);
    state_->calls.erase(number_);
  }

  void finish(Result<T> result) {
    const auto self = this->shared_from_this();
    over();
    std::exchange(done_, nullptr)(std::move(result));
  }

  const StatePtr state_;
  const bool reads_;
  const Work work_;
  Answer done_;
  StorePort* port_ = nullptr;
  std::uint64_t number_ = 0, attempt_ = 0;
  Executor::TimerId deadline_ = 0, patience_ = 0;
  bool over_ = false, entered_ = false;
};

template <class T>
Task<Result<T>> ask(StatePtr state, bool reads, typename StoreCall<T>::Work work) {
  co_return co_await Callback<Result<T>>(
      [state, reads, work = std::move(work)](std::function<void(Result<T>)> done) {
        std::make_shared<StoreCall<T>>(state, reads, work, std::move(done))->begin();
      });
}

// A watch, as both ends know it: the server's part lives on the member's strand.
class SimWatch final : public client::Watch, public Session {
 public:
  struct Shared {
    client::WatchSink sink;
    bool open = true;
    bool progress = false;                  // asked for before the member had it
    std::unique_ptr<client::Watch> served;  // the member's; of one of its lives
  };

  SimWatch(StatePtr state, client::WatchRequest request, client::WatchSink sink)
      : state_(std::move(state)), port_(&state_->port()), shared_(std::make_shared<Shared>()) {
    shared_->sink = std::move(sink);
    state_->network.enter(this, state_->machine, *port_->machine);
    state_->network.send(
        state_->machine, *port_->machine,
        [shared = shared_, request = std::move(request), back = to_client(), port = port_] {
          if (!shared->open) return;
          if (port->desk == nullptr) {
            return back([shared] { end(*shared, unavailable("etcdserver: not ready")); });
          }
          client::WatchSink there;
          there.on_events = [shared, back](std::vector<client::WatchEvent> events,
                                           std::int64_t revision) {
            back([shared, events = std::move(events), revision] {
              const auto fn = shared->sink.on_events;
              if (shared->open && fn) fn(events, revision);
            });
          };
          there.on_end = [shared, back](const Status& why) {
            back([shared, why] { end(*shared, why); });
          };
          shared->served = port->desk->watch(request, std::move(there));
          if (shared->progress) shared->served->request_progress();
        },
        [shared = shared_] { end(*shared, unavailable("connect: connection refused")); });
  }

  ~SimWatch() override {
    shared_->open = false;
    const auto sink = std::exchange(shared_->sink, {});
    state_->network.leave(this, state_->machine, *port_->machine);
    state_->network.send_to_life(state_->machine, *port_->machine, port_->machine->life,
                                 [shared = shared_] { shared->served.reset(); });
  }

  void request_progress() override {
    state_->network.send(state_->machine, *port_->machine, [shared = shared_] {
      shared->progress = shared->open;
      if (shared->open && shared->served) shared->served->request_progress();
    });
  }

  void broken(const Status& why) override {
    state_->elsewhere(*port_);
    state_->strand->post([shared = shared_, why] { end(*shared, why); });
  }

 private:
  static void end(Shared& shared, const Status& why) {
    if (!std::exchange(shared.open, false)) return;
    const auto on_end = std::exchange(shared.sink, {}).on_end;
    if (on_end) on_end(why);
  }

  // From the member's strand to the client's.
  std::function<void(std::function<void()>)> to_client() const {
    return [network = &state_->network, server = port_->machine, client = &state_->machine,
            life = state_->machine.life](std::function<void()> work) {
      network->send_to_life(*server, *client, life, std::move(work));
    };
  }

  const StatePtr state_;
  StorePort* const port_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace

SimStore::SimStore(Network& network, Machine& machine, std::vector<StorePort*> ports,
                   std::size_t first, Made made)
    : state_(std::make_shared<State>(network, machine, std::move(ports), first)) {
  state_->told = std::move(made);
}

void SimStore::drop_calls() {
  while (!state_->calls.empty()) {
    const auto call = state_->calls.begin()->second;
    call->give_up();
  }
}

Task<Result<client::RangeResult>> SimStore::range(client::RangeRequest request) {
  return ask<client::RangeResult>(state_, true,
                                  [request = std::move(request)](StoreDesk& desk, auto answer) {
                                    desk.range(request, std::move(answer));
                                  });
}

namespace {

Task<Result<client::GuardedResult>> write_on(StatePtr state, client::GuardedWrite request) {
  const auto wanted = std::make_shared<const client::GuardedWrite>(std::move(request));
  auto result = co_await ask<client::GuardedResult>(
      state, false,
      [wanted](StoreDesk& desk, auto answer) { desk.write(*wanted, std::move(answer)); });
  if (result.ok() && state->told) state->told(*wanted, *result);
  co_return result;
}

}  // namespace

Task<Result<client::GuardedResult>> SimStore::write(client::GuardedWrite request) {
  return write_on(state_, std::move(request));
}

Task<Result<std::int64_t>> SimStore::grant_lease(std::int64_t ttl_seconds) {
  return ask<std::int64_t>(state_, false, [ttl_seconds](StoreDesk& desk, auto answer) {
    desk.grant(ttl_seconds, std::move(answer));
  });
}

Task<Result<bool>> SimStore::compact(std::int64_t revision) {
  return ask<bool>(state_, false, [revision](StoreDesk& desk, auto answer) {
    desk.compact(revision, std::move(answer));
  });
}

Task<Result<client::StoreStatus>> SimStore::status() {
  return ask<client::StoreStatus>(
      state_, true, [](StoreDesk& desk, auto answer) { desk.status(std::move(answer)); });
}

std::unique_ptr<client::Watch> SimStore::watch(client::WatchRequest request,
                                               client::WatchSink sink) {
  return std::make_unique<SimWatch>(state_, std::move(request), std::move(sink));
}

}  // namespace coracle::cluster_sim
