#include "differential/store_client.hpp"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "etcd/rpc.grpc.pb.h"

namespace coracle::differential {
namespace {

constexpr Duration kPatience = std::chrono::seconds(15);

gpr_timespec in(Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(duration.count(), GPR_TIMESPAN));
}

Answer answer_of(const grpc::Status& status) {
  return {static_cast<int>(status.error_code()), status.error_message(), nullptr};
}

class Session final : public WatchSession {
 public:
  explicit Session(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(pb::Watch::NewStub(channel)), stream_(stub_->Watch(&context_)) {
    reader_ = std::thread([this] { read(); });
  }
  ~Session() override {
    context_.TryCancel();
    reader_.join();
  }

  void send(const pb::WatchRequest& request) override { stream_->Write(request); }

  bool wait(const std::function<bool(const Responses&)>& enough) override {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kPatience, [&] { return ended_ || enough(responses_); });
    return enough(responses_);
  }
  Responses take() override {
    std::lock_guard lock(mutex_);
    return std::exchange(responses_, {});
  }
  std::optional<Answer> ended() const override {
    std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  void read() {
    pb::WatchResponse response;
    while (stream_->Read(&response)) {
      std::lock_guard lock(mutex_);
      responses_.push_back(std::move(response));
      arrived_.notify_all();
    }
    const grpc::Status status = stream_->Finish();
    std::lock_guard lock(mutex_);
    ended_ = answer_of(status);
    arrived_.notify_all();
  }

  grpc::ClientContext context_;
  std::unique_ptr<pb::Watch::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::WatchRequest, pb::WatchResponse>> stream_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  Responses responses_;
  std::optional<Answer> ended_;
  std::thread reader_;
};

class Client final : public StoreClient {
 public:
  explicit Client(std::shared_ptr<grpc::Channel> channel)
      : channel_(std::move(channel)),
        kv_(pb::KV::NewStub(channel_)),
        lease_(pb::Lease::NewStub(channel_)),
        maintenance_(pb::Maintenance::NewStub(channel_)),
        cluster_(pb::Cluster::NewStub(channel_)),
        auth_(pb::Auth::NewStub(channel_)) {}

  bool wait_until_ready(Duration timeout) override {
    const TimePoint deadline = real_clock().now() + timeout;
    while (real_clock().now() < deadline) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      context.set_deadline(in(deadline - real_clock().now()));
      pb::RangeRequest request;
      request.set_key("health");
      pb::RangeResponse response;
      if (kv_->Range(&context, request, &response).ok()) return true;
    }
    return false;
  }

  Answer call(const Operation& operation) override {
    return std::visit([this](const auto& request) { return run(request); }, operation);
  }

  std::unique_ptr<WatchSession> watch() override { return std::make_unique<Session>(channel_); }

 private:
  template <class Response, class Stub, class Request>
  Answer unary(Stub& stub,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(in(kPatience));
    auto response = std::make_shared<Response>();
    Answer answer = answer_of((stub.*method)(&context, request, response.get()));
    if (answer.code == 0) answer.message = response;
    return answer;
  }

