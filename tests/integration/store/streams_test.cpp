// What clients see on streams and without a leader, on a real member: half-closed streams, slow and
// flooding clients, `hasleader`.
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <catch2/catch.hpp>

#include "differential/server_process.hpp"
#include "differential/store_client.hpp"
#include "etcd/rpc.grpc.pb.h"

using namespace coracle;
using namespace coracle::differential;

namespace {

constexpr int kUnavailable = 14;
constexpr const char* kNoLeader = "etcdserver: no leader";

struct World {
  // With `others`, members that never come, so that there is no leader.
  explicit World(std::string others = {}) {
    auto started = ServerProcess::start(CORACLE_KVSTORE, "streams", std::move(others));
    REQUIRE(started.ok());
    process = std::move(started).value();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    channel =
        grpc::CreateCustomChannel(process->target(), grpc::InsecureChannelCredentials(), arguments);
    REQUIRE(channel->WaitForConnected(in(20)));
    kv = pb::KV::NewStub(channel);
    watch = pb::Watch::NewStub(channel);
    lease = pb::Lease::NewStub(channel);
    maintenance = pb::Maintenance::NewStub(channel);
  }

  static gpr_timespec in(int seconds) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(seconds, GPR_TIMESPAN));
  }
  struct Call {
    explicit Call(bool has_leader = false) {
      context.set_deadline(in(30));
      if (has_leader) context.AddMetadata("hasleader", "true");
    }
    grpc::ClientContext context;
  };
  std::int64_t put(const std::string& key, const std::string& value) {
    Call call;
    pb::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    pb::PutResponse response;
    REQUIRE(kv->Put(&call.context, request, &response).ok());
    return response.header().revision();
  }
  grpc::Status range(bool serializable, bool has_leader) {
    Call call(has_leader);
    pb::RangeRequest request;
    request.set_key("k");
    request.set_serializable(serializable);
    pb::RangeResponse response;
    return kv->Range(&call.context, request, &response);
  }

  std::unique_ptr<ServerProcess> process;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::KV::Stub> kv;
  std::unique_ptr<pb::Watch::Stub> watch;
  std::unique_ptr<pb::Lease::Stub> lease;
  std::unique_ptr<pb::Maintenance::Stub> maintenance;
};

pb::WatchRequest watch_all() {
  pb::WatchRequest request;
  request.mutable_create_request()->set_key(std::string(1, '\0'));
  request.mutable_create_request()->set_range_end(std::string(1, '\0'));
  return request;
}

}  // namespace

TEST_CASE("a client that has closed its side of a watch stream still gets events") {
  World w;
  World::Call call;
  const auto stream = w.watch->Watch(&call.context);
  pb::WatchResponse response;
  REQUIRE(stream->Write(watch_all()));
  REQUIRE(stream->Read(&response));
  REQUIRE(response.created());
  REQUIRE(stream->WritesDone());
  const std::int64_t revision = w.put("k", "v");
  REQUIRE(stream->Read(&response));
  REQUIRE(response.events_size() == 1);
  REQUIRE(response.events(0).kv().mod_revision() == revision);
  call.context.TryCancel();
  REQUIRE(stream->Finish().error_code() == grpc::StatusCode::CANCELLED);
}

TEST_CASE("a client that does not read loses nothing and holds up nobody") {
  constexpr int kPuts = 60;
  World w;
  World::Call slow_call, quick_call;
  const auto slow = w.watch->Watch(&slow_call.context);
  const auto quick = w.watch->Watch(&quick_call.context);
  pb::WatchResponse response;
  for (const auto* stream : {&slow, &quick}) {
    REQUIRE((*stream)->Write(watch_all()));
    REQUIRE((*stream)->Read(&response));
    REQUIRE(response.created());
  }
  // Far more than the connection and the member hold for one that does not read.
  const std::string value(512 << 10, 'v');
  std::vector<std::int64_t> written, seen_quick, seen_slow;
  for (int i = 0; i < kPuts; ++i) {
    written.push_back(w.put("k" + std::to_string(i), value));
    REQUIRE(quick->Read(&response));
    for (const auto& event : response.events()) seen_quick.push_back(event.kv().mod_revision());
  }
  REQUIRE(seen_quick == written);
  while (seen_slow.size() < written.size()) {
    REQUIRE(slow->Read(&response));
    for (const auto& event : response.events()) seen_slow.push_back(event.kv().mod_revision());
  }
  REQUIRE(seen_slow == written);
}

