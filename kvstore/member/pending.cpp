#include "member/pending.hpp"

#include <algorithm>
#include <utility>

#include "member/errors.hpp"

namespace coracle::store {
namespace {

Outcome failed(Status status) {
  Outcome out;
  out.status = std::move(status);
  return out;
}

}  // namespace

void Proposals::submit(std::uint64_t request, std::string data, TimePoint now, Answer answer) {
  Pending pending;
  pending.data = std::move(data);
  pending.answer = std::move(answer);
  pending.deadline = now + timeout_;
  add(request, std::move(pending));
}

void Proposals::submit_change(std::uint64_t request, raft::MembershipChange change, TimePoint now,
                              Answer answer) {
  Pending pending;
  pending.change = std::move(change);
  pending.answer = std::move(answer);
  pending.deadline = now + timeout_;
  add(request, std::move(pending));
}

void Proposals::add(std::uint64_t request, Pending pending) {
  if (pending_.size() >= kPendingMax) return pending.answer(failed(err_too_many_requests()));
  const auto [it, fresh] = pending_.emplace(request, std::move(pending));
  CHECK(fresh);
  ++parked_;
  send(request, it->second);
}

void Proposals::send(std::uint64_t request, Pending& pending) {
  CHECK(pending.place == Place::kParked);
  auto proposed = pending.change ? core_.propose_config(request, *pending.change)
                                 : core_.propose(request, pending.data);
  if (!proposed.ok()) {
    const Status& why = proposed.status();
    if (why.code() == Code::kUnavailable) return;  // stays parked
    answer(request, failed(why.code() == Code::kResourceExhausted ? err_too_many_requests() : why));
    return;
  }
  --parked_;
  pending.place = Place::kSent;
  pending.sent_in = core_.term();
  if (!proposed->forwarded) slots_[proposed->index] = {proposed->term, request};
}

void Proposals::on_outcome(const raft::ProposalOutcome& outcome) {
  const auto found = pending_.find(outcome.request);
  if (found == pending_.end() || found->second.place != Place::kSent) return;
  Pending& pending = found->second;
  switch (outcome.refusal) {
    case raft::Refusal::kNone:
      slots_[outcome.index] = {outcome.term, outcome.request};
      break;
    case raft::Refusal::kNotLeader:
    case raft::Refusal::kTransferring:
    case raft::Refusal::kChangePending:
      pending.place = Place::kParked;
      ++parked_;
      break;
    case raft::Refusal::kTooMuchInFlight:
      answer(outcome.request, failed(err_too_many_requests()));
      break;
    case raft::Refusal::kInvalidChange:
      answer(outcome.request,
             failed(failed_precondition("etcdserver: the change does not fit the membership")));
      break;
    case raft::Refusal::kLostLeadership:
    case raft::Refusal::kNoAnswer:
      pending.place = Place::kUnknown;
      break;
  }
}

std::uint64_t Proposals::on_entry(const raft::Entry& entry) {
  std::uint64_t request = 0;
  // Two entries cannot be committed at one index, so the loser is certainly lost.
  while (!slots_.empty() && slots_.begin()->first <= entry.index) {
    const auto [index, slot] = *slots_.begin();
    slots_.erase(slots_.begin());
    if (index < entry.index || slot.term != entry.term) {
      answer(slot.request, failed(err_leader_changed()));
    } else {
      request = slot.request;
    }
  }
  if (entry.kind != raft::EntryKind::kNoop) return request;
  // A new leader has begun: what an older one accepted is applied by now, or never will be. An old
  // request may still be on its way to somebody, so it is not sent again.
  std::vector<std::uint64_t> lost;
  for (const auto& [request, pending] : pending_) {
    if (pending.place == Place::kUnknown && pending.sent_in < entry.term) lost.push_back(request);
  }
  for (const std::uint64_t r : lost) answer(r, failed(err_timeout_leader_failed()));
  return 0;
}

void Proposals::answer(std::uint64_t request, Outcome outcome) {
  const auto found = pending_.find(request);
  if (found == pending_.end()) return;
  if (found->second.place == Place::kParked) --parked_;
  if (outcome.status.code() == Code::kUnavailable) ++failures_;
  const Answer done = std::move(found->second.answer);
  pending_.erase(found);
  done(std::move(outcome));
}

void Proposals::tick(TimePoint now) {
  while (!pending_.empty() && pending_.begin()->second.deadline <= now) {
    const bool unknown = pending_.begin()->second.place == Place::kUnknown;
    answer(pending_.begin()->first, failed(unknown ? err_timeout_leader_failed() : err_timeout()));
  }
  retry_parked();
}

void Proposals::retry_parked() {
  if (parked_ == 0 || core_.leader() == NodeId(0)) return;
  std::vector<std::uint64_t> requests;
  for (const auto& [request, pending] : pending_) {
    if (pending.place == Place::kParked) requests.push_back(request);
  }
  for (const std::uint64_t request : requests) {
    const auto found = pending_.find(request);
    if (found != pending_.end()) send(request, found->second);
  }
}

void Proposals::fail_all(const Status& status) {
  while (!pending_.empty()) answer(pending_.begin()->first, failed(status));
}

void ReadBarrier::wait(TimePoint now, Done done) {
  if (waiting_ >= kPendingMax) return done(err_too_many_requests());
  ++waiting_;
  gathered_.push_back({now + timeout_, std::move(done)});
}

void ReadBarrier::start_round() {
  if (!may_start()) return;
  may_overtake_ = false;
  const std::uint64_t context = ++last_context_;
  Waiters waiters = std::exchange(gathered_, {});
  if (core_.read_index(context).ok()) {
    rounds_.emplace(context, std::move(waiters));
  } else {
    std::move(waiters.begin(), waiters.end(), std::back_inserter(parked_));
  }
}

void ReadBarrier::on_grant(const raft::ReadGrant& grant) {
  const auto found = rounds_.find(grant.context);
  if (found == rounds_.end()) return;
  Waiters waiters = std::move(found->second);
  rounds_.erase(found);
  if (grant.refusal != raft::Refusal::kNone) {
    std::move(waiters.begin(), waiters.end(), std::back_inserter(parked_));
    return;
  }
  waiting_ -= waiters.size();
  for (Waiter& waiter : waiters) waiter.done({});
}

void ReadBarrier::expire(Waiters* waiters, TimePoint now) {
  Waiters keep;
  for (Waiter& waiter : std::exchange(*waiters, {})) {
    if (waiter.deadline <= now) {
      --waiting_;
      waiter.done(err_timeout());
    } else {
      keep.push_back(std::move(waiter));
    }
  }
  std::move(keep.begin(), keep.end(), std::back_inserter(*waiters));
}

void ReadBarrier::tick(TimePoint now) {
  may_overtake_ = true;
  // A read may be asked again without harm, so what was refused joins the next round.
  if (core_.leader() != NodeId(0)) {
    std::move(parked_.begin(), parked_.end(), std::back_inserter(gathered_));
    parked_.clear();
  }
  expire(&gathered_, now);
  expire(&parked_, now);
  for (auto& [context, waiters] : rounds_) expire(&waiters, now);
  std::erase_if(rounds_, [](const auto& round) { return round.second.empty(); });
}

void ReadBarrier::fail_all(const Status& status) {
  Waiters all = std::exchange(gathered_, {});
  std::move(parked_.begin(), parked_.end(), std::back_inserter(all));
  parked_.clear();
  for (auto& [context, waiters] : rounds_) {
    std::move(waiters.begin(), waiters.end(), std::back_inserter(all));
  }
  rounds_.clear();
  waiting_ = 0;
  for (Waiter& waiter : all) waiter.done(status);
}

}  // namespace coracle::store
