#include "client/https_api.hpp"

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::client {
namespace {

constexpr Duration kTokenFileAge = std::chrono::minutes(1);

// The request cannot have reached the server's handler: any method may go elsewhere.
bool never_sent(const Status& status) {
  return status.message().find("dial tcp") != std::string::npos ||
         status.message().find("tls: ") != std::string::npos;
}

bool may_go_elsewhere(const std::string& method, const Status& status) {
  if (never_sent(status)) return true;
  return method == "GET" && status.code() == Code::kUnavailable;
}

ApiResponse to_api(net::Response response) {
  ApiResponse out;
  out.status = response.status;
  for (const auto& [name, value] : response.headers) {
    out.headers.emplace_back(to_lower(name), value);
  }
  out.body = std::move(response.body);
  for (const net::Bytes& chunk : response.chunks) out.body += *chunk;
  return out;
}

struct Shared : std::enable_shared_from_this<Shared> {
  net::AsioExecutor& executor;
  HttpsApiOptions options;
  std::vector<std::unique_ptr<net::Client>> clients;
  size_t current = 0;  // answered last
  std::optional<TimePoint> token_read_at;

  Shared(net::AsioExecutor& e, HttpsApiOptions o) : executor(e), options(std::move(o)) {}
  void refresh_token();
  net::ClientRequest to_net(ApiRequest request) const;
  size_t after(size_t index) const { return (index + 1) % clients.size(); }
};

void Shared::refresh_token() {
  if (options.config.token_file.empty()) return;
  const TimePoint now = executor.now();
  if (token_read_at && now - *token_read_at < kTokenFileAge) return;
  token_read_at = now;
  std::ifstream file(options.config.token_file);
  std::stringstream text;
  text << file.rdbuf();
  const std::string token(trim(text.str()));
  if (token.empty()) return;  // keep the last good one
  for (const auto& client : clients) client->set_bearer_token(token);
}

net::ClientRequest Shared::to_net(ApiRequest request) const {
  net::ClientRequest out;
  out.method = std::move(request.method);
  out.target = std::move(request.target);
  for (auto& [name, value] : request.headers) out.headers.add(std::move(name), std::move(value));
  if (!out.headers.has("Accept")) out.headers.add("Accept", "application/json");
  if (!request.body.empty() && !out.headers.has("Content-Type")) {
    out.headers.add("Content-Type", "application/json");
  }
  const ClientConfig& config = options.config;
  if (!config.username.empty()) {
    out.headers.add("Authorization",
                    "Basic " + base64_encode(config.username + ":" + config.password));
  }
  if (!config.impersonate_user.empty()) {
    out.headers.add("Impersonate-User", config.impersonate_user);
  }
  for (const std::string& group : config.impersonate_groups) {
    out.headers.add("Impersonate-Group", group);
  }
  out.body = std::move(request.body);
  out.timeout = request.timeout;
  return out;
}

Task<Result<ApiResponse>> call_on_some(std::shared_ptr<Shared> shared, ApiRequest request) {
  shared->refresh_token();
  const net::ClientRequest wire = shared->to_net(std::move(request));
  Status last = unavailable("no server");
  size_t index = shared->current;
  for (size_t tried = 0; tried < shared->clients.size(); ++tried, index = shared->after(index)) {
    auto response = co_await shared->clients[index]->request(wire);
    if (response.ok()) {
      shared->current = index;
      co_return to_api(std::move(*response));
    }
    last = response.status();
    if (!may_go_elsewhere(wire.method, last)) co_return last;
  }
  co_return last;
}

// A stream that moves to the next server as long as no head has come.
struct Streaming : std::enable_shared_from_this<Streaming> {
  std::shared_ptr<Shared> shared;
  net::ClientRequest request;
  ApiStreamSink sink;
  size_t index = 0, tried = 0;
  bool has_head = false;
  bool open = true;
  std::unique_ptr<net::StreamHandle> handle;

  void start();
  void on_end(Status status);
};

void Streaming::start() {
  std::weak_ptr<Streaming> weak = weak_from_this();
  net::StreamSink out;
  out.on_headers = [weak](net::Response head) {
    auto self = weak.lock();
    if (!self || !self->open) return;
    self->has_head = true;
    self->shared->current = self->index;
    self->sink.on_head(to_api(std::move(head)));
  };
  out.on_data = [weak](std::string_view bytes) {
    if (auto self = weak.lock(); self && self->open) self->sink.on_data(bytes);
  };
  out.on_end = [weak](Status status) {
    if (auto self = weak.lock(); self && self->open) self->on_end(std::move(status));
  };
  handle = shared->clients[index]->start_stream(request, std::move(out));
}

void Streaming::on_end(Status status) {
  if (!has_head && !status.ok() && ++tried < shared->clients.size() &&
      may_go_elsewhere("GET", status)) {
    index = shared->after(index);
    // In a later turn: the handle that called must not be dropped inside its call.
    shared->executor.post([weak = weak_from_this()] {
      if (auto self = weak.lock(); self && self->open) self->start();
    });
    return;
  }
  // A server that broke off may be on its way out: begin elsewhere next time.
  if (!status.ok() && shared->current == index) shared->current = shared->after(index);
  open = false;
  sink.on_end(std::move(status));
}

class HttpsStream final : public ApiStream {
 public:
  explicit HttpsStream(std::shared_ptr<Streaming> streaming) : streaming_(std::move(streaming)) {}
  ~HttpsStream() override {
    streaming_->open = false;
    if (streaming_->handle) streaming_->handle->cancel();
  }

 private:
  std::shared_ptr<Streaming> streaming_;
};

Result<std::vector<std::unique_ptr<net::Client>>> make_clients(net::AsioExecutor& executor,
                                                               const HttpsApiOptions& options) {
  std::vector<std::unique_ptr<net::Client>> clients;
  const ClientConfig& config = options.config;
  for (const std::string& server : config.servers) {
    ASSIGN_OR_RETURN(net::ClientConfig wire, net::ClientConfig::from_url(server));
    wire.ca_pem = config.ca_pem;
    wire.cert_pem = config.cert_pem;
    wire.key_pem = config.key_pem;
    wire.server_name = config.tls_server_name;
    wire.insecure_skip_verify = config.insecure_skip_tls_verify;
    wire.bearer_token = config.token;
    wire.user_agent = options.user_agent;
    wire.request_timeout = options.request_timeout;
    ASSIGN_OR_RETURN(auto client, net::Client::create(executor, std::move(wire)));
    clients.push_back(std::move(client));
  }
  return clients;
}

class LiveApi final : public HttpsApi {
 public:
  explicit LiveApi(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Status change_certificate(const std::string& cert_pem, const std::string& key_pem) override {
    HttpsApiOptions options = shared_->options;
    options.config.cert_pem = cert_pem;
    options.config.key_pem = key_pem;
    ASSIGN_OR_RETURN(auto clients, make_clients(shared_->executor, options));
    shared_->options = std::move(options);
    clients.swap(shared_->clients);
    shared_->token_read_at.reset();
    shared_->refresh_token();
    // We may be inside a callback of one of them.
    auto old = std::make_shared<decltype(clients)>(std::move(clients));
    shared_->executor.post([old] { old->clear(); });
    return {};
  }

  Task<Result<ApiResponse>> call(ApiRequest request) override {
    return call_on_some(shared_, std::move(request));
  }
  std::unique_ptr<ApiStream> stream(ApiRequest request, ApiStreamSink sink) override {
    shared_->refresh_token();
    auto streaming = std::make_shared<Streaming>();
    streaming->shared = shared_;
    streaming->request = shared_->to_net(std::move(request));
    streaming->sink = std::move(sink);
    streaming->index = shared_->current;
    streaming->start();
    return std::make_unique<HttpsStream>(streaming);
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<HttpsApi>> make_https_api(net::AsioExecutor& executor,
                                                 HttpsApiOptions options) {
  if (options.config.servers.empty()) return invalid_argument("no server is given");
  auto shared = std::make_shared<Shared>(executor, std::move(options));
  ASSIGN_OR_RETURN(shared->clients, make_clients(executor, shared->options));
  shared->refresh_token();
  return std::unique_ptr<HttpsApi>(std::make_unique<LiveApi>(std::move(shared)));
}

}  // namespace coracle::client
