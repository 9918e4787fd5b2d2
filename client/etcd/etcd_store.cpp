#include "client/etcd_store.hpp"

#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "base/strings.hpp"
#include "client_etcd/watch_stream.hpp"
#include "client_requests/guarded_txn.hpp"
#include "grpc_tls/credentials.hpp"
#include "grpc_tls/grpc_log.hpp"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLookAgain = 5ms;   // for a channel to become ready
constexpr Duration kPenalty = 1s;      // an endpoint that failed is asked last for so long
constexpr Duration kReadAttempt = 3s;  // before another endpoint is tried

struct Endpoint {
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Watch::Stub> watch;
  std::unique_ptr<etcdserverpb::Lease::Stub> lease;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance;
  TimePoint avoid_until;
  std::vector<std::shared_ptr<WatchStream>> streams;
};

using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

std::shared_ptr<grpc::Channel> make_channel(const std::string& address,
                                            const Credentials& credentials) {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(-1);
  args.SetMaxSendMessageSize(-1);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);  // this one bounds the dial itself
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // retries are decided here
  return grpc::CreateCustomChannel(address, credentials, args);
}

Result<std::string> parse_address(std::string_view endpoint) {
  std::string_view address = trim(endpoint);
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
  }
  while (address.ends_with("/")) address.remove_suffix(1);
  const size_t colon = address.rfind(':');
  long long port = 0;
  if (colon == std::string_view::npos || colon == 0 ||
      !parse_int(address.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return invalid_argument("endpoint " + quoted(endpoint) + " is not host:port");
  }
  return std::string(address);
}

// gRPC connects, and notices a lost connection, only while somebody polls: this thread does. It
// touches channels, which are thread-safe, and nothing else.
class ChannelPoller {
 public:
  explicit ChannelPoller(const std::vector<std::unique_ptr<Endpoint>>& endpoints) {
    for (const auto& endpoint : endpoints) channels_.push_back(endpoint->channel);
    for (auto& channel : channels_) watch(channel);
    thread_ = std::thread([this] { run(); });
  }
  ~ChannelPoller() {
    stopping_ = true;
    thread_.join();
  }

 private:
  // Bounds how long the destructor waits.
  static constexpr int kWatchMs = 200;

  void watch(std::shared_ptr<grpc::Channel>& channel) {
    channel->NotifyOnStateChange(channel->GetState(true),
                                 gpr_time_from_millis(kWatchMs, GPR_TIMESPAN), &queue_, &channel);
  }
  void run() {
    void* tag = nullptr;
    bool changed = false;
    size_t watched = channels_.size();
    while (watched > 0 && queue_.Next(&tag, &changed)) {
      if (stopping_) {
        --watched;
      } else {
        watch(*static_cast<std::shared_ptr<grpc::Channel>*>(tag));
      }
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &changed)) {
    }
  }

  std::vector<std::shared_ptr<grpc::Channel>> channels_;  // not changed while the thread runs
  grpc::CompletionQueue queue_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// The state outlives the store while Tasks of it wait.
struct State : std::enable_shared_from_this<State> {
  State(Executor& e, Duration t) : executor(e), timeout(t) {}

  Endpoint* pick_ready();
  void punish(Endpoint& endpoint) { endpoint.avoid_until = executor.now() + kPenalty; }
  WatchStream& stream_of(Endpoint& endpoint);
  void shut_down();

  Executor& executor;
  const Duration timeout;
  bool closed = false;
  size_t turn = 0;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  std::set<grpc::ClientContext*> under_way;
  std::shared_ptr<CallCount> calls = std::make_shared<CallCount>();
  std::unique_ptr<ChannelPoller> poller;
};

