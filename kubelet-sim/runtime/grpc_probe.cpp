#include "kubelet_runtime/grpc_probe.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "kubelet/low_ports.hpp"
#include "net/grpc_channel.hpp"
#include "net/tcp.hpp"

namespace coracle::kubelet {
namespace {

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr Duration kLook = std::chrono::milliseconds(5);
constexpr int kNotImplemented = 12;

// HealthCheckRequest {string service = 1}.
std::string check_request(const std::string& service) {
  if (service.empty()) return {};
  std::string message = "\x0a";
  for (size_t n = service.size(); true; n >>= 7) {
    message += static_cast<char>((n & 127) | (n > 127 ? 128 : 0));
    if (n <= 127) break;
  }
  return message + service;
}

// HealthCheckResponse {ServingStatus status = 1}.
const char* status_name(const std::string& message) {
  const int status = message.size() >= 2 && message[0] == 8 ? message[1] : 0;
  constexpr const char* kNames[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
  return status >= 0 && status < 4 ? kNames[status] : kNames[0];
}

// Go's names of gRPC's codes.
const char* code_name(int code) {
  constexpr const char* kNames[] = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return code >= 0 && code < 17 ? kNames[code] : "Unknown";
}

std::string go_seconds(Duration d) {
  return fmt::format("{}s", std::chrono::duration_cast<std::chrono::seconds>(d).count());
}

class GrpcProbe : public std::enable_shared_from_this<GrpcProbe> {
 public:
  GrpcProbe(net::AsioExecutor& executor, std::string host, std::uint16_t port, std::string service,
            Duration timeout, ProbeDone done)
      : executor_(executor),
        host_(std::move(host)),
        port_(port),
        service_(std::move(service)),
        timeout_(timeout),
        done_(std::move(done)) {}

  void begin() {
    until_ = executor_.now() + timeout_;
    timer_ = executor_.after(timeout_, [self = shared_from_this()] { self->late(); });
    dial(port_);
  }

 private:
  using Socket = Result<std::shared_ptr<net::TcpSocket>>;

  // A socket first: it says at once, and in Go's words, that nobody is there.
  void dial(std::uint16_t port) {
    spawn<Socket>(net::dial_tcp(executor_, host_, port), [self = shared_from_this(),
                                                          port](const Socket& socket) {
      if (socket.ok()) {
        (*socket)->close();
        return self->connect(port);
      }
      if (port == self->port_ && moved_port(port) != port) {
        return self->dial(moved_port(port));
      }
      self->answer({false, fmt::format("error: failed to connect service at "
                                       "\"{}:{}\": connection error: desc = "
                                       "\"transport: Error while dialing: {}\"",
                                       self->host_, self->port_, socket.status().message())});
    });
  }

  void connect(std::uint16_t port) {
    if (!done_) return;
    net::GrpcTarget target;
    target.host = host_;
    target.port = port;
    channel_ = net::GrpcChannel::create(executor_, std::move(target));
    look();
  }

  void look() {
    if (!done_) return;
    if (!channel_->ready()) {
      executor_.after(kLook, [self = shared_from_this()] { self->look(); });
      return;
    }
    connected_ = true;
    channel_->unary(
        kCheck, check_request(service_), until_ - executor_.now(),
        [self = shared_from_this()](const net::GrpcStatus& status, const std::string& reply) {
          self->replied(status, reply);
        });
  }

  void replied(const net::GrpcStatus& status, const std::string& reply) {
    if (status.ok()) {
      const std::string name = status_name(reply);
      if (name == "SERVING") return answer({true, "service healthy"});
      return answer({false, fmt::format("service unhealthy (responded with \"{}\")", name)});
    }
    if (status.code == kNotImplemented) {
      return answer({false,
                     "error: this server does not implement the grpc health protocol "
                     "(grpc.health.v1.Health): " +
                         status.message});
    }
    if (status.code == net::GrpcStatus::kDeadlineExceeded) return late();
    answer({false, fmt::format("error: health rpc probe failed: rpc error: code = {} desc = {}",
                               code_name(status.code), status.message)});
  }

  void late() {
    const std::string within = go_seconds(timeout_);
    answer({false, connected_ ? "timeout: health rpc did not complete within " + within
                              : fmt::format("timeout: failed to connect service \"{}:{}\" within "
                                            "{}: context deadline exceeded",
                                            host_, port_, within)});
  }

  void answer(ProbeAnswer said) {
    executor_.cancel(timer_);
    const auto done = std::exchange(done_, nullptr);
    if (!done) return;
    // The channel may not end inside a callback of its own.
    executor_.post([channel = std::shared_ptr<net::GrpcChannel>(std::move(channel_))] {});
    done(std::move(said));
  }

  net::AsioExecutor& executor_;
  const std::string host_;
  const std::uint16_t port_;
  const std::string service_;
  const Duration timeout_;
  ProbeDone done_;  // null: answered
  TimePoint until_;
  Executor::TimerId timer_ = 0;
  bool connected_ = false;
  std::unique_ptr<net::GrpcChannel> channel_;
};

}  // namespace

void probe_grpc(net::AsioExecutor& executor, const std::string& host, std::uint16_t port,
                const std::string& service, Duration timeout, ProbeDone done) {
  std::make_shared<GrpcProbe>(executor, host, port, service, timeout, std::move(done))->begin();
}

}  // namespace coracle::kubelet
