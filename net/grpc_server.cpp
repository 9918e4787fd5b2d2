#include "net/grpc_server.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "net/grpc_server_call.hpp"
#include "net/http2_pump.hpp"
#include "net/listener.hpp"
#include "net/tls_context.hpp"

namespace coracle::net {
namespace {

// Paths and services are looked up by views.
template <class T>
using ByName = std::map<std::string, T, std::less<>>;

template <class T>
const T* find(const ByName<T>& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

std::string_view service_of(std::string_view path) { return path.substr(1, path.rfind('/') - 1); }

}  // namespace

class GrpcLink;

struct GrpcServer::Shared {
  Shared(AsioExecutor& on, std::size_t max) : executor(on), message_max(max) {}

  AsioExecutor& executor;
  const std::size_t message_max;
  ByName<Unary> unary;
  ByName<Open> streams;
  std::set<std::string, std::less<>> services;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::set<std::shared_ptr<GrpcLink>> links;
  std::function<void()> stopped;  // set: it is stopping
  std::function<void(const std::string&)> trouble = [](const std::string&) {};

  void remove(const std::shared_ptr<GrpcLink>& link);
  // When nothing waits to leave any more, `stopped` runs.
  void look_for_end();
};

// One connection and the calls on it: handshake -> open -> closed.
class GrpcLink final : public Waiter,
                       public Http2Pump::Owner,
                       public GrpcCarrier,
                       public std::enable_shared_from_this<GrpcLink> {
 public:
  GrpcLink(std::shared_ptr<GrpcServer::Shared> server, int descriptor, std::string from)
      : server_(std::move(server)),
        from_(std::move(from)),
        stream_(std::make_unique<Stream>(server_->executor.context(), descriptor)) {}

  void start(SSL_CTX* tls);
  void say_goodbye();
  void close();
  bool idle() const;

  void on_ready(Ready) override { handshake(); }
  void on_progress() override;
  void on_broken(const std::string& why) override;

  const GrpcServer::Unary* unary(std::string_view path) const override {
    return find(server_->unary, path);
  }
  const GrpcServer::Open* stream(std::string_view path) const override {
    return find(server_->streams, path);
  }
  bool knows_service(std::string_view service) const override {
    return server_->services.find(service) != server_->services.end();
  }
  std::size_t message_max() const override { return server_->message_max; }
  void touch(std::int32_t id) override { touched_.push_back(id); }
  void respond(std::int32_t id, const Http2Fields& fields, bool with_body) override;
  void wake(std::int32_t id) override;
  bool pending(std::ptrdiff_t change) override;

 private:
  void handshake();
  void begin();
  void fail(const std::string& why);
  void drop_calls();

  const std::shared_ptr<GrpcServer::Shared> server_;
  const std::string from_;
  std::unique_ptr<Stream> stream_;  // until the handshake is done
  Executor::TimerId timer_ = 0;     // of the handshake
  std::shared_ptr<Http2Pump> pump_;
  std::unordered_map<std::int32_t, std::shared_ptr<GrpcServerCall>> calls_;
  std::vector<std::int32_t> touched_;
  std::size_t pending_ = 0;
};

void GrpcLink::start(SSL_CTX* tls) {
  if (tls == nullptr) return begin();
  stream_->use_tls_server(tls);
  timer_ = server_->executor.after(GrpcServer::kHandshakeTimeout, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->stream_) self->fail("the TLS handshake took too long");
  });
  stream_->wait(Ready::kRead, shared_from_this());
}

void GrpcLink::handshake() {
  if (!stream_) return;
  const Io io = stream_->handshake();
  if (io.kind == Io::kWantRead) return stream_->wait(Ready::kRead, shared_from_this());
  if (io.kind == Io::kWantWrite) return stream_->wait(Ready::kWrite, shared_from_this());
  if (io.kind != Io::kOk) return fail(io.error);
  server_->executor.cancel(timer_);
  begin();
}

void GrpcLink::begin() {
  auto session = std::make_unique<Http2Session>([this](std::int32_t id) {
    return calls_.emplace(id, std::make_shared<GrpcServerCall>(*this, id)).first->second.get();
  });
  pump_ =
      std::make_shared<Http2Pump>(server_->executor, std::move(stream_), std::move(session), *this);
  pump_->start();
}

void GrpcLink::fail(const std::string& why) {
  server_->trouble(from_ + ": " + why);
  close();
  server_->remove(shared_from_this());
}

void GrpcLink::close() {
  server_->executor.cancel(timer_);
  if (stream_) std::exchange(stream_, nullptr)->close();
  if (pump_) pump_->close();
  drop_calls();
}