// The next in turn whose channel is connected; endpoints that failed lately only when no other is.
Endpoint* State::pick_ready() {
  Endpoint* second_best = nullptr;
  const TimePoint now = executor.now();
  for (size_t i = 0; i < endpoints.size(); ++i) {
    Endpoint& endpoint = *endpoints[(turn + i) % endpoints.size()];
    if (endpoint.channel->GetState(true) != GRPC_CHANNEL_READY) continue;
    if (endpoint.avoid_until > now) {
      if (!second_best) second_best = &endpoint;
      continue;
    }
    turn = (turn + i + 1) % endpoints.size();
    return &endpoint;
  }
  return second_best;
}

Task<Endpoint*> wait_ready(std::shared_ptr<State> state, TimePoint deadline) {
  for (;;) {
    if (state->closed) co_return nullptr;
    if (Endpoint* endpoint = state->pick_ready()) co_return endpoint;
    if (state->executor.now() >= deadline) co_return nullptr;
    co_await sleep_on(state->executor, kLookAgain);
  }
}

WatchStream& State::stream_of(Endpoint& endpoint) {
  std::erase_if(endpoint.streams, [](const auto& stream) { return stream->broken(); });
  for (const auto& stream : endpoint.streams) {
    if (stream->watches() < static_cast<size_t>(kWatchesPerStream)) return *stream;
  }
  endpoint.streams.push_back(WatchStream::start(executor, *endpoint.watch, calls));
  return *endpoint.streams.back();
}

void State::shut_down() {
  closed = true;
  for (grpc::ClientContext* context : under_way) context->TryCancel();
  for (const auto& endpoint : endpoints) {
    for (const auto& stream : endpoint->streams) stream->abandon();
  }
  calls->wait_for_none();
  poller.reset();
}

template <class Request, class Response>
using Method = std::function<void(Endpoint&, grpc::ClientContext*, const Request*, Response*,
                                  std::function<void(grpc::Status)>)>;

template <class Request, class Response>
struct UnaryCall {
  grpc::ClientContext context;
  Request request;
  Response response;
};

// One attempt on one endpoint; resumes on the strand.
template <class Request, class Response>
Callback<grpc::Status> attempt(std::shared_ptr<State> state, Endpoint* endpoint,
                               std::shared_ptr<UnaryCall<Request, Response>> call,
                               Method<Request, Response> method, Duration patience) {
  return Callback<grpc::Status>([=](std::function<void(grpc::Status)> done) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
    call->context.set_deadline(gpr_time_from_millis(ms, GPR_TIMESPAN));
    state->under_way.insert(&call->context);
    state->calls->up();
    method(*endpoint, &call->context, &call->request, &call->response,
           [state, call, done](grpc::Status status) {
             const auto calls = state->calls;
             state->executor.post([state, call, done, status] {
               state->under_way.erase(&call->context);
               done(status);
             });
             calls->down();
           });
  });
}

bool other_endpoint_may_help(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
}

// Reads are tried on one endpoint after the other; a write goes out once.
template <class Request, class Response>
Task<Result<Response>> unary(std::shared_ptr<State> state, Request request, bool is_read,
                             Method<Request, Response> method) {
  const TimePoint deadline = state->executor.now() + state->timeout;
  Status last = unavailable("no endpoint of the store can be reached");
  for (;;) {
    Endpoint* endpoint = co_await wait_ready(state, deadline);
    if (!endpoint) co_return last;
    auto call = std::make_shared<UnaryCall<Request, Response>>();
    call->request = request;
    Duration patience = std::max<Duration>(deadline - state->executor.now(), 1ms);
    if (is_read && state->endpoints.size() > 1) patience = std::min(patience, kReadAttempt);
    const grpc::Status status =
        co_await attempt<Request, Response>(state, endpoint, call, method, patience);
    if (status.ok()) co_return std::move(call->response);
    last = from_grpc(status);
    if (!other_endpoint_may_help(status)) co_return last;
    if (state->closed) co_return last;
    state->punish(*endpoint);
    if (!is_read || state->executor.now() >= deadline) co_return last;
    co_await sleep_on(state->executor, 25ms);
  }
}

