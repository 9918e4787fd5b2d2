#include "client/embedded_store.hpp"

#include "client_embedded/host.hpp"
#include "member/errors.hpp"

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

Task<Result<RangeResult>> do_range(HostPtr host, RangeRequest request) {
  co_return co_await on_member<RangeResult>(host, [host, request](Answer<RangeResult> answer) {
    host->desk().range(request, std::move(answer));
  });
}

Task<Result<GuardedResult>> do_write(HostPtr host, GuardedWrite request) {
  co_return co_await on_member<GuardedResult>(host, [host, request](Answer<GuardedResult> answer) {
    host->desk().write(request, std::move(answer));
  });
}

Task<Result<std::int64_t>> do_grant(HostPtr host, std::int64_t ttl_seconds) {
  co_return co_await on_member<std::int64_t>(
      host, [=](Answer<std::int64_t> answer) { host->desk().grant(ttl_seconds, answer); });
}

Task<Result<bool>> do_compact(HostPtr host, std::int64_t revision) {
  co_return co_await on_member<bool>(
      host, [=](Answer<bool> answer) { host->desk().compact(revision, answer); });
}

Task<Result<StoreStatus>> do_status(HostPtr host) {
  co_return co_await on_member<StoreStatus>(
      host, [=](Answer<StoreStatus> answer) { answer(host->desk().status()); });
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
    host_->post([h = host_.get(), id = id_] { h->desk().remove_watch(id); });
  }
  void request_progress() override {
    host_->post([h = host_.get(), id = id_] { h->desk().want_progress(id); });
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
