#include "net/grpc_channel.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/dialer.hpp"
#include "net/grpc_call.hpp"
#include "net/http2_pump.hpp"

namespace coracle::net {
namespace {

struct Live {
  explicit Live(bool unary) : call(unary) {}
  GrpcCall call;
  bool dropped = false;    // nobody listens any more
  GrpcChannel::Done done;  // of a unary one
  GrpcSink sink;           // of a stream
  Executor::TimerId timer = 0;
};

// The connection, and the calls on it. Kept alive by what it waits for; closed by its channel.
class Link final : public Http2Pump::Owner, public std::enable_shared_from_this<Link> {
 public:
  Link(AsioExecutor& executor, GrpcTarget target)
      : executor_(executor),
        target_(std::move(target)),
        authority_(join_host_port(target_.host, target_.port)) {}

  bool ready() const { return pump_ && session().settled() && !session().going_away(); }

  void dial();
  void close();
  std::int32_t start(std::string_view path, std::string_view message, Duration timeout,
                     std::pair<std::string_view, std::string_view> metadata,
                     std::shared_ptr<Live> live);
  void send(std::int32_t id, std::string_view message);
  void cancel(std::int32_t id);
  void tell_later(GrpcChannel::Done done, GrpcStatus status);
  void end_later(std::shared_ptr<Live> live, GrpcStatus status);
  void on_progress() override;
  void on_broken(const std::string& why) override { lost(why); }
  // Calls of different connections may have the same number.
  std::uint64_t life() const { return life_; }

 private:
  void connected(std::unique_ptr<Stream> stream);
  void redial();
  void tell(std::int32_t id);
  void expire(std::int32_t id);
  bool leaving() const;
  void keep_alive(std::uint64_t life);
  void fail(const std::string& why);
  void lost(const std::string& why);
  Http2Session& session() const { return pump_->session(); }
  void trouble(const std::string& why) const {
    if (target_.on_trouble) target_.on_trouble(authority_ + ": " + why);
  }

