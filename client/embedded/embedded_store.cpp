#include "client/embedded_store.hpp"

#include "client_embedded/host.hpp"
#include "client_requests/guarded_txn.hpp"
#include "lease/lessor.hpp"
#include "member/errors.hpp"
#include "member/version.hpp"
#include "mvcc/check.hpp"

namespace coracle::client {
namespace {

using HostPtr = std::shared_ptr<Host>;
template <class T>
using Answer = std::function<void(Result<T>)>;

// `work(answer)` on the member's strand, once; what it answers comes back to the Executor's.
template <class T>
Task<Result<T>> on_member(HostPtr host, std::function<void(Answer<T>)> work) {
  co_return co_await Callback<Result<T>>([=](std::function<void(Result<T>)> done) {
    const Answer<T> answer = [executor = &host->executor(), done](Result<T> result) {
      executor->post([done, result = std::move(result)]() mutable { done(std::move(result)); });
    };
    if (!host->try_post([work, answer] { work(answer); })) answer(store::err_too_many_requests());
  });
}

KeyValue from_store(mvcc::KeyValue&& kv) {
  return {std::move(kv.key), std::move(kv.value), kv.create.value,
          kv.mod.value,      kv.version,          kv.lease.value};
}

Task<Result<RangeResult>> do_range(HostPtr host, RangeRequest wanted) {
  mvcc::RangeRequest request;
  request.key = std::move(wanted.key);
  request.range_end = std::move(wanted.range_end);
  request.limit = wanted.limit;
  request.revision = Revision(wanted.revision);
  request.count_only = wanted.count_only;
  request.keys_only = wanted.keys_only;
  if (const Status status = mvcc::check_range(request); !status.ok()) co_return status;
  co_return co_await on_member<RangeResult>(host, [host, request](Answer<RangeResult> answer) {
    store::Member& member = host->member();
    member.read([&member, request, answer](const Status& fresh) {
      if (!fresh.ok()) return answer(fresh);
      auto found = member.machine().store().range(request);
      if (!found.ok()) return answer(found.status());
      RangeResult result;
      result.kvs.reserve(found->kvs.size());
      for (mvcc::KeyValue& kv : found->kvs) result.kvs.push_back(from_store(std::move(kv)));
      result.more = found->more;
      result.count = found->count;
      result.revision = found->revision.value;
      answer(std::move(result));
    });
  });
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

Task<Result<GuardedResult>> do_write(HostPtr host, GuardedWrite wanted) {
  store::Proposal proposal;
  *proposal.mutable_txn() = to_txn(wanted);
  const bool grows = wanted.op == GuardedWrite::Op::kPut;
  if (wanted.key.empty()) {
    co_return invalid_argument("etcdserver: key is not provided");
  }
  const std::size_t bytes = proposal.ByteSizeLong();
  if (bytes > store::kRequestBytesMax) co_return store::err_request_too_large();
  co_return co_await on_member<GuardedResult>(host, [=](Answer<GuardedResult> answer) {
    store::Member& member = host->member();
    if (grows && member.over_quota(bytes)) return member.refuse_growth(answer);
    member.propose(proposal, [answer](store::Outcome outcome) {
      if (!outcome.status.ok()) return answer(outcome.status);
      answer(from_outcome(std::move(outcome)));
    });
  });
}

Task<Result<std::int64_t>> do_grant(HostPtr host, std::int64_t ttl_seconds) {
  if (const Status status = lease::check_grant(ttl_seconds); !status.ok()) co_return status;
  co_return co_await on_member<std::int64_t>(host, [=](Answer<std::int64_t> answer) {
    store::Member& member = host->member();
    store::Proposal proposal;
    proposal.mutable_lease_grant()->set_id(member.machine().lessor().pick_id(host->rng()).value);
    proposal.mutable_lease_grant()->set_ttl(ttl_seconds);
    if (member.over_quota(proposal.ByteSizeLong())) return member.refuse_growth(answer);
    member.propose(std::move(proposal), [answer](const store::Outcome& outcome) {
      if (!outcome.status.ok()) return answer(outcome.status);
      answer(std::get<lease::Granted>(outcome.value).id.value);
    });
  });
}

Task<Result<bool>> do_compact(HostPtr host, std::int64_t revision) {
  co_return co_await on_member<bool>(host, [=](Answer<bool> answer) {
    store::Proposal proposal;
    proposal.mutable_compaction()->set_revision(revision);
    host->member().propose(std::move(proposal), [answer](const store::Outcome& outcome) {
      outcome.status.ok() ? answer(true) : answer(outcome.status);
    });
  });
}

Task<Result<StoreStatus>> do_status(HostPtr host) {
  co_return co_await on_member<StoreStatus>(host, [=](Answer<StoreStatus> answer) {
    answer(StoreStatus{store::kServerVersion, std::int64_t(host->member().db_bytes())});
  });
}

class OpenWatch final : public Watch {
 public:
  OpenWatch(HostPtr host, mvcc::StreamId id, WatchRequest request, WatchSink sink)
      : host_(std::move(host)), id_(id), watch_(std::make_shared<EmbeddedWatch>()) {
    watch_->sink = std::move(sink);
    host_->post([h = host_.get(), id, request = std::move(request), watch = watch_] {
      h->add_watch(id, request, watch);
    });
  }
  ~OpenWatch() override {
    watch_->open = false;
    watch_->sink = {};
    host_->post([h = host_.get(), id = id_] { h->remove_watch(id); });
  }
  void request_progress() override {
    host_->post([h = host_.get(), id = id_] { h->want_progress(id); });
  }

 private:
  const HostPtr host_;
  const mvcc::StreamId id_;
  const std::shared_ptr<EmbeddedWatch> watch_;
};

class EmbeddedStore final : public Store {
 public:
  explicit EmbeddedStore(HostPtr host) : host_(std::move(host)) { host_->start(); }
  ~EmbeddedStore() override { host_->stop(); }

  Task<Result<RangeResult>> range(RangeRequest request) override {
    return do_range(host_, std::move(request));
  }
  Task<Result<GuardedResult>> write(GuardedWrite request) override {
    return do_write(host_, std::move(request));
  }
  std::unique_ptr<Watch> watch(WatchRequest request, WatchSink sink) override {
    return std::make_unique<OpenWatch>(host_, mvcc::StreamId(++last_watch_), std::move(request),
                                       std::move(sink));
  }
  Task<Result<std::int64_t>> grant_lease(std::int64_t ttl_seconds) override {
    return do_grant(host_, ttl_seconds);
  }
  Task<Result<bool>> compact(std::int64_t revision) override { return do_compact(host_, revision); }
  Task<Result<StoreStatus>> status() override { return do_status(host_); }

 private:
  const HostPtr host_;
  std::uint64_t last_watch_ = 0;
};

}  // namespace

Result<std::unique_ptr<Store>> make_embedded_store(Executor& executor,
                                                   EmbeddedStoreOptions options) {
  ASSIGN_OR_RETURN(HostPtr host, Host::open(executor, options));
  return std::unique_ptr<Store>(std::make_unique<EmbeddedStore>(std::move(host)));
}

}  // namespace coracle::client
