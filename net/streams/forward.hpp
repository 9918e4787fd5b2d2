// forward: passes a request on to another server and its answer back, as a reverse proxy does:
// streamed, or, when the client asks for an upgrade, as bytes both ways. Strand only.
//
// Bound: of an answer at most kForwardBacklogMax bytes wait for a client that reads slowly; then
// the server is not read. A client that goes away ends the request.
#pragma once

#include <functional>
#include <memory>

#include "net/client.hpp"
#include "net/server.hpp"

namespace coracle::net {

class AsioExecutor;

inline constexpr std::size_t kForwardBacklogMax = 1u << 20;

// Changes a body on its way.
class BodyFilter {
 public:
  virtual ~BodyFilter() = default;
  // What can go on of what has come; `last` when no more comes.
  virtual std::string pass(std::string_view bytes, bool last) = 0;
};

struct Forwarding {
  std::shared_ptr<Client> client;  // held until the answer has ended
  ClientRequest request;           // headers as the server should see them; see end_to_end()
  std::shared_ptr<Exchange> exchange;
  // Changes the head before it goes to the client; may ask for a filter of the body. Optional.
  std::function<std::unique_ptr<BodyFilter>(Response& head)> on_head;
  // Stands for an answer of 400 and more: gets it whole, cut at 1 MiB. Optional: it is passed on.
  std::function<Response(Response)> on_refusal;
  // When there is no answer.
  std::function<Response(const Status&)> on_failure;
};

void forward(AsioExecutor& executor, Forwarding forwarding);
// With the client's own Connection and Upgrade (and Sec-WebSocket-*) headers.
void forward_upgrade(AsioExecutor& executor, Forwarding forwarding);

// Does the client want another protocol on this connection?
bool asks_upgrade(const Request& request);
// Without what concerns one connection only (RFC 9110 section 7.6.1), and without Host and
// Content-Length, which each hop writes anew.
Headers end_to_end(const Headers& headers);
// The Connection and Upgrade headers of a request, for forward_upgrade().
void keep_upgrade(const Headers& from, Headers* to);

}  // namespace coracle::net