KeyValue from_proto(mvccpb::KeyValue& kv) {
  return {std::move(*kv.mutable_key()),
          std::move(*kv.mutable_value()),
          kv.create_revision(),
          kv.mod_revision(),
          kv.version(),
          kv.lease()};
}

Task<Result<RangeResult>> do_range(std::shared_ptr<State> state, RangeRequest wanted) {
  etcdserverpb::RangeRequest request;
  request.set_key(wanted.key);
  request.set_range_end(wanted.range_end);
  request.set_limit(wanted.limit);
  request.set_revision(wanted.revision);
  request.set_count_only(wanted.count_only);
  request.set_keys_only(wanted.keys_only);
  Method<etcdserverpb::RangeRequest, etcdserverpb::RangeResponse> method =
      [](Endpoint& e, auto* context, auto* in, auto* out, auto done) {
        e.kv->async()->Range(context, in, out, std::move(done));
      };
  CO_ASSIGN_OR_RETURN(auto response, co_await unary(state, std::move(request), true, method));
  RangeResult result;
  result.kvs.reserve(static_cast<size_t>(response.kvs_size()));
  for (auto& kv : *response.mutable_kvs()) result.kvs.push_back(from_proto(kv));
  result.more = response.more();
  result.count = response.count();
  result.revision = response.header().revision();
  co_return result;
}

Task<Result<GuardedResult>> do_write(std::shared_ptr<State> state, GuardedWrite wanted) {
  Method<etcdserverpb::TxnRequest, etcdserverpb::TxnResponse> method =
      [](Endpoint& e, auto* context, auto* in, auto* out, auto done) {
        e.kv->async()->Txn(context, in, out, std::move(done));
      };
  CO_ASSIGN_OR_RETURN(auto response, co_await unary(state, to_txn(wanted), false, method));
  GuardedResult result;
  result.succeeded = response.succeeded();
  result.revision = response.header().revision();
  if (!result.succeeded && response.responses_size() == 1) {
    for (auto& kv : *response.mutable_responses(0)->mutable_response_range()->mutable_kvs()) {
      result.current.push_back(from_proto(kv));
    }
  }
  co_return result;
}

Task<Result<std::int64_t>> do_grant(std::shared_ptr<State> state, std::int64_t ttl_seconds) {
  etcdserverpb::LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  Method<etcdserverpb::LeaseGrantRequest, etcdserverpb::LeaseGrantResponse> method =
      [](Endpoint& e, auto* context, auto* in, auto* out, auto done) {
        e.lease->async()->LeaseGrant(context, in, out, std::move(done));
      };
  // Repeating a grant costs at most a lease that dies by itself.
  CO_ASSIGN_OR_RETURN(auto response, co_await unary(state, std::move(request), true, method));
  co_return std::int64_t{response.id()};
}

Task<Result<bool>> do_compact(std::shared_ptr<State> state, std::int64_t revision) {
  etcdserverpb::CompactionRequest request;
  request.set_revision(revision);
  Method<etcdserverpb::CompactionRequest, etcdserverpb::CompactionResponse> method =
      [](Endpoint& e, auto* context, auto* in, auto* out, auto done) {
        e.kv->async()->Compact(context, in, out, std::move(done));
      };
  CO_ASSIGN_OR_RETURN(auto response, co_await unary(state, std::move(request), false, method));
  (void)response;
  co_return true;
}

Task<Result<StoreStatus>> do_status(std::shared_ptr<State> state) {
  Method<etcdserverpb::StatusRequest, etcdserverpb::StatusResponse> method =
      [](Endpoint& e, auto* context, auto* in, auto* out, auto done) {
        e.maintenance->async()->Status(context, in, out, std::move(done));
      };
  CO_ASSIGN_OR_RETURN(auto response,
                      co_await unary(state, etcdserverpb::StatusRequest(), true, method));
  co_return StoreStatus{response.version(), response.dbsize()};
}

