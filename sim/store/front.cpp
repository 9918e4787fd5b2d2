#include "store_sim/front.hpp"

#include "member/errors.hpp"
#include "mvcc/check.hpp"
#include "mvcc/errors.hpp"

namespace coracle::store_sim {
namespace {

using linearize::Answer;

std::vector<linearize::SeenKv> seen(const std::vector<mvcc::KeyValue>& kvs) {
  std::vector<linearize::SeenKv> out;
  for (const mvcc::KeyValue& kv : kvs) out.push_back(linearize::seen(kv));
  return out;
}

Answer answer_of(const mvcc::RangeResult& r) {
  Answer a;
  a.revision = r.revision.value;
  a.kvs = seen(r.kvs);
  a.count = r.count;
  a.more = r.more;
  return a;
}

Answer answer_of(const mvcc::PutResult& r) {
  Answer a;
  a.revision = r.revision.value;
  a.prev_kvs.emplace();
  if (r.prev_kv) a.prev_kvs->push_back(linearize::seen(*r.prev_kv));
  return a;
}

Answer answer_of(const mvcc::DeleteResult& r) {
  Answer a;
  a.revision = r.revision.value;
  a.deleted = r.deleted;
  a.prev_kvs = seen(r.prev_kvs);
  return a;
}

Answer answer_of(const mvcc::TxnResult& r) {
  Answer a;
  if (r.revision.value != 0) a.revision = r.revision.value;
  a.succeeded = r.succeeded;
  a.responses.emplace();
  for (const mvcc::ResponseOp& op : r.responses) {
    a.responses->push_back(std::visit([](const auto& x) { return answer_of(x); }, op.response));
  }
  return a;
}

// A refusal that follows from the state, or nothing.
std::optional<Answer> refusal(const Status& status) {
  const std::pair<Status, const char*> known[] = {
      {mvcc::err_compacted(), linearize::kCompacted},
      {mvcc::err_future_revision(), linearize::kFuture},
      {mvcc::err_lease_not_found(), linearize::kLeaseNotFound},
      {mvcc::err_lease_exists(), linearize::kLeaseExists},
      {mvcc::err_key_not_found(), linearize::kKeyNotFound}};
  for (const auto& [error, name] : known) {
    if (status != error) continue;
    Answer a;
    a.error = name;
    return a;
  }
  return std::nullopt;
}

Reply reply_of(const store::Outcome& outcome) {
  if (!outcome.status.ok()) {
    return {refusal(outcome.status), outcome.status == store::err_no_space()};
  }
  Answer a;
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (!std::is_same_v<T, std::monostate> && !std::is_same_v<T, lease::Granted>) {
          a = answer_of(value);
        }
      },
      outcome.value);
  if (!a.revision) a.revision = outcome.revision.value;
  return {a};
}

}  // namespace

void propose(store::Member& member, const store::Proposal& proposal, bool is_revoke, Replied done) {
  if (store::grows(proposal) && member.over_quota(proposal.ByteSizeLong())) {
    return member.refuse_growth([done = std::move(done)](const Status& status) {
      done({std::nullopt, status == store::err_no_space()});
    });
  }
  member.propose(proposal.request(), proposal.SerializeAsString(),
                 [done = std::move(done), is_revoke](store::Outcome outcome) {
                   Reply reply = reply_of(outcome);
                   // A revocation's answer carries no more than the header.
                   if (is_revoke && reply.answer && reply.answer->error.empty()) {
                     Answer bare;
                     bare.revision = outcome.revision.value;
                     reply.answer = bare;
                   }
                   done(std::move(reply));
                 });
}

void range(store::Member& member, const mvcc::RangeRequest& request, Replied done) {
  auto serve = [&member, request, done = std::move(done)](const Status& fresh) {
    if (!fresh.ok()) return done({});
    const auto result = member.machine().store().range(request);
    done(result.ok() ? Reply{answer_of(*result)} : Reply{refusal(result.status())});
  };
  request.serializable ? serve({}) : member.read(std::move(serve));
}

void read_txn(store::Member& member, const mvcc::TxnRequest& request, Replied done) {
  member.read([&member, request, done = std::move(done)](const Status& fresh) {
    if (!fresh.ok()) return done({});
    const auto result = member.machine().store().read_txn(request);
    done(result.ok() ? Reply{answer_of(*result)} : Reply{refusal(result.status())});
  });
}

void keep_alive(store::Member& member, LeaseId lease,
                std::function<void(std::optional<std::int64_t>)> done) {
  if (member.core().role() != raft::Role::kLeader) return done(std::nullopt);
  member.read([&member, lease, done = std::move(done)](const Status& proven) {
    if (!proven.ok()) return done(std::nullopt);
    const lease::Renewed renewed = member.machine().lessor().renew(lease, member.loop().now());
    if (renewed.outcome == lease::Renewed::Outcome::kRenewed) return done(renewed.ttl_seconds);
    if (renewed.outcome == lease::Renewed::Outcome::kUnknown) return done(0);
    done(std::nullopt);
  });
}

linearize::Request request_of(const store::Proposal& proposal) {
  if (proposal.has_put()) return store::from_wire(proposal.put());
  if (proposal.has_delete_range()) return store::from_wire(proposal.delete_range());
  if (proposal.has_txn()) return store::from_wire(proposal.txn());
  if (proposal.has_compaction()) return linearize::CompactRequest{proposal.compaction().revision()};
  if (proposal.has_lease_grant()) {
    return linearize::GrantRequest{LeaseId(proposal.lease_grant().id()),
                                   proposal.lease_grant().ttl()};
  }
  return linearize::RevokeRequest{LeaseId(proposal.lease_revoke().id())};
}

}  // namespace coracle::store_sim
