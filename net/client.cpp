#include "net/client.hpp"

#include "base/strings.hpp"
#include "net/client_core.hpp"
#include "net/raw_stream.hpp"

namespace coracle::net {
namespace {

// Collects a whole answer.
class RequestJob final : public ClientJob {
 public:
  using Done = std::function<void(Result<Response>)>;
  RequestJob(std::shared_ptr<ClientCore> core, const ClientRequest& request, Done done)
      : ClientJob(std::move(core), request), done_(std::move(done)) {}

  void on_head(Response head) override {
    head_seen_ = true;
    response_ = std::move(head);
  }
  void on_data(std::string data) override {
    if (response_.body.size() + data.size() > core_->config.max_response) {
      return end({Code::kResourceExhausted, "the response is too large"});
    }
    response_.body.empty() ? response_.body = std::move(data) : response_.body += data;
  }
  void on_finish(Status status, bool untouched) override {
    connection.reset();
    if (!status.ok() && untouched && idempotent && !retried_ && !core_->down) {
      retried_ = true;
      return core_->submit(shared_from_this());
    }
    end(std::move(status));
  }
  void on_upgrade(std::shared_ptr<ClientConnection> live, Response) override {
    live->abandon();
    end(unavailable("unexpected 101 Switching Protocols"));
  }
  void end(Status status) override {
    if (!mark_ended()) return;
    auto done = std::move(done_);
    if (status.ok()) return done(std::move(response_));
    // Maybe inside the caller's own call: later.
    core_->executor.post([done, status] { done(status); });
  }

 private:
  Done done_;
  Response response_;
};

class StreamJob final : public ClientJob {
 public:
  StreamJob(std::shared_ptr<ClientCore> core, const ClientRequest& request, StreamSink sink)
      : ClientJob(std::move(core), request), sink_(std::make_shared<StreamSink>(std::move(sink))) {}

  // The sink is held over each call: what it does may cancel the stream.
  void on_head(Response head) override {
    head_seen_ = true;
    disarm();
    auto sink = sink_;
    if (sink && sink->on_headers) sink->on_headers(std::move(head));
  }
  void on_data(std::string data) override {
    auto sink = sink_;
    if (sink && sink->on_data) sink->on_data(data);
  }
  void on_finish(Status status, bool) override {
    connection.reset();
    end(std::move(status));
  }
  void on_upgrade(std::shared_ptr<ClientConnection> live, Response) override {
    live->abandon();
    end(unavailable("unexpected 101 Switching Protocols"));
  }
  void end(Status status) override {
    if (!mark_ended()) return;
    --core_->streams;
    auto sink = std::exchange(sink_, nullptr);
    auto guard = cancelled_;
    core_->executor.post([sink, status, guard] {
      if (!*guard && sink && sink->on_end) sink->on_end(status);
    });
  }
  void pause(bool paused) {
    if (auto live = connection.lock()) live->pause(paused);
  }
  void cancel() {
    *cancelled_ = true;
    sink_ = nullptr;
    end({Code::kCancelled, "context canceled"});
  }

 private:
  std::shared_ptr<StreamSink> sink_;
  std::shared_ptr<bool> cancelled_ = std::make_shared<bool>(false);
};

class LiveStreamHandle final : public StreamHandle {
 public:
  explicit LiveStreamHandle(std::shared_ptr<StreamJob> job) : job_(std::move(job)) {}
  ~LiveStreamHandle() override { cancel(); }
  void cancel() override {
    if (auto job = std::exchange(job_, nullptr)) job->cancel();
  }
  void pause(bool paused) override {
    if (job_) job_->pause(paused);
  }

 private:
  std::shared_ptr<StreamJob> job_;
};

class UpgradeJob final : public ClientJob {
 public:
  using Outcome = Result<std::shared_ptr<ByteStream>>;
  UpgradeJob(std::shared_ptr<ClientCore> core, const ClientRequest& request,
             std::shared_ptr<Response> answer, std::function<void(Outcome)> done)
      : ClientJob(std::move(core), request), answer_(std::move(answer)), done_(std::move(done)) {}

  void on_head(Response head) override {
    head_seen_ = true;
    response_ = std::move(head);
  }
  void on_data(std::string data) override {
    constexpr std::size_t kMaxRefusal = 1u << 20;
    if (response_.body.size() < kMaxRefusal) response_.body += data;
  }
  void on_finish(Status status, bool) override {
    connection.reset();
    if (status.ok()) {
      status =
          unavailable("unable to upgrade connection: " +
                      (response_.body.empty() ? std::to_string(response_.status) : response_.body));
      if (answer_) *answer_ = std::move(response_);
    }
    end(std::move(status));
  }
  void on_upgrade(std::shared_ptr<ClientConnection> live, Response head) override {
    connection.reset();
    if (answer_) *answer_ = std::move(head);
    std::string early;
    auto stream = live->take_stream(&early);
    auto raw = std::make_shared<RawStream>(core_->executor, std::move(stream), OutQueue(),
                                           std::move(early));
    raw->start();
    finish(std::shared_ptr<ByteStream>(std::move(raw)));
  }
  void end(Status status) override { finish(std::move(status)); }

 private:
  void finish(Outcome outcome) {
    if (!mark_ended()) return;
    core_->executor.post(
        [done = std::move(done_), outcome = std::move(outcome)] { done(outcome); });
  }

