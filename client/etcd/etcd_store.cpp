#include "client/etcd_store.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "client_etcd/watch_stream.hpp"
#include "client_requests/guarded_txn.hpp"
#include "etcd/rpc.pb.h"

namespace coracle::client {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLookAgain = 5ms;   // for a channel to become ready
constexpr Duration kPenalty = 1s;      // an endpoint that failed is asked last for so long
constexpr Duration kReadAttempt = 3s;  // before another endpoint is tried
constexpr Duration kSayAgain = 60s;    // the same trouble with an endpoint

struct Endpoint {
  std::unique_ptr<net::GrpcChannel> channel;
  TimePoint avoid_until;
  std::vector<std::shared_ptr<WatchStream>> streams;
};

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_address(std::string_view endpoint) {
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
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{std::string(host), static_cast<std::uint16_t>(port)};
}

// The state outlives the store while Tasks of it wait.
struct State {
  State(net::AsioExecutor& e, Duration t) : executor(e), timeout(t) {}

  Endpoint* pick_ready();
  void punish(Endpoint& endpoint) { endpoint.avoid_until = executor.now() + kPenalty; }
  WatchStream& stream_of(Endpoint& endpoint);
  void shut_down();

  net::AsioExecutor& executor;
  const Duration timeout;
  bool closed = false;
  size_t turn = 0;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
};

// The next in turn whose channel is connected; endpoints that failed lately only when no other is.
Endpoint* State::pick_ready() {
  Endpoint* second_best = nullptr;
  const TimePoint now = executor.now();
  for (size_t i = 0; i < endpoints.size(); ++i) {
    Endpoint& endpoint = *endpoints[(turn + i) % endpoints.size()];
    if (!endpoint.channel->ready()) continue;
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
  endpoint.streams.push_back(WatchStream::start(*endpoint.channel));
  return *endpoint.streams.back();
}

void State::shut_down() {
  closed = true;
  for (const auto& endpoint : endpoints) {
    for (const auto& stream : endpoint->streams) stream->abandon();
    endpoint->channel.reset();
  }
}

struct Reply {
  net::GrpcStatus status;
  std::string bytes;
};

// One attempt on one endpoint.
Callback<Reply> attempt(Endpoint& endpoint, const char* method, const std::string& request,
                        Duration patience) {
  return Callback<Reply>([&endpoint, method, &request, patience](std::function<void(Reply)> done) {
    endpoint.channel->unary(method, request, patience,
                            [done = std::move(done)](net::GrpcStatus status, std::string bytes) {
                              done({std::move(status), std::move(bytes)});
                            });
  });
}

bool other_endpoint_may_help(const net::GrpcStatus& status) {
  return status.code == net::GrpcStatus::kUnavailable ||
         status.code == net::GrpcStatus::kDeadlineExceeded;
}

// Reads are tried on one endpoint after the other; a write goes out once.
Task<Result<std::string>> exchange(std::shared_ptr<State> state, std::string request, bool is_read,
                                   const char* method) {
  const TimePoint deadline = state->executor.now() + state->timeout;
  Status last = unavailable("no endpoint of the store can be reached");
  for (;;) {
    Endpoint* endpoint = state->closed ? nullptr : state->pick_ready();
    if (endpoint == nullptr) endpoint = co_await wait_ready(state, deadline);
    if (!endpoint) co_return last;
    Duration patience = std::max<Duration>(deadline - state->executor.now(), 1ms);
    if (is_read && state->endpoints.size() > 1) patience = std::min(patience, kReadAttempt);
    Reply reply = co_await attempt(*endpoint, method, request, patience);
    if (reply.status.ok()) co_return std::move(reply.bytes);
    last = from_grpc(reply.status);
    if (!other_endpoint_may_help(reply.status)) co_return last;
    if (state->closed) co_return last;
    state->punish(*endpoint);
    if (!is_read || state->executor.now() >= deadline) co_return last;
    co_await sleep_on(state->executor, 25ms);
  }
}

template <class Response>
Task<Result<Response>> unary(std::shared_ptr<State> state,
                             const google::protobuf::MessageLite& request, bool is_read,
                             const char* method) {
  auto bytes = co_await exchange(std::move(state), request.SerializeAsString(), is_read, method);
  if (!bytes.ok()) co_return bytes.status();
  Response response;
  if (!response.ParseFromString(*bytes)) co_return unavailable("the store's answer is no message");
  co_return response;
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
  CO_ASSIGN_OR_RETURN(auto response, co_await unary<etcdserverpb::RangeResponse>(
                                         state, request, true, "/etcdserverpb.KV/Range"));
  RangeResult result;
  result.kvs.reserve(static_cast<size_t>(response.kvs_size()));
  for (auto& kv : *response.mutable_kvs()) result.kvs.push_back(from_proto(kv));
  result.more = response.more();
  result.count = response.count();
  result.revision = response.header().revision();
  co_return result;
}

Task<Result<GuardedResult>> do_write(std::shared_ptr<State> state, GuardedWrite wanted) {
  CO_ASSIGN_OR_RETURN(auto response, co_await unary<etcdserverpb::TxnResponse>(
                                         state, to_txn(wanted), false, "/etcdserverpb.KV/Txn"));
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
  // Repeating a grant costs at most a lease that dies by itself.
  CO_ASSIGN_OR_RETURN(auto response, co_await unary<etcdserverpb::LeaseGrantResponse>(
                                         state, request, true, "/etcdserverpb.Lease/LeaseGrant"));
  co_return std::int64_t{response.id()};
}

Task<Result<bool>> do_compact(std::shared_ptr<State> state, std::int64_t revision) {
  etcdserverpb::CompactionRequest request;
  request.set_revision(revision);
  CO_ASSIGN_OR_RETURN(auto response, co_await unary<etcdserverpb::CompactionResponse>(
                                         state, request, false, "/etcdserverpb.KV/Compact"));
  (void)response;
  co_return true;
}

Task<Result<StoreStatus>> do_status(std::shared_ptr<State> state) {
  CO_ASSIGN_OR_RETURN(auto response, co_await unary<etcdserverpb::StatusResponse>(
                                         state, etcdserverpb::StatusRequest(), true,
                                         "/etcdserverpb.Maintenance/Status"));
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
    *place = stream.weak_from_this();
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

// Its PEM files, read now.
Result<net::GrpcTls> read_tls(const TlsFiles& files) {
  net::GrpcTls out;
  for (const auto& [path, text] : {std::pair(&files.ca, &out.ca_pem),
                                   {&files.cert, &out.cert_pem},
                                   {&files.key, &out.key_pem}}) {
    if (path->empty()) continue;
    std::ifstream file(*path, std::ios::binary);
    text->assign(std::istreambuf_iterator<char>(file), {});
    if (!file || text->empty()) return unavailable("cannot read " + *path);
  }
  return out;
}

// Tells an endpoint's trouble, the same one once a minute: it is dialled ten times a second.
std::function<void(const std::string&)> trouble_log(net::AsioExecutor& executor) {
  return [&executor, said = std::map<std::string, TimePoint>()](const std::string& why) mutable {
    const TimePoint now = executor.now();
    std::erase_if(said, [&](const auto& entry) { return now - entry.second >= kSayAgain; });
    if (said.emplace(why, now).second) log::warn("store {}", why);
  };
}

}  // namespace

Result<std::unique_ptr<Store>> make_etcd_store(net::AsioExecutor& executor,
                                               EtcdStoreOptions options) {
  if (options.endpoints.empty()) return invalid_argument("no endpoints of the store are given");
  std::vector<net::GrpcTarget> targets;
  for (const std::string& text : options.endpoints) {
    ASSIGN_OR_RETURN(const Address address, parse_address(text));
    net::GrpcTarget target{address.host, address.port, nullptr, trouble_log(executor)};
    if (trim(text).starts_with("https://")) {
      target.tls = [files = options.tls] { return read_tls(files); };
    }
    targets.push_back(std::move(target));
  }
  auto state = std::make_shared<State>(executor, options.timeout);
  for (net::GrpcTarget& target : targets) {
    state->endpoints.push_back(std::make_unique<Endpoint>());
    state->endpoints.back()->channel = net::GrpcChannel::create(executor, std::move(target));
  }
  return std::unique_ptr<Store>(std::make_unique<EtcdStore>(std::move(state)));
}

}  // namespace coracle::client
