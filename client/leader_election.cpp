#include "client/leader_election.hpp"

#include <algorithm>
#include <utility>

namespace coracle::client {
namespace {

const Gvr kLeases{"coordination.k8s.io", "v1", "leases"};
constexpr double kJitter = 1.2;
// A deadline that is told so much later was not missed by the server, but by a busy strand.
constexpr Duration kLate = std::chrono::milliseconds(100);
constexpr Duration kSecondLook = std::chrono::milliseconds(500);

Duration stretched(Duration span, double factor) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(span.count()) * factor));
}

}  // namespace

Status validate(const LeaderElectionOptions& options) {
  if (options.lease_duration <= options.renew_deadline) {
    return invalid_argument("leaseDuration must be greater than renewDeadline");
  }
  if (options.renew_deadline <= stretched(options.retry_period, kJitter)) {
    return invalid_argument("renewDeadline must be greater than retryPeriod*JitterFactor");
  }
  if (options.retry_period < Duration(1)) {
    return invalid_argument("retryPeriod must be greater than zero");
  }
  if (options.lease_duration < std::chrono::seconds(1)) {
    return invalid_argument("leaseDuration must be at least one second");
  }
  if (options.identity.empty()) return invalid_argument("Lock identity is empty");
  if (options.name.empty()) return invalid_argument("the name of the Lease is empty");
  return {};
}

LeaseRecord lease_record(const json::value& lease) {
  LeaseRecord record;
  record.holder = get_string(lease, "spec.holderIdentity");
  record.duration_seconds = get_int(lease, "spec.leaseDurationSeconds");
  record.acquire_time = get_string(lease, "spec.acquireTime");
  record.renew_time = get_string(lease, "spec.renewTime");
  record.transitions = get_int(lease, "spec.leaseTransitions");
  return record;
}

json::value with_record(const json::value& lease, const LeaseRecord& record) {
  json::value copy = lease.is_object() ? lease : json::value(json::object());
  json::object& spec = make_object(copy, "spec");
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration_seconds;
  spec["acquireTime"] = record.acquire_time;
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
  return copy;
}

void observe(LeaseView& view, const std::optional<LeaseRecord>& record, TimePoint now) {
  if (view.record == record) return;
  view.record = record;
  view.changed_at = now;
}

LeaseDecision decide_lease(const LeaseView& view, const LeaderElectionOptions& options,
                           TimePoint now, WallTime wall_now) {
  LeaseDecision decision;
  LeaseRecord& write = decision.record;
  write.holder = options.identity;
  write.duration_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(options.lease_duration).count();
  write.acquire_time = write.renew_time = format_micro_time(wall_now);
  if (!view.record) {
    decision.action = LeaseDecision::Action::kCreate;
    return decision;
  }
  const LeaseRecord& seen = *view.record;
  const bool mine = seen.holder == options.identity;
  // By this process's clock since it saw the last change: clocks of others do not matter.
  const bool expired = view.changed_at + std::chrono::seconds(seen.duration_seconds) <= now;
  if (!mine && !seen.holder.empty() && !expired) return decision;
  decision.action = LeaseDecision::Action::kUpdate;
  write.transitions = mine ? seen.transitions : seen.transitions + 1;
  if (mine) write.acquire_time = seen.acquire_time;
  return decision;
}

LeaseRecord released_record(const LeaseRecord& held, WallTime wall_now) {
  LeaseRecord record;
  record.duration_seconds = 1;  // whoever reads it may take it at once
  record.acquire_time = record.renew_time = format_micro_time(wall_now);
  record.transitions = held.transitions;
  return record;
}

struct LeaderElector::State : std::enable_shared_from_this<LeaderElector::State> {
  State(Executor& e, Api& api, Rng r, LeaderElectionOptions o, LeaderCallbacks c)
      : executor(e), leases(api, kLeases), rng(r), options(std::move(o)), callbacks(std::move(c)) {}

  void attempt();
  void on_read(ApiResult<json::value> answer, std::uint64_t of_round);
  void decide_and_write();
  void on_written(ApiResult<json::value> answer, const LeaseRecord& wrote, std::uint64_t of_round);
  void succeeded(json::value lease, const LeaseRecord& record);
  void note_leader();
  void again();
  TimePoint others_may_lead() const;
  void arm_deadline();
  void on_deadline(TimePoint due);
  void lose();
  void release(std::function<void()> stopped);

  template <class F>
  std::function<void(ApiResult<json::value>)> guarded(F work) {
    return [weak = weak_from_this(), work](ApiResult<json::value> answer) {
      if (auto self = weak.lock()) work(*self, std::move(answer));
    };
  }

  Executor& executor;
  ResourceClient leases;
  Rng rng;
  LeaderElectionOptions options;
  LeaderCallbacks callbacks;
  bool running = false;
  bool leads = false;
  std::uint64_t round = 0;  // answers of older rounds are ignored
  Executor::TimerId retry = 0, deadline = 0;
  TimePoint asked_at;    // when the write of this round went out
  TimePoint renewed_at;  // asked_at of the last that came true
  LeaseView view;
  json::value lease;  // as last read or written: carries the resourceVersion
  std::string announced;
  std::string leader;
};

void LeaderElector::State::attempt() {
  if (!running) return;
  const std::uint64_t mine = ++round;
  // A leader that knows its Lease just writes the next renewal.
  if (leads && lease.is_object()) return decide_and_write();
  spawn<ApiResult<json::value>>(leases.get(options.namespace_name, options.name),
                                guarded([mine](State& self, ApiResult<json::value> answer) {
                                  self.on_read(std::move(answer), mine);
                                }));
}

