// SocketExchange: an answer that is told to a WebSocket client as messages, for logs: an empty one
// first, then what is written, piece by piece. Strand only. What the client sends counts for
// nothing. Binary messages, or text in base64 where the client chose base64.binary.k8s.io.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/server.hpp"
#include "net/websocket.hpp"

namespace coracle::apiserver {

class SocketExchange final : public net::Exchange {
 public:
  // In the order of preference.
  static const std::vector<std::string>& subprotocols();

  explicit SocketExchange(std::shared_ptr<net::WebSocket> socket);

  void respond(net::Response response) override;
  void begin_stream(int status, net::Headers headers) override;
  void write(net::Bytes bytes) override;
  std::size_t queued_bytes() const override { return socket_->queued_bytes(); }
  void end() override;
  void abort() override;
  std::shared_ptr<net::ByteStream> upgrade(int status, net::Headers headers) override;
  void on_close(std::function<void()> fn) override;
  void on_drain(std::function<void()> fn) override { socket_->on_drain(std::move(fn)); }
  bool closed() const override { return socket_->closed(); }

 private:
  void send(std::string_view data);

  const std::shared_ptr<net::WebSocket> socket_;
  const bool base64_;
  std::vector<std::function<void()>> closers_;
};

}  // namespace coracle::apiserver
