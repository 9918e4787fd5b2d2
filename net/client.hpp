// HTTP(S) client of one server: a bounded pool of keep-alive connections, and streams (watches,
// followed logs) on connections of their own. Runs wholly on one AsioExecutor strand.
//
// Failures are Statuses in the words of Go's net packages, because kubectl users know them:
//   Unavailable       "dial tcp 127.0.0.1:6443: connect: connection refused", "EOF",
//                     "tls: failed to verify certificate: x509: certificate signed by unknown
//                     authority"
//   DeadlineExceeded  "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
//   ResourceExhausted too many requests waiting for a connection, or an answer over max_response
// Any HTTP status, 500 too, is an ok Result: look at Response::status.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/status.hpp"
#include "base/task.hpp"
#include "net/http.hpp"

namespace coracle::net {

class AsioExecutor;
class ByteStream;

struct ClientConfig {
  std::string host;  // name or address; [] around IPv6 is optional
  std::uint16_t port = 443;
  bool tls = true;
  std::string base_path;  // put before every target; "" or "/prefix"

  std::string ca_pem;    // empty: the system's
  std::string cert_pem;  // client certificate, with key_pem
  std::string key_pem;
  std::string server_name;  // for verification; empty: host
  bool insecure_skip_verify = false;

  std::string bearer_token;
  std::string user_agent = "coracle";

  Duration connect_timeout = std::chrono::seconds(10);  // dial and handshake together
  Duration request_timeout = std::chrono::seconds(60);  // whole exchange; 0: none; not for streams
  Duration idle_timeout = std::chrono::seconds(90);
  std::size_t max_connections = 32;  // for request(); more wait in line
  std::size_t max_waiting = 10'000;
  std::size_t max_streams = 1'000;
  std::size_t max_response = 256u << 20;

  // Fills host, port, tls and base_path. InvalidArgument for what is no http or https URL.
  static Result<ClientConfig> from_url(std::string_view url);
  std::string url() const;  // "https://127.0.0.1:6443/prefix"
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // encoded path and query
  Headers headers;           // Host, Authorization, Content-Length, User-Agent are added
  std::string body;
  Duration timeout{0};      // 0: the client's
  bool repeatable = false;  // may be sent twice whatever its method: it only asks
};

// What arrives of a streamed answer, in this order: on_headers once, on_data often, on_end once and
// last. on_end gets Ok at the orderly end, "unexpected EOF" (Unavailable) at a broken one. Any
// status code streams.
struct StreamSink {
  std::function<void(Response head)> on_headers;  // body and chunks empty
  std::function<void(std::string_view)> on_data;  // chunk framing removed, any slicing
  std::function<void(Status)> on_end;
};

// Cancels when dropped. After cancel() nothing of the sink runs any more.
class StreamHandle {
 public:
  virtual ~StreamHandle() = default;
  virtual void cancel() = 0;
  // While paused nothing is read from the server: for a reader that is slower than it.
  virtual void pause(bool paused) = 0;
};

class Client {
 public:
  // Bad PEM: InvalidArgument.
  static Result<std::unique_ptr<Client>> create(AsioExecutor& executor, ClientConfig config);
  // What is under way ends with Cancelled. Not inside a callback of its own.
  virtual ~Client() = default;

  // A request that met a pooled connection which the server had closed meanwhile is sent once more
  // if that is safe: no byte of an answer came, and it is repeatable or its method idempotent.
  virtual Task<Result<Response>> request(ClientRequest request) = 0;
  // The same with a callback, which never runs inside the call.
  virtual void request(ClientRequest request, std::function<void(Result<Response>)> done) = 0;

  // No callback of the sink runs inside the call. `timeout` bounds the time to the head only.
  virtual std::unique_ptr<StreamHandle> start_stream(ClientRequest request, StreamSink sink) = 0;

  // Sends an Upgrade request (the caller sets Connection and Upgrade); on 101 gives the raw stream,
  // else a Status. `answer`, when not null, gets the server's answer either way.
  virtual Task<Result<std::shared_ptr<ByteStream>>> upgrade(
      ClientRequest request, std::shared_ptr<Response> answer = nullptr) = 0;

  virtual const ClientConfig& config() const = 0;
  virtual void set_bearer_token(std::string token) = 0;  // for requests from now on
};

}  // namespace coracle::net
