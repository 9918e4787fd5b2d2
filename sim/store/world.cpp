#include "store_sim/world.hpp"

#include "linearize/search.hpp"

namespace coracle::store_sim {
namespace {

using namespace std::chrono;

store::Urls urls_of(int number) { return {"http://n" + std::to_string(number)}; }

}  // namespace

store::MemberConfig World::founder(const Profile& profile) {
  store::MemberConfig config;
  config.heartbeat = microseconds(kHeartbeat);
  config.election = microseconds(kElection);
  config.snapshot_count = profile.snapshot_count;
  config.flush_bytes = profile.flush_bytes;
  config.compact_keys = profile.compact_keys;
  config.watch.max_outstanding_bytes = profile.watch_bytes;
  config.watch.max_history_revisions = 3;
  if (profile.quota_bytes > 0) config.quota_bytes = profile.quota_bytes;
  for (int i = 1; i <= profile.members; ++i) {
    config.initial_cluster["n" + std::to_string(i)] = urls_of(i);
  }
  return config;
}

store::MemberConfig World::config_of(int number, bool joins) {
  store::MemberConfig config = founder(profile_);
  config.name = "n" + std::to_string(number);
  config.advertise_peer = config.advertise_client = urls_of(number);
  config.joins_existing = joins;
  // Who joins has asked who is there.
  for (const auto& member : members_) {
    config.initial_cluster[member->name()] = member->config().advertise_peer;
  }
  config.initial_cluster[config.name] = config.advertise_peer;
  return config;
}

World::World(std::uint64_t seed, TraceSink sink)
    : rng_(seed),
      profile_(Profile::draw(rng_, seed)),
      sink_(std::move(sink)),
      oracle_(founder(profile_)),
      network_(*this),
      leases_(*this),
      bounds_(*this),
      clients_(*this),
      watchers_(*this),
      operator_(*this),
      faults_(*this) {
  for (int i = 1; i <= profile_.members; ++i) {
    members_.push_back(std::make_unique<SimMember>(*this, config_of(i, false), draw_clock()));
    by_id_[members_.back()->id()] = members_.back().get();
  }
}

World::~World() = default;

SimClock World::draw_clock() {
  const std::int64_t most = profile_.drift_ppm;
  return {rng_.between(-most, most), rng_.between(0, 1'000'000'000)};
}

void World::trace(const std::string& line) {
  if (sink_) sink_(std::to_string(events()) + " " + std::to_string(now()) + "us " + line);
}

Outcome World::run(std::uint64_t until) {
  for (auto& member : members_) member->start();
  clients_.start();
  watchers_.start();
  operator_.start();
  faults_.start();
  at(kEnd, [this] { check_end(); });
  while (now() < kEnd && events() < until && !failed() && schedule_.run_next()) {
  }
  Outcome out{checker_.failure(), events(), now(), tally_};
  out.tally["operations answered"] = clients_.answered();
  out.tally["entries committed"] = oracle_.applied().value;
  return out;
}

SimMember* World::find(NodeId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

SimMember* World::random_running() {
  std::vector<SimMember*> running;
  for (const auto& member : members_) {
    if (!member->running()) continue;
    // Once the faults are over, nobody waits at one that never became a member.
    if (!faulty() && !oracle_.membership().contains(member->id())) continue;
    running.push_back(member.get());
  }
  return running.empty() ? nullptr : running[rng_.below(running.size())];
}

SimMember* World::leader() {
  SimMember* best = nullptr;
  for (const auto& member : members_) {
    if (!member->running() || member->member().core().role() != raft::Role::kLeader) continue;
    if (!best || member->member().core().term() > best->member().core().term()) best = member.get();
  }
  return best;
}

SimMember& World::add_member() {
  const int number = int(members_.size()) + 1;
  members_.push_back(std::make_unique<SimMember>(*this, config_of(number, true), draw_clock()));
  SimMember& member = *members_.back();
  by_id_[member.id()] = &member;
  member.start();
  return member;
}

void World::on_start(SimMember& member) {
  member.member().hooks.deliver = [this, &member](mvcc::Deliveries deliveries) {
    watchers_.deliver(member, std::move(deliveries));
  };
}

void World::on_end(SimMember& member) { watchers_.on_end(member); }

void World::on_append(const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) leases_.on_entry(entry);
}

// After every turn: Raft's promises, then the member's state against the one it must have there.
void World::after_turn(SimMember& member) {
  raft::Core& core = member.member().core();
  checker_.on_state(member.id(), core, member.durable().log);
  if (failed()) return;
  if (std::string broken = oracle_.feed(member.durable().log, core.commit()); !broken.empty()) {
    return fail(std::move(broken));
  }
  leases_.look_at_committed();
  bounds_.after_turn(member);
  store::StateMachine& machine = member.member().machine();
  const store::AppliedMark applied = machine.applied();
  if (applied.index > oracle_.applied()) {
    return fail("C1: " + member.describe() + " applied what nobody committed");
  }
  const Oracle::Point& must = oracle_.point(applied.index);
  const mvcc::Store& store = machine.store();
  const bool same = must.revision == store.revision().value &&
                    must.compacted == store.compacted().value &&
                    must.live_keys == store.live_keys() && must.leases == machine.lessor().size();
  if (same) return;
  fail("D3/K2/K4: " + member.describe() + " should be at revision " +
       std::to_string(must.revision) + ", compacted " + std::to_string(must.compacted) + " (is " +
       std::to_string(store.compacted().value) + "), with " + std::to_string(must.live_keys) +
       " keys (has " + std::to_string(store.live_keys()) + ") and " + std::to_string(must.leases) +
       " leases (has " + std::to_string(machine.lessor().size()) + ")");
}

void World::on_applied(SimMember& member, Index index) {
  if (std::string broken = oracle_.feed(member.durable().log, index); !broken.empty()) {
    fail(std::move(broken));
  }
}

void World::check_equal(SimMember& member) {
  if (!member.running()) return fail("C4: " + member.name() + " does not run in the end");
  store::StateMachine& machine = member.member().machine();
  if (machine.applied().index != oracle_.applied()) {
    return fail("C4: " + member.describe() + " did not catch up with entry " +
                std::to_string(oracle_.applied().value));
  }
  try {
    check_state(member);
  } catch (const GivenUp&) {
    // The damage that nobody came upon is noticed now.
    if (!member.state_damaged()) throw;
  }
}

void World::check_state(SimMember& member) {
  store::StateMachine& machine = member.member().machine();
  const auto hash = machine.store().hash_kv(Revision(0));
  const auto must = oracle_.machine().store().hash_kv(Revision(0));
  if (!hash.ok() || *hash != *must) fail("D8: HashKV of " + member.name() + " differs");
  if (machine.lessor().leases() != oracle_.machine().lessor().leases()) {
    fail("L5: the leases of " + member.name() + " differ");
  }
  const std::string broken = mvcc::MvccChecker().whole(machine.store(), member.member().state());
  if (!broken.empty()) fail("D8: state of " + member.name() + ": " + broken);
}

void World::check_end() {
  if (leader() == nullptr) return fail("C4: no leader after the faults ended");
  if (clients_.last_write_at() <= kFaultsEnd) {
    return fail("C4: no write succeeded after the faults ended");
  }
  for (const auto& member : members_) {
    const bool counts = oracle_.membership().contains(member->id()) && !member->damaged();
    if (counts) check_equal(*member);
    if (failed()) return;
  }
  if (oracle_.machine().lessor().size() != 0) return fail("L2: a lease does not die");
  if (!oracle_.machine().alarms().empty()) return fail("C4: an alarm was not disarmed");
  clients_.check_refused(oracle_);
  watchers_.check_end();
  if (failed()) return;
  const linearize::Verdict verdict = linearize::check(clients_.history(oracle_));
  count(verdict.kind == linearize::Kind::kUndecided ? "histories undecided" : "histories checked");
  if (verdict.kind == linearize::Kind::kViolation) {
    fail("K1: not linearizable: " + verdict.explanation);
  }
}

}  // namespace coracle::store_sim
