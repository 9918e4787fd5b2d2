#include "apiserver/registry/socket_exchange.hpp"

#include "base/check.hpp"
#include "base/encoding.hpp"

namespace coracle::apiserver {

namespace {

constexpr int kDone = 1000, kBroken = 1011;
constexpr std::string_view kBase64 = "base64.binary.k8s.io";

}  // namespace

const std::vector<std::string>& SocketExchange::subprotocols() {
  static const std::vector<std::string> kNames = {"binary.k8s.io", std::string(kBase64)};
  return kNames;
}

SocketExchange::SocketExchange(std::shared_ptr<net::WebSocket> socket)
    : socket_(std::move(socket)), base64_(socket_->subprotocol() == kBase64) {
  socket_->on_message([](std::string_view, bool) {});
  socket_->on_close([this](int, const std::string&) {
    for (const auto& fn : std::exchange(closers_, {})) fn();
  });
  send("");
}

void SocketExchange::send(std::string_view data) {
  if (base64_)
    socket_->send(base64_encode(data), /*binary=*/false);
  else
    socket_->send(data, /*binary=*/true);
}

void SocketExchange::respond(net::Response response) {
  if (!response.body.empty()) send(response.body);
  end();
}

void SocketExchange::begin_stream(int, net::Headers) {}

void SocketExchange::write(net::Bytes bytes) {
  if (bytes && !bytes->empty()) send(*bytes);
}

void SocketExchange::end() {
  closers_.clear();
  socket_->close(kDone, "");
}

void SocketExchange::abort() { socket_->close(kBroken, ""); }

std::shared_ptr<net::ByteStream> SocketExchange::upgrade(int, net::Headers) {
  CHECK_MSG(false, "a log does not upgrade");
  return nullptr;
}

void SocketExchange::on_close(std::function<void()> fn) { closers_.push_back(std::move(fn)); }

}  // namespace coracle::apiserver
