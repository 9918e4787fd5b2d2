#include "client_embedded/member_desk.hpp"

#include <algorithm>

#include "client_requests/guarded_txn.hpp"
#include "lease/lessor.hpp"
#include "member/errors.hpp"
#include "member/version.hpp"
#include "mvcc/check.hpp"

namespace coracle::client {
namespace {

KeyValue from_store(const mvcc::KeyValue& kv) {
  return {kv.key, kv.value, kv.create.value, kv.mod.value, kv.version, kv.lease.value};
}
KeyValue from_store(mvcc::KeyValue&& kv) {
  return {std::move(kv.key), std::move(kv.value), kv.create.value,
          kv.mod.value,      kv.version,          kv.lease.value};
}

mvcc::RangeRequest to_store(RangeRequest wanted) {
  mvcc::RangeRequest request;
  request.key = std::move(wanted.key);
  request.range_end = std::move(wanted.range_end);
  request.limit = wanted.limit;
  request.revision = Revision(wanted.revision);
  request.count_only = wanted.count_only;
  request.keys_only = wanted.keys_only;
  return request;
}

GuardedResult from_outcome(store::Outcome&& outcome) {
  mvcc::TxnResult& txn = std::get<mvcc::TxnResult>(outcome.value);
  GuardedResult result;
  result.succeeded = txn.succeeded;
  result.revision = outcome.revision.value;
  if (txn.succeeded || txn.responses.empty()) return result;
  for (mvcc::KeyValue& kv : std::get<mvcc::RangeResult>(txn.responses[0].response).kvs) {
    result.current.push_back(from_store(std::move(kv)));
  }
  return result;
}

Status why_canceled(const mvcc::WatchResponse& response) {
  if (response.compact_revision != Revision(0)) {
    return out_of_range("etcdserver: mvcc: required revision has been compacted");
  }
  return unavailable(response.cancel_reason.empty() ? "etcdserver: watch canceled"
                                                    : response.cancel_reason);
}

}  // namespace

std::vector<WatchEvent> from_store(const std::vector<mvcc::WatchEvent>& events) {
  std::vector<WatchEvent> out;
  out.reserve(events.size());
  for (const mvcc::WatchEvent& event : events) {
    WatchEvent& to = out.emplace_back();
    to.is_delete = event.event->type == mvcc::Event::Type::kDelete;
    to.kv = from_store(event.event->kv);
    to.has_previous = event.prev_kv != nullptr;
    if (to.has_previous) to.previous = from_store(*event.prev_kv);
  }
  return out;
}

MemberDesk::MemberDesk(store::Member& member, Rng rng, bool leader_needed)
    : member_(member), rng_(rng), leader_needed_(leader_needed) {
  store::MemberHooks& hooks = member.hooks;
  hooks.deliver = [this](mvcc::Deliveries all) { deliver(std::move(all)); };
  hooks.on_tick = [this] { tick(); };
  hooks.on_stop = [this] { end_watches(store::err_stopped()); };
}

void MemberDesk::range(RangeRequest wanted, Answer<RangeResult> answer) {
  const mvcc::RangeRequest request = to_store(std::move(wanted));
  if (const Status status = mvcc::check_range(request); !status.ok()) return answer(status);
  member_.read([this, request, answer = std::move(answer)](const Status& fresh) {
    if (!fresh.ok()) return answer(fresh);
    auto found = member_.machine().store().range(request);
    if (!found.ok()) return answer(found.status());
    RangeResult result;
    result.kvs.reserve(found->kvs.size());
    for (mvcc::KeyValue& kv : found->kvs) result.kvs.push_back(from_store(std::move(kv)));
    result.more = found->more;
    result.count = found->count;
    result.revision = found->revision.value;
    answer(std::move(result));
  });
}

void MemberDesk::write(const GuardedWrite& wanted, Answer<GuardedResult> answer) {
  if (wanted.key.empty()) return answer(invalid_argument("etcdserver: key is not provided"));
  store::Proposal proposal;
  *proposal.mutable_txn() = to_txn(wanted);
  const std::size_t bytes = proposal.ByteSizeLong();
  if (bytes > store::kRequestBytesMax) return answer(store::err_request_too_large());
  if (wanted.op == GuardedWrite::Op::kPut && member_.over_quota(bytes)) {
    return member_.refuse_growth(std::move(answer));
  }
  member_.propose(std::move(proposal), [answer = std::move(answer)](store::Outcome outcome) {
    if (!outcome.status.ok()) return answer(outcome.status);
    answer(from_outcome(std::move(outcome)));
  });
}

void MemberDesk::grant(std::int64_t ttl_seconds, Answer<std::int64_t> answer) {
  if (const Status status = lease::check_grant(ttl_seconds); !status.ok()) return answer(status);
  store::Proposal proposal;
  proposal.mutable_lease_grant()->set_id(member_.machine().lessor().pick_id(rng_).value);
  proposal.mutable_lease_grant()->set_ttl(ttl_seconds);
  if (member_.over_quota(proposal.ByteSizeLong())) return member_.refuse_growth(std::move(answer));
  member_.propose(std::move(proposal), [answer = std::move(answer)](const store::Outcome& outcome) {
    if (!outcome.status.ok()) return answer(outcome.status);
    answer(std::get<lease::Granted>(outcome.value).id.value);
  });
}

void MemberDesk::compact(std::int64_t revision, Answer<bool> answer) {
  store::Proposal proposal;
  proposal.mutable_compaction()->set_revision(revision);
  member_.propose(std::move(proposal), [answer = std::move(answer)](const store::Outcome& outcome) {
    outcome.status.ok() ? answer(true) : answer(outcome.status);
  });
}

StoreStatus MemberDesk::status() const {
  return {store::kServerVersion, static_cast<std::int64_t>(member_.db_bytes())};
}

void MemberDesk::add_watch(mvcc::StreamId id, const WatchRequest& request, WatchTold told) {
  if (leader_needed_ && member_.core().leader() == NodeId(0)) {
    return told.on_end(store::err_no_leader());
  }
  watches_[id].told = std::move(told);
  mvcc::WatchCreate create;
  create.key = request.key;
  create.range_end = request.range_end;
  create.start = Revision(request.start_revision);
  create.prev_kv = true;
  member_.hub().open_stream(id);
  deliver(member_.hub().create(id, create));
}

void MemberDesk::remove_watch(mvcc::StreamId id) {
  if (watches_.erase(id) > 0) member_.hub().close_stream(id);
}

void MemberDesk::want_progress(mvcc::StreamId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  found->second.progress_wanted = true;  // a watch that is behind is asked again at each tick
  deliver(member_.hub().request_progress(id));
}

void MemberDesk::consumed(mvcc::StreamId id, const mvcc::WatchResponse& response) {
  if (watches_.contains(id)) member_.hub().consumed(id, response);
}

void MemberDesk::tick() {
  if (leader_needed_ && member_.long_without_leader()) end_watches(store::err_no_leader());
  for (const auto& [id, open] : watches_) {
    if (open.progress_wanted) deliver(member_.hub().request_progress(id));
  }
}

void MemberDesk::deliver(mvcc::Deliveries deliveries) {
  for (mvcc::Delivery& delivery : deliveries) {
    const auto found = watches_.find(delivery.stream);
    if (found == watches_.end()) continue;
    mvcc::WatchResponse& response = delivery.response;
    if (response.canceled) {
      end(delivery.stream, why_canceled(response));
      continue;
    }
    if (response.created) continue;
    OpenWatch& open = found->second;
    if (response.events.empty()) {
      open.progress_wanted = false;
      open.upto = std::max(open.upto, response.revision.value);
    } else {
      open.upto = std::max(open.upto, response.events.back().event->kv.mod.value);
    }
    open.told.on_events(std::move(response), open.upto);
  }
}

void MemberDesk::end(mvcc::StreamId id, const Status& why) {
  const auto node = watches_.extract(id);
  if (node.empty()) return;
  member_.hub().close_stream(id);
  node.mapped().told.on_end(why);
}

void MemberDesk::end_watches(const Status& why) {
  while (!watches_.empty()) end(watches_.begin()->first, why);
}

}  // namespace coracle::client
