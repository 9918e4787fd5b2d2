#include "storectl/running.hpp"

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "etcd/rpc.grpc.pb.h"

namespace coracle::store {
namespace {

namespace pb = etcdserverpb;

constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kAskEvery = std::chrono::milliseconds(100);
constexpr std::int64_t kPageKeys = 1000;

void set_deadline(grpc::ClientContext* context) {
  // gRPC counts deadlines on the system's clock.
  context->set_deadline(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
      real_clock().wall_now() + kPatience));
}

Status from(const grpc::Status& status) {
  if (status.ok()) return {};
  return {Code(status.error_code()), status.error_message()};
}

VersionRow row_of(const mvccpb::KeyValue& kv, bool deleted) {
  VersionRow row;
  row.revision = kv.mod_revision();
  row.deleted = deleted;
  row.kv.key = kv.key();
  row.kv.value = kv.value();
  row.kv.create = Revision(kv.create_revision());
  row.kv.mod = Revision(kv.mod_revision());
  row.kv.version = kv.version();
  row.kv.lease = LeaseId(kv.lease());
  return row;
}

std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  ++prefix.back();
  return prefix;
}

Result<pb::RangeResponse> range(pb::KV::Stub& stub, const pb::RangeRequest& request) {
  grpc::ClientContext context;
  set_deadline(&context);
  pb::RangeResponse response;
  RETURN_IF_ERROR(from(stub.Range(&context, request, &response)));
  return response;
}

// A watch on one key from `start` until everything up to `until` has come. A progress request is
// answered only when the watch has caught up, so it is repeated.
class HistoryWatch {
 public:
  explicit HistoryWatch(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(pb::Watch::NewStub(channel)) {}

  // The revision below which history is gone; 0 when all of it came.
  Result<std::int64_t> run(const std::string& key, std::int64_t start, std::int64_t until,
                           const VisitVersion& visit) {
    grpc::ClientContext context;
    set_deadline(&context);
    const auto stream = stub_->Watch(&context);
    pb::WatchRequest request;
    request.mutable_create_request()->set_key(key);
    request.mutable_create_request()->set_start_revision(start);
    stream->Write(request);
    std::thread asker([&] { ask(stream.get()); });
    std::int64_t compacted = 0;
    bool over = false;
    pb::WatchResponse response;
    while (!over && stream->Read(&response)) {
      for (const auto& event : response.events()) {
        if (event.kv().mod_revision() <= until) {
          visit(row_of(event.kv(), event.type() == mvccpb::Event::DELETE));
        }
      }
      compacted = response.compact_revision();
      over = response.canceled() ||
             (response.watch_id() == -1 && response.header().revision() >= until);
    }
    stop();
    asker.join();
    context.TryCancel();
    const grpc::Status ended = stream->Finish();
    if (!over) return from(ended);
    return compacted;
  }

 private:
  template <class Stream>
  void ask(Stream* stream) {
    pb::WatchRequest request;
    request.mutable_progress_request();
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (!stream->Write(request)) return;
      wake_.wait_for(lock, kAskEvery, [this] { return stopped_; });
    }
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
  }

  const std::unique_ptr<pb::Watch::Stub> stub_;
  std::mutex mutex_;  // guards stopped_
  std::condition_variable wake_;
  bool stopped_ = false;
};

}  // namespace

Status ask_keys(const std::shared_ptr<grpc::Channel>& channel, const std::string& prefix,
                const VisitVersion& visit) {
  const auto stub = pb::KV::NewStub(channel);
  pb::RangeRequest request;
  request.set_key(prefix.empty() ? std::string(1, '\0') : prefix);
  request.set_range_end(prefix_end(prefix));
  request.set_limit(kPageKeys);
  for (;;) {
    ASSIGN_OR_RETURN(const pb::RangeResponse page, range(*stub, request));
    for (const auto& kv : page.kvs()) visit(row_of(kv, false));
    if (!page.more() || page.kvs().empty()) return {};
    request.set_revision(page.header().revision());  // all pages are of one moment
    if (request.revision() == 0) return internal_error("the member tells no revision");
    request.set_key(page.kvs().rbegin()->key() + '\0');
  }
}

Status ask_history(const std::shared_ptr<grpc::Channel>& channel, const std::string& key,
                   const VisitVersion& visit) {
  const auto stub = pb::KV::NewStub(channel);
  pb::RangeRequest request;
  request.set_key(key);
  ASSIGN_OR_RETURN(const pb::RangeResponse now, range(*stub, request));
  const std::int64_t until = now.header().revision();
  ASSIGN_OR_RETURN(const std::int64_t compacted, HistoryWatch(channel).run(key, 1, until, visit));
  if (compacted == 0) return {};
  // What was alive at the compaction is kept, however old it is.
  request.set_revision(compacted);
  ASSIGN_OR_RETURN(const pb::RangeResponse kept, range(*stub, request));
  for (const auto& kv : kept.kvs()) visit(row_of(kv, false));
  if (compacted >= until) return {};
  ASSIGN_OR_RETURN(const std::int64_t again,
                   HistoryWatch(channel).run(key, compacted + 1, until, visit));
  if (again == 0) return {};
  return unavailable("the history is being compacted; ask again");
}

}  // namespace coracle::store