  std::shared_ptr<Response> answer_;
  std::function<void(Outcome)> done_;
  Response response_;
};

Status prepare(ClientCore& core, const std::shared_ptr<ClientJob>& job,
               const ClientRequest& request) {
  core.jobs.insert(job);
  auto wire = core.serialize(request);
  if (!wire.ok()) return wire.status();
  job->wire = std::move(wire).value();
  return {};
}

Duration timeout_of(const ClientCore& core, const ClientRequest& request) {
  return request.timeout > Duration{0} ? request.timeout : core.config.request_timeout;
}

void begin_request(const std::shared_ptr<ClientCore>& core, const ClientRequest& request,
                   RequestJob::Done done) {
  auto job = std::make_shared<RequestJob>(core, request, std::move(done));
  Status prepared = prepare(*core, job, request);
  if (!prepared.ok()) return job->end(std::move(prepared));
  job->arm(timeout_of(*core, request));
  core->executor.post([core, job] { core->submit(job); });
}

void begin_upgrade(const std::shared_ptr<ClientCore>& core, const ClientRequest& request,
                   std::shared_ptr<Response> answer,
                   std::function<void(UpgradeJob::Outcome)> done) {
  auto job = std::make_shared<UpgradeJob>(core, request, std::move(answer), std::move(done));
  Status prepared = prepare(*core, job, request);
  if (!prepared.ok()) return job->end(std::move(prepared));
  job->arm(timeout_of(*core, request));
  core->executor.post([core, job] { core->submit_alone(job); });
}

Task<Result<Response>> request_task(std::shared_ptr<ClientCore> core, ClientRequest request) {
  co_return co_await Callback<Result<Response>>([&](std::function<void(Result<Response>)> done) {
    begin_request(core, request, std::move(done));
  });
}

Task<UpgradeJob::Outcome> upgrade_task(std::shared_ptr<ClientCore> core, ClientRequest request,
                                       std::shared_ptr<Response> answer) {
  co_return co_await Callback<UpgradeJob::Outcome>(
      [&](std::function<void(UpgradeJob::Outcome)> done) {
        begin_upgrade(core, request, answer, std::move(done));
      });
}

class LiveClient final : public Client {
 public:
  explicit LiveClient(std::shared_ptr<ClientCore> core) : core_(std::move(core)) {}
  ~LiveClient() override { core_->shutdown(); }

  Task<Result<Response>> request(ClientRequest request) override {
    return request_task(core_, std::move(request));
  }
  void request(ClientRequest request, std::function<void(Result<Response>)> done) override {
    begin_request(core_, request, std::move(done));
  }

  std::unique_ptr<StreamHandle> start_stream(ClientRequest request, StreamSink sink) override {
    auto job = std::make_shared<StreamJob>(core_, request, std::move(sink));
    ++core_->streams;
    Status prepared = prepare(*core_, job, request);
    if (prepared.ok() && core_->streams > core_->config.max_streams) {
      prepared = Status(Code::kResourceExhausted, "too many streams to " + core_->config.url());
    }
    if (!prepared.ok()) {
      job->end(std::move(prepared));
    } else {
      job->arm(timeout_of(*core_, request));
      core_->executor.post([core = core_, job] { core->submit_alone(job); });
    }
    return std::make_unique<LiveStreamHandle>(std::move(job));
  }

  Task<UpgradeJob::Outcome> upgrade(ClientRequest request,
                                    std::shared_ptr<Response> answer) override {
    return upgrade_task(core_, std::move(request), std::move(answer));
  }

  const ClientConfig& config() const override { return core_->config; }
  void set_bearer_token(std::string token) override {
    core_->config.bearer_token = std::move(token);
  }

 private:
  std::shared_ptr<ClientCore> core_;
};

}  // namespace

Result<ClientConfig> ClientConfig::from_url(std::string_view url) {
  auto refuse = [&](const char* why) {
    return invalid_argument("invalid URL " + quoted(url) + ": " + why);
  };
  ClientConfig config;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    config.tls = false;
    config.port = 80;
  } else if (rest.find("://") != rest.npos) {
    return refuse("the scheme is neither http nor https");
  }
  std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.find_first_of("?# \r\n") != path.npos) return refuse("a path is expected");
  config.base_path = path;
  std::size_t bracket = authority.find(']');
  std::size_t colon = authority.rfind(':');
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    long long port = 0;
    if (!parse_int(authority.substr(colon + 1), &port) || port < 1 || port > 65535) {
      return refuse("invalid port");
    }
    config.port = static_cast<std::uint16_t>(port);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty() || authority.find_first_of("@ \r\n") != authority.npos) {
    return refuse("a host name is expected");
  }
  config.host = authority;
  return config;
}

std::string ClientConfig::url() const {
  return (tls ? "https://" : "http://") + join_host_port(host, port) + base_path;
}

Result<std::unique_ptr<Client>> Client::create(AsioExecutor& executor, ClientConfig config) {
  ignore_sigpipe();
  SslContext tls;
  if (config.host.starts_with('[') && config.host.ends_with(']')) {
    config.host = config.host.substr(1, config.host.size() - 2);
  }
  if (config.tls) {
    ClientTls settings{config.ca_pem, config.cert_pem, config.key_pem, config.insecure_skip_verify};
    ASSIGN_OR_RETURN(tls, make_client_context(settings));
  }
  auto core = std::make_shared<ClientCore>(executor, std::move(config), std::move(tls));
  return std::unique_ptr<Client>(std::make_unique<LiveClient>(std::move(core)));
}

}  // namespace coracle::net
