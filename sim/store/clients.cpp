#include "store_sim/clients.hpp"

#include <limits>

#include "mvcc/check.hpp"
#include "mvcc/key_range.hpp"
#include "store_sim/world.hpp"

namespace coracle::store_sim {
namespace {

constexpr Micros kPatience = 1'200'000;
constexpr std::size_t kLeasesKept = 8;

}  // namespace

void Clients::start() {
  for (int c = 0; c < world_.profile().clients; ++c) next(c, 1000);
  if (world_.profile().burst_max > 0) burst_later();
}

std::string Clients::key(std::uint64_t number) const {
  return (number % 3 == 0 ? "a/" : "b/") + std::to_string(number);
}

std::string Clients::draw_key() {
  return key(world_.rng().below(std::uint64_t(world_.profile().keys)));
}

std::int64_t Clients::draw_lease() {
  return leases_.empty() ? 0 : leases_[world_.rng().below(leases_.size())];
}

void Clients::burst_later() {
  world_.at(world_.rng().between(100'000, 1'000'000), [this] {
    if (world_.now() > kClientsEnd) return;
    burst_later();
    SimMember* member = world_.random_running();
    if (member == nullptr) return;
    world_.count("burst");
    for (std::uint64_t i = world_.rng().below(world_.profile().burst_max); i > 0; --i) {
      ask(*member, draw_proposal());
    }
  });
}

void Clients::next(int client, Micros pause) {
  if (client < 0) {
    waits_for_.erase(client);
    return;
  }
  if (world_.now() + pause >= kClientsEnd) return;
  world_.at(pause, [this, client] { begin(client); });
}

void Clients::begin(int client) {
  SimMember* member = world_.random_running();
  Rng& rng = world_.rng();
  if (member == nullptr) return next(client, rng.between(1000, 50'000));
  const std::uint64_t kind = rng.below(20);
  if (kind < 7) return send_range(client, *member);
  if (kind == 7) return send_read_txn(client, *member);
  if (kind == 8 && !leases_.empty()) return send_keep_alive(client, *member);
  send_proposal(client, *member, draw_proposal());
}

Clients::Call& Clients::open(int client) {
  Call& call = calls_.emplace_back();
  call.number = calls_.size() - 1;
  call.operation.client = client;
  call.called = world_.leases().moment();
  call.operation.call = call.called.at;
  waits_for_[client] = call.number;
  give_up_later(client, call.number);
  return call;
}

void Clients::give_up_later(int client, std::size_t call) {
  world_.at(kPatience, [this, client, call] {
    if (waits_for_[client] != call) return;
    world_.count("operation given up");
    settle(client, call);
  });
}

void Clients::settle(int client, std::size_t call) {
  waits_for_[client] = SIZE_MAX;
  next(client, world_.rng().between(500, 30'000));
}

Replied Clients::replying(int client, std::size_t call) {
  return [this, client, call](Reply reply) {
    world_.at(world_.rng().between(50, 2000),
              [this, client, call, reply = std::move(reply)] { on_reply(client, call, reply); });
  };
}

void Clients::on_reply(int client, std::size_t call, Reply reply) {
  if (waits_for_[client] != call) return;
  settle(client, call);
  calls_[call].no_space = reply.no_space;
  if (reply.no_space) world_.count("refused for want of space");
  linearize::Operation& operation = calls_[call].operation;
  if (!reply.answer) return;
  ++answered_;
  operation.returned = world_.now();
  operation.answer = std::move(reply.answer);
  seen_revision_ = std::max(seen_revision_, operation.answer->revision.value_or(0));
  if (!calls_[call].request) return;
  if (operation.call > kFaultsEnd) last_write_at_ = world_.now();
  if (!operation.answer->error.empty()) return;
  if (const auto* grant = std::get_if<linearize::GrantRequest>(&operation.request)) {
    world_.leases().on_promise(grant->lease, grant->ttl, calls_[call].called);
    leases_.push_back(grant->lease.value);
    if (leases_.size() > kLeasesKept) leases_.erase(leases_.begin());
  }
  if (const auto* revoke = std::get_if<linearize::RevokeRequest>(&operation.request)) {
    world_.leases().on_revoked(revoke->lease, world_.now());
  }
}

void Clients::send_range(int client, SimMember& member) {
  Rng& rng = world_.rng();
  mvcc::RangeRequest request;
  if (rng.chance(0.5)) {
    request.key = draw_key();
  } else {
    request.key = rng.chance(0.5) ? "a/" : "b/";
    request.range_end = mvcc::prefix_end(request.key);
    if (rng.chance(0.3)) request.limit = rng.between(1, 3);
    request.count_only = rng.chance(0.1);
    request.keys_only = rng.chance(0.1);
  }
  request.serializable = rng.chance(0.2);
  if (rng.chance(0.2)) request.revision = Revision(rng.between(1, seen_revision_ + 1));
  Call& call = open(client);
  call.operation.request = request;
  member.post([&member, request, done = replying(client, call.number)] {
    range(member.member(), request, done);
  });
}

void Clients::send_read_txn(int client, SimMember& member) {
  mvcc::TxnRequest request;
  const std::string key = draw_key();
  request.compare.push_back({.result = mvcc::Compare::Result::kGreater, .key = key});
  request.success.push_back({mvcc::RangeRequest{.key = key}});
  request.failure.push_back({mvcc::RangeRequest{.key = "a/", .range_end = "c"}});
  Call& call = open(client);
  call.operation.request = request;
  member.post([&member, request, done = replying(client, call.number)] {
    read_txn(member.member(), request, done);
  });
}

void Clients::send_keep_alive(int client, SimMember& member) {
  const LeaseId lease(draw_lease());
  // It is not an operation of the history: it does not go through the log.
  waits_for_[client] = SIZE_MAX - 1;
  const Micros called = world_.now();
  member.post([this, &member, lease, called] {
    keep_alive(member.member(), lease, [this, lease, called](std::optional<std::int64_t> ttl) {
      if (!ttl) return;
      world_.count("lease renewed");
      world_.leases().on_renewed(lease, *ttl, called);
    });
  });
  next(client, world_.rng().between(500, 30'000));
}

void Clients::send_proposal(int client, SimMember& member, store::Proposal proposal) {
  proposal.set_member(member.id().value);
  proposal.set_request(member.member().next_request());
  Call& call = open(client);
  call.operation.request = request_of(proposal);
  call.request = {proposal.member(), proposal.request()};
  world_.leases().on_client_request(*call.request);
  const bool is_revoke = proposal.has_lease_revoke();
  member.post([this, &member, proposal = std::move(proposal), is_revoke,
               done = replying(client, call.number)] {
    if (store::grows(proposal) && !member.member().over_quota(proposal.ByteSizeLong())) {
      world_.bounds().on_growth(member);
    }
    propose(member.member(), proposal, is_revoke, done);
  });
}

store::pb::PutRequest Clients::draw_put() {
  store::pb::PutRequest put;
  put.set_key(draw_key());
  put.set_value(std::to_string(++last_value_));
  if (world_.rng().chance(0.1)) put.mutable_value()->append(world_.rng().below(3000), 'x');
  if (world_.rng().chance(0.3)) put.set_lease(draw_lease());
  return put;
}

store::pb::TxnRequest Clients::draw_txn(int depth) {
  Rng& rng = world_.rng();
  store::pb::TxnRequest txn;
  auto* compare = txn.add_compare();
  compare->set_key(draw_key());
  compare->set_target(rng.chance(0.5) ? store::pb::Compare::VERSION : store::pb::Compare::CREATE);
  compare->set_result(store::pb::Compare::EQUAL);
  if (rng.chance(0.3)) compare->set_version(1);
  *txn.add_success()->mutable_request_put() = draw_put();
  if (rng.chance(0.5)) txn.add_success()->mutable_request_range()->set_key(draw_key());
  if (rng.chance(0.3)) *txn.add_success()->mutable_request_put() = draw_put();
  txn.add_failure()->mutable_request_range()->set_key(draw_key());
  if (rng.chance(0.3)) txn.add_failure()->mutable_request_delete_range()->set_key(draw_key());
  if (depth == 0 && rng.chance(0.2)) *txn.add_failure()->mutable_request_txn() = draw_txn(1);
  return txn;
}

store::Proposal Clients::draw_proposal() {
  Rng& rng = world_.rng();
  store::Proposal proposal;
  const std::uint64_t kind = rng.below(20);
  if (kind < 8) {
    *proposal.mutable_put() = draw_put();
    proposal.mutable_put()->set_prev_kv(rng.chance(0.2));
  } else if (kind < 11) {
    auto* del = proposal.mutable_delete_range();
    del->set_key(rng.chance(0.8) ? draw_key() : "a/");
    if (del->key() == "a/") del->set_range_end(mvcc::prefix_end("a/"));
    del->set_prev_kv(rng.chance(0.2));
  } else if (kind < 15) {
    *proposal.mutable_txn() = draw_txn(0);
    // The services refuse a key put twice; so here.
    if (!mvcc::check_txn(store::from_wire(proposal.txn())).ok()) return draw_proposal();
  } else if (kind == 15) {
    proposal.mutable_compaction()->set_revision(
        rng.between(std::max<std::int64_t>(1, seen_revision_ - 30), seen_revision_));
  } else if (kind < 18 || leases_.empty()) {
    proposal.mutable_lease_grant()->set_id(++last_lease_);
    proposal.mutable_lease_grant()->set_ttl(rng.between(1, 3));
  } else if (kind == 18) {
    proposal.mutable_lease_revoke()->set_id(draw_lease());
  } else {
    *proposal.mutable_put() = draw_put();
    proposal.mutable_put()->set_lease(draw_lease());
  }
  return proposal;
}

void Clients::check_refused(const Oracle& oracle) const {
  for (const Call& call : calls_) {
    if (!call.no_space) continue;
    const Oracle::Effect* effect = oracle.effect(*call.request);
    if (effect != nullptr && effect->ok) {
      world_.fail("D6/K7: entry " + std::to_string(effect->index.value) +
                  " took effect, and its client was told that there is no space");
    }
  }
}

linearize::History Clients::history(const Oracle& oracle) const {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  linearize::History out;
  // What had an effect had it at its revision, whatever its client knows.
  const auto add_effect = [&](linearize::Operation operation, const Oracle::Request& request) {
    const Oracle::Effect* effect = oracle.effect(request);
    if (effect == nullptr || !effect->ok) return;
    operation.answer.emplace();
    operation.answer->revision = effect->revision.value;
    operation.returned = kNever;
    out.push_back(std::move(operation));
  };
  for (const Call& call : calls_) {
    if (call.operation.answer) {
      out.push_back(call.operation);
    } else if (call.request) {
      add_effect(call.operation, *call.request);
    }
  }
  for (const auto& [request, expiry] : world_.leases().expiries()) {
    linearize::Operation operation;
    operation.client = -1;
    operation.call = expiry.proposed.at;
    operation.request = linearize::RevokeRequest{expiry.lease};
    add_effect(std::move(operation), request);
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].line = i + 1;
  return out;
}

}  // namespace coracle::store_sim
