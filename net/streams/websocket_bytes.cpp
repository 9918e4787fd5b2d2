#include "net_streams/websocket_bytes.hpp"

namespace coracle::net {
namespace {

class WebSocketBytes final : public ByteStream {
 public:
  explicit WebSocketBytes(std::shared_ptr<WebSocket> socket) : socket_(std::move(socket)) {}

  void on_data(std::function<void(std::string_view)> fn) override {
    socket_->on_message([fn = std::move(fn)](std::string_view data, bool) { fn(data); });
  }
  void on_close(std::function<void()> fn) override {
    socket_->on_close([fn = std::move(fn)](int, const std::string&) { fn(); });
  }
  void on_drain(std::function<void()> fn) override { socket_->on_drain(std::move(fn)); }
  void write(Bytes bytes) override { socket_->send(*bytes, /*binary=*/true); }
  std::size_t queued_bytes() const override { return socket_->queued_bytes(); }
  void pause(bool paused) override { socket_->pause(paused); }
  void close() override { socket_->close(1000, ""); }
  bool closed() const override { return socket_->closed(); }

 private:
  const std::shared_ptr<WebSocket> socket_;
};

}  // namespace

std::shared_ptr<ByteStream> bytes_of_websocket(std::shared_ptr<WebSocket> socket) {
  return std::make_shared<WebSocketBytes>(std::move(socket));
}

}  // namespace coracle::net