TEST_CASE("a client that asks without end and does not read is answered all the same, in order") {
  constexpr int kQuestions = 5000;
  World w;
  World::Call call;
  const auto stream = w.watch->Watch(&call.context);
  pb::WatchResponse response;
  REQUIRE(stream->Write(watch_all()));
  REQUIRE(stream->Read(&response));
  pb::WatchRequest progress;
  progress.mutable_progress_request();
  for (int i = 0; i < kQuestions; ++i) REQUIRE(stream->Write(progress));
  REQUIRE(w.range(false, false).ok());
  for (int i = 0; i < kQuestions; ++i) {
    REQUIRE(stream->Read(&response));
    REQUIRE(response.watch_id() == -1);
  }
}

TEST_CASE("progress is not told to a stream without watchers, or before a future start") {
  World w;
  World::Call call;
  const auto stream = w.watch->Watch(&call.context);
  pb::WatchRequest progress;
  progress.mutable_progress_request();
  REQUIRE(stream->Write(progress));  // silence
  pb::WatchRequest future = watch_all();
  future.mutable_create_request()->set_start_revision(3);
  REQUIRE(stream->Write(future));
  REQUIRE(stream->Write(progress));  // silence
  pb::WatchResponse response;
  REQUIRE(stream->Read(&response));
  REQUIRE(response.created());
  REQUIRE(w.put("k", "2") == 2);
  REQUIRE(w.put("k", "3") == 3);
  REQUIRE(stream->Read(&response));
  REQUIRE(response.events(0).kv().mod_revision() == 3);
  REQUIRE(stream->Write(progress));
  REQUIRE(stream->Read(&response));
  REQUIRE(response.watch_id() == -1);
  REQUIRE(response.header().revision() == 3);
}

TEST_CASE("without a leader, who asks for one is refused and others read what is here") {
  World w("x=http://127.0.0.1:1,y=http://127.0.0.1:2");
  REQUIRE(w.range(true, false).ok());
  const grpc::Status refused = w.range(true, true);
  REQUIRE(refused.error_code() == kUnavailable);
  REQUIRE(refused.error_message() == kNoLeader);

  World::Call status_call;
  pb::StatusResponse status;
  REQUIRE(w.maintenance->Status(&status_call.context, {}, &status).ok());
  REQUIRE(status.leader() == 0);
  REQUIRE(status.errors_size() == 1);
  REQUIRE(status.errors(0) == kNoLeader);

  World::Call watch_call(true);
  const auto stream = w.watch->Watch(&watch_call.context);
  pb::WatchResponse response;
  REQUIRE(!stream->Read(&response));
  const grpc::Status watched = stream->Finish();
  REQUIRE(watched.error_code() == kUnavailable);
  REQUIRE(watched.error_message() == kNoLeader);

  // Nothing is asked on it, and it is cut all the same.
  World::Call lease_call(true);
  const auto renewals = w.lease->LeaseKeepAlive(&lease_call.context);
  pb::LeaseKeepAliveResponse renewal;
  REQUIRE(!renewals->Read(&renewal));
  const grpc::Status kept = renewals->Finish();
  REQUIRE(kept.error_code() == kUnavailable);
  REQUIRE(kept.error_message() == kNoLeader);

  const grpc::Status late = w.range(false, false);
  REQUIRE(late.error_code() == kUnavailable);
  REQUIRE(late.error_message() == "etcdserver: request timed out");
}