void GrpcLink::drop_calls() {
  touched_.clear();
  for (const auto& [id, call] : std::exchange(calls_, {})) call->drop();
}

void GrpcLink::on_broken(const std::string&) {
  const auto self = shared_from_this();
  drop_calls();
  server_->remove(self);
}

void GrpcLink::on_progress() {
  const auto self = shared_from_this();
  // What is delivered may answer at once, and touch again what is sent by that.
  for (const std::int32_t id : std::exchange(touched_, {})) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) continue;
    const auto call = found->second;
    if (call->deliver()) calls_.erase(id);
  }
  server_->look_for_end();
}

void GrpcLink::respond(std::int32_t id, const Http2Fields& fields, bool with_body) {
  pump_->session().respond(id, fields, with_body);
  pump_->flush_later();
}

void GrpcLink::wake(std::int32_t id) {
  pump_->session().wake(id);
  pump_->flush_later();
}

bool GrpcLink::pending(std::ptrdiff_t change) {
  pending_ += static_cast<std::size_t>(change);
  return pending_ <= GrpcServer::kPendingMax;
}

void GrpcLink::say_goodbye() {
  if (!pump_) return close();
  pump_->session().say_goodbye();
  pump_->flush_later();
}

bool GrpcLink::idle() const {
  return !pump_ || !pump_->open() || (pending_ == 0 && pump_->queued_bytes() == 0);
}

void GrpcServer::Shared::remove(const std::shared_ptr<GrpcLink>& link) {
  links.erase(link);
  look_for_end();
}

void GrpcServer::Shared::look_for_end() {
  if (!stopped) return;
  if (std::all_of(links.begin(), links.end(), [](const auto& link) { return link->idle(); })) {
    executor.post(std::exchange(stopped, nullptr));
  }
}

GrpcServer::GrpcServer(AsioExecutor& executor, std::size_t message_max)
    : shared_(std::make_shared<Shared>(executor, message_max)) {
  ignore_sigpipe();
}

GrpcServer::~GrpcServer() {
  for (const auto& listener : shared_->listeners) listener->close();
  for (const auto& link : std::exchange(shared_->links, {})) link->close();
}

void GrpcServer::add_unary(std::string path, Unary method) {
  shared_->services.emplace(service_of(path));
  shared_->unary.emplace(std::move(path), std::move(method));
}

void GrpcServer::add_stream(std::string path, Open method) {
  shared_->services.emplace(service_of(path));
  shared_->streams.emplace(std::move(path), std::move(method));
}

void GrpcServer::on_trouble(std::function<void(const std::string&)> fn) {
  shared_->trouble = std::move(fn);
}

namespace {

// The newest certificate there is. What a handshake began with lives as long as it needs it.
class Certificates {
 public:
  explicit Certificates(GrpcServer::Renew renew) : renew_(std::move(renew)) {}
  // Null without TLS.
  Result<SSL_CTX*> context() {
    if (!renew_) return nullptr;
    if (auto fresh = renew_()) {
      ASSIGN_OR_RETURN(current_, make_http2_server_context(*fresh));
    }
    return current_.get();
  }

 private:
  const GrpcServer::Renew renew_;
  SslContext current_;
};

}  // namespace

Status GrpcServer::listen(const std::string& host, std::uint16_t port, Renew renew) {
  const auto certificates = std::make_shared<Certificates>(std::move(renew));
  RETURN_IF_ERROR(certificates->context().status());
  auto accept = [weak = std::weak_ptr(shared_), certificates](int descriptor,
                                                              const SocketAddress& from) {
    const auto server = weak.lock();
    if (!server) return void(::close(descriptor));
    const auto link =
        std::make_shared<GrpcLink>(server, descriptor, join_host_port(from.host(), from.port()));
    if (server->links.size() >= kConnectionsMax) return link->close();
    const auto tls = certificates->context();
    if (!tls.ok()) return link->close();
    server->links.insert(link);
    link->start(*tls);
  };
  ASSIGN_OR_RETURN(auto listener, Listener::open(shared_->executor, host, port, std::move(accept)));
  listener->start();
  shared_->listeners.push_back(std::move(listener));
  return {};
}

std::uint16_t GrpcServer::port() const { return shared_->listeners.back()->port(); }

void GrpcServer::stop(std::function<void()> done) {
  for (const auto& listener : std::exchange(shared_->listeners, {})) listener->close();
  shared_->stopped = std::move(done);
  const auto links = shared_->links;
  for (const auto& link : links) link->say_goodbye();
  // Looked for after what they said has had its turn.
  shared_->executor.post([shared = shared_] { shared->look_for_end(); });
}

}  // namespace coracle::net