void LeaderElector::State::on_read(ApiResult<json::value> answer, std::uint64_t of_round) {
  if (!running || of_round != round) return;
  if (!answer.ok() && !answer.error().is_not_found()) return again();
  if (answer.ok()) {
    lease = std::move(answer.value());
    observe(view, lease_record(lease), executor.now());
  } else {
    lease = nullptr;
    observe(view, std::nullopt, executor.now());
  }
  note_leader();
  decide_and_write();
}

void LeaderElector::State::decide_and_write() {
  const LeaseDecision decision = decide_lease(view, options, executor.now(), executor.wall_now());
  if (decision.action == LeaseDecision::Action::kWait) {
    if (leads) lose();
    return again();
  }
  asked_at = executor.now();
  auto done =
      guarded([wrote = decision.record, mine = round](State& self, ApiResult<json::value> answer) {
        self.on_written(std::move(answer), wrote, mine);
      });
  if (decision.action == LeaseDecision::Action::kCreate) {
    json::value fresh = json::object();
    set_path(fresh, "kind", "Lease");
    set_path(fresh, "apiVersion", "coordination.k8s.io/v1");
    set_path(fresh, "metadata.name", json::value(options.name));
    set_path(fresh, "metadata.namespace", json::value(options.namespace_name));
    return spawn<ApiResult<json::value>>(
        leases.create(options.namespace_name, with_record(fresh, decision.record)),
        std::move(done));
  }
  spawn<ApiResult<json::value>>(leases.update(with_record(lease, decision.record)),
                                std::move(done));
}

void LeaderElector::State::on_written(ApiResult<json::value> answer, const LeaseRecord& wrote,
                                      std::uint64_t of_round) {
  if (!running || of_round != round) return;
  if (answer.ok()) {
    succeeded(std::move(answer.value()), wrote);
  } else {
    lease = nullptr;  // what is there must be read again, even by the leader
  }
  again();
}

void LeaderElector::State::succeeded(json::value written, const LeaseRecord& record) {
  lease = std::move(written);
  observe(view, record, executor.now());
  renewed_at = asked_at;
  arm_deadline();
  if (!std::exchange(leads, true) && callbacks.on_started) callbacks.on_started();
  note_leader();
}

void LeaderElector::State::note_leader() {
  leader = view.record ? view.record->holder : "";
  if (leader.empty() || leader == announced) return;
  announced = leader;
  if (callbacks.on_new_leader) callbacks.on_new_leader(leader);
}

void LeaderElector::State::again() {
  if (!running) return;
  if (retry) executor.cancel(retry);
  // Candidates spread out; the leader keeps its beat.
  const Duration pause = leads ? asked_at + options.retry_period - executor.now()
                               : stretched(options.retry_period, 1.0 + kJitter * rng.unit());
  retry = executor.after(pause, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->retry = 0;
    self->attempt();
  });
}

// Nobody else can lead before this, and a bit is left for stopping.
TimePoint LeaderElector::State::others_may_lead() const {
  return renewed_at + options.lease_duration - options.lease_duration / 10;
}

// It runs on while an answer hangs.
void LeaderElector::State::arm_deadline() {
  if (deadline) executor.cancel(deadline);
  const TimePoint now = executor.now();
  const Duration left =
      std::max<Duration>(renewed_at + options.renew_deadline - now,
                         std::min<Duration>(kSecondLook, others_may_lead() - now));
  deadline = executor.after(left, [weak = weak_from_this(), due = executor.now() + left] {
    auto self = weak.lock();
    if (!self) return;
    self->deadline = 0;
    self->on_deadline(due);
  });
}

void LeaderElector::State::on_deadline(TimePoint due) {
  const TimePoint now = executor.now();
  if (now - due > kLate && now < others_may_lead()) return arm_deadline();
  lose();
  again();
}

void LeaderElector::State::lose() {
  ++round;  // a late answer must not make it leader again
  if (deadline) executor.cancel(std::exchange(deadline, 0));
  lease = nullptr;
  if (std::exchange(leads, false) && callbacks.on_stopped) callbacks.on_stopped();
}

void LeaderElector::State::release(std::function<void()> stopped) {
  const json::value held = lease;
  const bool led = leads;
  running = false;
  if (retry) executor.cancel(std::exchange(retry, 0));
  lose();
  if (!led || !options.release_on_stop || !held.is_object() || !view.record) return stopped();
  const LeaseRecord record = released_record(*view.record, executor.wall_now());
  spawn<ApiResult<json::value>>(
      leases.update(with_record(held, record)),
      [stopped = std::move(stopped)](ApiResult<json::value>) { stopped(); });
}

LeaderElector::LeaderElector(Executor& executor, Api& api, Rng rng, LeaderElectionOptions options,
                             LeaderCallbacks callbacks)
    : state_(
          std::make_shared<State>(executor, api, rng, std::move(options), std::move(callbacks))) {
  const Status valid = validate(state_->options);
  CHECK_MSG(valid.ok(), valid.message());
}

LeaderElector::~LeaderElector() {
  state_->running = false;
  state_->callbacks = {};
  if (state_->retry) state_->executor.cancel(state_->retry);
  if (state_->deadline) state_->executor.cancel(state_->deadline);
}

void LeaderElector::start() {
  if (std::exchange(state_->running, true)) return;
  state_->attempt();
}

void LeaderElector::stop(std::function<void()> stopped) { state_->release(std::move(stopped)); }
bool LeaderElector::is_leader() const { return state_->leads; }
const std::string& LeaderElector::leader() const { return state_->leader; }

}  // namespace coracle::client