  AsioExecutor& executor_;
  const GrpcTarget target_;
  const std::string authority_;
  bool closed_ = false;
  std::uint64_t life_ = 0;  // counts connections
  std::shared_ptr<Dialer> dialer_;
  Executor::TimerId redial_timer_ = 0, keepalive_timer_ = 0;
  Duration backoff_ = GrpcChannel::kReconnectMin;
  SslContext tls_;
  std::shared_ptr<Http2Pump> pump_;  // null: not connected
  std::unordered_map<std::int32_t, std::shared_ptr<Live>> calls_;
  std::vector<std::int32_t> touched_;  // have something to tell
};

void Link::dial() {
  if (closed_) return;
  Dialer::Target to;
  to.host = to.server_name = target_.host;
  to.port = target_.port;
  to.timeout = GrpcChannel::kConnectTimeout;
  if (target_.tls) {
    auto pem = target_.tls();
    auto context = pem.ok() ? make_client_context({pem->ca_pem, pem->cert_pem, pem->key_pem})
                            : Result<SslContext>(pem.status());
    if (!context.ok()) {
      trouble(context.status().message());
      return redial();
    }
    tls_ = *std::move(context);
    to.tls = tls_.get();
    to.alpn = "\x02h2";
  }
  dialer_ = Dialer::dial(executor_, std::move(to), [self = shared_from_this()](auto dialed) {
    self->dialer_.reset();
    if (dialed.ok()) return self->connected(std::move(dialed->stream));
    self->trouble(dialed.status().message());
    self->redial();
  });
}

void Link::redial() {
  redial_timer_ = executor_.after(backoff_, [self = shared_from_this()] { self->dial(); });
  backoff_ = std::min(backoff_ * 2, GrpcChannel::kReconnectMax);
}

void Link::connected(std::unique_ptr<Stream> stream) {
  ++life_;
  pump_ = std::make_shared<Http2Pump>(executor_, std::move(stream),
                                      std::make_unique<Http2Session>(), *this);
  keepalive_timer_ =
      executor_.after(GrpcChannel::kKeepaliveAfter,
                      [self = shared_from_this(), life = life_] { self->keep_alive(life); });
  pump_->start();
}

void Link::keep_alive(std::uint64_t life) {
  if (life != life_ || !pump_) return;
  const Duration silent = executor_.now() - pump_->heard();
  if (silent >= GrpcChannel::kKeepaliveAfter + GrpcChannel::kKeepaliveTimeout) {
    return fail("keepalive: no sign of the server");
  }
  Duration next = GrpcChannel::kKeepaliveAfter - silent;
  if (silent >= GrpcChannel::kKeepaliveAfter) {
    session().ping();
    pump_->flush_later();
    next = GrpcChannel::kKeepaliveAfter + GrpcChannel::kKeepaliveTimeout - silent;
  }
  keepalive_timer_ =
      executor_.after(next, [self = shared_from_this(), life] { self->keep_alive(life); });
}

void Link::on_progress() {
  const auto self = shared_from_this();  // what is told may let us go
  if (session().settled()) backoff_ = GrpcChannel::kReconnectMin;
  // What is told may start and cancel calls, and close us.
  for (const std::int32_t id : std::exchange(touched_, {})) {
    if (calls_.contains(id)) tell(id);
  }
  if (pump_ && leaving()) fail("the server goes away");
}

std::int32_t Link::start(std::string_view path, std::string_view message, Duration timeout,
                         std::pair<std::string_view, std::string_view> metadata,
                         std::shared_ptr<Live> live) {
  const std::string seconds =
      std::to_string(std::chrono::ceil<std::chrono::seconds>(timeout).count()) + "S";
  Http2Fields fields = {{":method", "POST"},      {":scheme", target_.tls ? "https" : "http"},
                        {":path", path},          {":authority", authority_},
                        {"te", "trailers"},       {"content-type", "application/grpc"},
                        {"user-agent", "coracle"}};
  if (live->call.unary()) fields.emplace_back("grpc-timeout", seconds);
  if (!metadata.first.empty()) fields.push_back(metadata);
  if (live->call.unary()) live->call.push(message);
  const std::int32_t id = session().request(fields, &live->call);
  if (id < 0) return id;
  if (live->call.unary()) {
    live->timer = executor_.after(timeout, [self = shared_from_this(), id, life = life_] {
      if (life == self->life_) self->expire(id);
    });
  }
  live->call.report(&touched_, id);
  calls_[id] = std::move(live);
  pump_->flush_later();
  return id;
}

void Link::send(std::int32_t id, std::string_view message) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  found->second->call.push(message);
  session().wake(id);
  pump_->flush_later();
}

void Link::cancel(std::int32_t id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  session().forget(id);
  executor_.cancel(found->second->timer);
  const auto live = std::move(found->second);  // what it holds may come back here
  calls_.erase(found);
  pump_->flush_later();
}

void Link::expire(std::int32_t id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const auto live = found->second;
  cancel(id);
  live->done({GrpcStatus::kDeadlineExceeded, "context deadline exceeded"}, {});
  if (pump_ && leaving()) fail("the server goes away");
}

// A connection that takes no more calls is kept for those with one answer; streams begin anew on
// another one.
bool Link::leaving() const {
  return session().going_away() &&
         std::none_of(calls_.begin(), calls_.end(),
                      [](const auto& entry) { return entry.second->call.unary(); });
}

void Link::tell(std::int32_t id) {
  const auto live = calls_[id];
  const bool over = live->call.closed();
  if (live->call.unary()) {
    if (!over) return;
    const GrpcStatus status = live->call.status();
    auto messages = live->call.take_messages();
    executor_.cancel(live->timer);
    calls_.erase(id);
    return live->done(status, status.ok() ? std::move(messages.front()) : std::string());
  }
  const std::uint64_t life = life_;
  for (std::string& message : live->call.take_messages()) {
    live->sink.on_message(std::move(message));
    if (life != life_ || live->dropped) return;
  }
  if (!over) return;
  calls_.erase(id);
  live->sink.on_end(live->call.status());
}

void Link::fail(const std::string& why) {
  if (!pump_) return;
  pump_->close();
  lost(why);
}

void Link::lost(const std::string& why) {
  executor_.cancel(keepalive_timer_);
  executor_.post([pump = std::move(pump_)] {});  // it may be what calls us
  touched_.clear();
  ++life_;
  for (auto& [id, live] : std::exchange(calls_, {})) {
    executor_.cancel(live->timer);
    const GrpcStatus status{closed_ ? GrpcStatus::kCancelled : GrpcStatus::kUnavailable, why};
    if (live->call.unary()) {
      tell_later(std::move(live->done), status);
    } else if (!closed_) {
      end_later(live, status);
    }
  }
  if (closed_) return;
  trouble(why);
  redial();
}

void Link::tell_later(GrpcChannel::Done done, GrpcStatus status) {
  executor_.post([done = std::move(done), status = std::move(status)] { done(status, {}); });
}

void Link::end_later(std::shared_ptr<Live> live, GrpcStatus status) {
  executor_.post([live = std::move(live), status = std::move(status)] {
    if (!live->dropped) live->sink.on_end(status);
  });
}

void Link::close() {
  closed_ = true;
  executor_.cancel(redial_timer_);
  if (dialer_) std::exchange(dialer_, nullptr)->cancel();
  fail("the client is closing");
}

class StreamHandle final : public GrpcStream {
 public:
  // `id` < 0: it never began.
  StreamHandle(std::shared_ptr<Link> link, std::shared_ptr<Live> live, std::int32_t id)
      : link_(std::move(link)), live_(std::move(live)), life_(link_->life()), id_(id) {}
  ~StreamHandle() override {
    live_->dropped = true;
    if (link_->life() == life_) link_->cancel(id_);
  }
  void send(std::string_view message) override {
    if (link_->life() == life_) link_->send(id_, message);
  }

 private:
  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Live> live_;
  const std::uint64_t life_;
  const std::int32_t id_;
};

class Channel final : public GrpcChannel {
 public:
  Channel(AsioExecutor& executor, GrpcTarget target)
      : link_(std::make_shared<Link>(executor, std::move(target))) {
    link_->dial();
  }
  ~Channel() override { link_->close(); }
  bool ready() const override { return link_->ready(); }

  void unary(std::string_view path, std::string_view message, Duration timeout,
             Done done) override {
    auto live = std::make_shared<Live>(true);
    live->done = std::move(done);
    if (!link_->ready() || link_->start(path, message, timeout, {}, live) < 0) {
      link_->tell_later(std::move(live->done), {GrpcStatus::kUnavailable, "not connected"});
    }
  }
  std::unique_ptr<GrpcStream> stream(std::string_view path,
                                     std::pair<std::string_view, std::string_view> metadata,
                                     GrpcSink sink) override {
    auto live = std::make_shared<Live>(false);
    live->sink = std::move(sink);
    const std::int32_t id = link_->ready() ? link_->start(path, {}, {}, metadata, live) : -1;
    if (id < 0) link_->end_later(live, {GrpcStatus::kUnavailable, "not connected"});
    return std::make_unique<StreamHandle>(link_, std::move(live), id);
  }

 private:
  const std::shared_ptr<Link> link_;
};

}  // namespace

std::unique_ptr<GrpcChannel> GrpcChannel::create(AsioExecutor& executor, GrpcTarget target) {
  ignore_sigpipe();
  return std::make_unique<Channel>(executor, std::move(target));
}

}  // namespace coracle::net
