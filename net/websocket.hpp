// WebSocket (RFC 6455) over an upgraded connection, for servers and clients. Strand only. Pings are
// answered here; fragments are joined; no extensions.
//
// A peer that breaks the protocol is told (1002, 1007 text not UTF-8, 1009 message over
// max_message) and closed. What is sent queues without bound: look at queued_bytes().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "base/task.hpp"
#include "net/client.hpp"
#include "net/server.hpp"

namespace coracle::net {

class WebSocket {
 public:
  static constexpr std::size_t kMaxMessage = 16u << 20;

  virtual ~WebSocket() = default;  // breaks the connection, without a close frame
  // Messages are kept back until this is set; set it before returning to the executor.
  virtual void on_message(std::function<void(std::string_view data, bool binary)> fn) = 0;
  // Runs once, when the peer has closed (with its code, 1005 if it gave none) or the connection
  // broke (1006). Not after our own close() or the destructor.
  virtual void on_close(std::function<void(int code, std::string reason)> fn) = 0;
  virtual void on_drain(std::function<void()> fn) = 0;
  virtual void send(std::string_view data, bool binary) = 0;  // ignored when closed
  virtual void ping(std::string_view data) = 0;
  virtual std::size_t queued_bytes() const = 0;
  virtual void pause(bool paused) = 0;  // no messages while paused, and no news of the peer's end
  virtual void close(int code, std::string_view reason) = 0;  // sends what is queued first
  virtual bool closed() const = 0;
  virtual const std::string& subprotocol() const = 0;  // "" if none was agreed on
};

bool is_websocket_upgrade(const Request& request);

// Answers 101 and takes the connection, with the first of `supported` (the server's order) that the
// client offers. InvalidArgument, with the exchange unanswered: a bad handshake, or no
// common subprotocol although the client asks for one and `supported` is not empty.
Result<std::shared_ptr<WebSocket>> accept_websocket(const Request& request, Exchange& exchange,
                                                    const std::vector<std::string>& supported);

// `client` must outlive the Task. `refused` gets the head of the server's answer.
Task<Result<std::shared_ptr<WebSocket>>> dial_websocket(
    Client& client, ClientRequest request, std::vector<std::string> subprotocols,
    std::shared_ptr<Response> refused = nullptr);

}  // namespace coracle::net