  Answer run(const pb::RangeRequest& r) { return unary(*kv_, &pb::KV::Stub::Range, r); }
  Answer run(const pb::PutRequest& r) { return unary(*kv_, &pb::KV::Stub::Put, r); }
  Answer run(const pb::DeleteRangeRequest& r) { return unary(*kv_, &pb::KV::Stub::DeleteRange, r); }
  Answer run(const pb::TxnRequest& r) { return unary(*kv_, &pb::KV::Stub::Txn, r); }
  Answer run(const pb::CompactionRequest& r) { return unary(*kv_, &pb::KV::Stub::Compact, r); }
  Answer run(const pb::LeaseGrantRequest& r) {
    return unary(*lease_, &pb::Lease::Stub::LeaseGrant, r);
  }
  Answer run(const pb::LeaseRevokeRequest& r) {
    return unary(*lease_, &pb::Lease::Stub::LeaseRevoke, r);
  }
  Answer run(const pb::LeaseTimeToLiveRequest& r) {
    return unary(*lease_, &pb::Lease::Stub::LeaseTimeToLive, r);
  }
  Answer run(const pb::LeaseLeasesRequest& r) {
    return unary(*lease_, &pb::Lease::Stub::LeaseLeases, r);
  }
  Answer run(const pb::HashKVRequest& r) {
    return unary(*maintenance_, &pb::Maintenance::Stub::HashKV, r);
  }
  Answer run(const pb::StatusRequest& r) {
    return unary(*maintenance_, &pb::Maintenance::Stub::Status, r);
  }
  Answer run(const pb::AlarmRequest& r) {
    return unary(*maintenance_, &pb::Maintenance::Stub::Alarm, r);
  }
  Answer run(const pb::MemberListRequest& r) {
    return unary(*cluster_, &pb::Cluster::Stub::MemberList, r);
  }
  Answer run(const pb::AuthenticateRequest& r) {
    return unary(*auth_, &pb::Auth::Stub::Authenticate, r);
  }
  Answer run(const pb::AuthEnableRequest& r) {
    return unary(*auth_, &pb::Auth::Stub::AuthEnable, r);
  }
  Answer run(const pb::AuthDisableRequest& r) {
    return unary(*auth_, &pb::Auth::Stub::AuthDisable, r);
  }
  Answer run(const pb::AuthUserListRequest& r) {
    return unary(*auth_, &pb::Auth::Stub::UserList, r);
  }
  Answer run(const pb::AuthRoleListRequest& r) {
    return unary(*auth_, &pb::Auth::Stub::RoleList, r);
  }
  Answer run(const pb::AuthUserGetRequest& r) { return unary(*auth_, &pb::Auth::Stub::UserGet, r); }

  Answer run(const KeepAlive& operation) {
    grpc::ClientContext context;
    context.set_deadline(in(kPatience));
    pb::LeaseKeepAliveRequest request;
    request.set_id(operation.lease);
    auto response = std::make_shared<pb::LeaseKeepAliveResponse>();
    const auto stream = lease_->LeaseKeepAlive(&context);
    const bool answered = stream->Write(request) && stream->Read(response.get());
    stream->WritesDone();
    Answer answer = answer_of(stream->Finish());
    if (answered) answer.message = response;
    return answer;
  }

  // The id is the server's; everything else must agree.
  Answer run(const PickedLease& operation) {
    pb::LeaseGrantRequest grant;
    grant.set_ttl(operation.ttl);
    Answer granted = run(grant);
    if (granted.code != 0) return granted;
    auto& response = static_cast<pb::LeaseGrantResponse&>(*granted.message);
    if (response.id() <= 0) return {-1, "the picked id is not positive", nullptr};
    pb::LeaseRevokeRequest revoke;
    revoke.set_id(response.id());
    if (Answer revoked = run(revoke); revoked.code != 0) return revoked;
    response.clear_id();
    return granted;
  }

  Answer not_a_call() { return {-1, "not a call", nullptr}; }
  Answer run(const ShortLease&) { return not_a_call(); }
  Answer run(const WatchOpen&) { return not_a_call(); }
  Answer run(const WatchSend&) { return not_a_call(); }
  Answer run(const WatchClose&) { return not_a_call(); }
  Answer run(const Settle&) { return not_a_call(); }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<pb::KV::Stub> kv_;
  std::unique_ptr<pb::Lease::Stub> lease_;
  std::unique_ptr<pb::Maintenance::Stub> maintenance_;
  std::unique_ptr<pb::Cluster::Stub> cluster_;
  std::unique_ptr<pb::Auth::Stub> auth_;
};

}  // namespace

std::unique_ptr<StoreClient> StoreClient::connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // A channel of its own, not one shared with another client of the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  return std::make_unique<Client>(
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments));
}

}  // namespace coracle::differential