class EtcdWatch final : public Watch {
 public:
  EtcdWatch(std::shared_ptr<State> state, WatchRequest request, WatchSink sink)
      : watch_(std::make_shared<LiveWatch>()), place_(std::make_shared<Place>()) {
    watch_->request = std::move(request);
    watch_->sink = std::move(sink);
    spawn<bool>(open(std::move(state), watch_, place_), [](bool) {});
  }
  ~EtcdWatch() override {
    watch_->open = false;
    if (auto stream = place_->lock()) stream->remove(watch_);
  }
  void request_progress() override {
    watch_->progress_wanted = true;
    if (auto stream = place_->lock(); stream && watch_->id >= 0) stream->request_progress();
  }

 private:
  using Place = std::weak_ptr<WatchStream>;

  static Task<bool> open(std::shared_ptr<State> state, std::shared_ptr<LiveWatch> watch,
                         std::shared_ptr<Place> place) {
    // Never answered inside the call that opened it.
    co_await Callback<bool>([state](std::function<void(bool)> done) {
      state->executor.post([done = std::move(done)] { done(true); });
    });
    Endpoint* endpoint = co_await wait_ready(state, state->executor.now() + state->timeout);
    if (!endpoint || state->closed) {
      watch->end(unavailable("no endpoint of the store can be reached"));
      co_return false;
    }
    if (!watch->open) co_return false;
    WatchStream& stream = state->stream_of(*endpoint);
    *place = stream.weak();
    stream.add(watch);
    co_return true;
  }

  std::shared_ptr<LiveWatch> watch_;
  std::shared_ptr<Place> place_;
};

class EtcdStore final : public Store {
 public:
  explicit EtcdStore(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~EtcdStore() override { state_->shut_down(); }

  Task<Result<RangeResult>> range(RangeRequest request) override {
    return do_range(state_, std::move(request));
  }
  Task<Result<GuardedResult>> write(GuardedWrite request) override {
    return do_write(state_, std::move(request));
  }
  std::unique_ptr<Watch> watch(WatchRequest request, WatchSink sink) override {
    return std::make_unique<EtcdWatch>(state_, std::move(request), std::move(sink));
  }
  Task<Result<std::int64_t>> grant_lease(std::int64_t ttl_seconds) override {
    return do_grant(state_, ttl_seconds);
  }
  Task<Result<bool>> compact(std::int64_t revision) override {
    return do_compact(state_, revision);
  }
  Task<Result<StoreStatus>> status() override { return do_status(state_); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

Result<std::unique_ptr<Store>> make_etcd_store(Executor& executor, EtcdStoreOptions options) {
  if (options.endpoints.empty()) return invalid_argument("no endpoints of the store are given");
  // Debian's abseil looks for lock cycles on every lock: 7 % of the CPU, and nothing to find here.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  adopt_grpc_log();
  auto state = std::make_shared<State>(executor, options.timeout);
  const Credentials plain = grpc::InsecureChannelCredentials();
  Credentials tls;  // one for all: each watches the files on a thread
  for (const std::string& text : options.endpoints) {
    const bool secure = trim(text).starts_with("https://");
    if (secure && tls == nullptr) tls = tls_channel_credentials(options.tls);
    ASSIGN_OR_RETURN(const std::string address, parse_address(text));
    auto endpoint = std::make_unique<Endpoint>();
    endpoint->address = address;
    endpoint->channel = make_channel(address, secure ? tls : plain);
    endpoint->kv = etcdserverpb::KV::NewStub(endpoint->channel);
    endpoint->watch = etcdserverpb::Watch::NewStub(endpoint->channel);
    endpoint->lease = etcdserverpb::Lease::NewStub(endpoint->channel);
    endpoint->maintenance = etcdserverpb::Maintenance::NewStub(endpoint->channel);
    state->endpoints.push_back(std::move(endpoint));
  }
  state->poller = std::make_unique<ChannelPoller>(state->endpoints);
  return std::unique_ptr<Store>(std::make_unique<EtcdStore>(std::move(state)));
}

}  // namespace coracle::client
