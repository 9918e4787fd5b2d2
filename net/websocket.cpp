#include "net/websocket.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/websocket_frames.hpp"

namespace coracle::net {
namespace {

constexpr int kNormal = 1000, kNoCode = 1005, kBroken = 1006, kProtocolError = 1002;

std::string accept_key(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  return base64_encode({reinterpret_cast<char*>(digest), size});
}

// Shared with the callbacks of the stream, so that a WebSocket may be dropped inside them.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<ByteStream> stream, bool is_client)
      : stream_(std::move(stream)),
        is_client_(is_client),
        decoder_(/*expect_masked=*/!is_client, WebSocket::kMaxMessage) {}

  void start() {
    stream_->on_close([self = shared_from_this()] { self->ended(kBroken, ""); });
  }

  void write(Opcode opcode, std::string_view payload) {
    if (over_) return;
    std::optional<std::uint32_t> mask;
    if (is_client_) {
      mask.emplace(0);
      RAND_bytes(reinterpret_cast<unsigned char*>(&*mask), sizeof *mask);
    }
    stream_->write(make_bytes(encode_frame(opcode, payload, mask)));
  }

  void listen(std::function<void(std::string_view, bool)> fn) {
    bool first = !message_fn_;
    message_fn_ = std::move(fn);
    if (first && !over_) {
      stream_->on_data([self = shared_from_this()](std::string_view data) { self->take(data); });
    }
  }

  void pause(bool paused) {
    if (std::exchange(paused_, paused) == paused || over_) return;
    if (paused) return stream_->pause(true);
    auto self = shared_from_this();
    work();  // what came with the message after which it was paused
    if (!over_ && !paused_) stream_->pause(false);
  }

  void close(int code, std::string_view reason) {
    if (over_) return;
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    payload.append(reason.substr(0, 123));
    write(Opcode::kClose, payload);
    over_ = true;
    stream_->close();
    release();
  }

  void drop() {
    if (!over_) stream_->close();
    over_ = true;
    release();
  }

  std::shared_ptr<ByteStream> stream_;
  std::function<void(int, std::string)> close_fn_;
  bool over_ = false;

 private:
  void take(std::string_view data) {
    auto self = shared_from_this();
    decoder_.feed(data);
    work();
  }

  void work() {
    if (std::exchange(working_, true)) return;
    while (!over_ && !paused_) {
      auto message = decoder_.next();
      if (!message) break;
      handle(*message);
    }
    working_ = false;
    if (over_ || decoder_.error() == 0) return;
    int code = decoder_.error();
    fail(code, code == 1009 ? "message too big" : "protocol error");
  }

  void handle(const FrameDecoder::Message& message) {
    switch (message.opcode) {
      case Opcode::kPing:
        return write(Opcode::kPong, message.data);
      case Opcode::kPong:
        return;
      case Opcode::kClose:
        return closed_by_peer(message.data);
      default:
        break;
    }
    auto fn = message_fn_;  // it may be replaced or dropped by what it does
    if (fn) fn(message.data, message.opcode == Opcode::kBinary);
  }

  void closed_by_peer(const std::string& payload) {
    if (payload.empty()) return fail(kNoCode, "");
    int code = payload.size() < 2 ? 0
                                  : static_cast<unsigned char>(payload[0]) << 8 |
                                        static_cast<unsigned char>(payload[1]);
    bool legal = (code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006);
    if (!legal || !valid_utf8(std::string_view(payload).substr(2))) {
      return fail(kProtocolError, "bad close frame");
    }
    fail(code, payload.substr(2));
  }

  // Answers with the same code, and tells the owner.
  void fail(int code, const std::string& reason) {
    auto fn = std::move(close_fn_);
    close(code == kNoCode ? kNormal : code, "");
    if (fn) fn(code, reason);
  }

  void ended(int code, const std::string& reason) {
    if (over_) return;
    over_ = true;
    auto fn = std::move(close_fn_);
    release();
    if (fn) fn(code, reason);
  }

  void release() {
    message_fn_ = nullptr;
    close_fn_ = nullptr;
  }

  bool is_client_;
  bool paused_ = false, working_ = false;
  FrameDecoder decoder_;
  std::function<void(std::string_view, bool)> message_fn_;
};

class LiveWebSocket final : public WebSocket {
 public:
  LiveWebSocket(std::shared_ptr<ByteStream> stream, bool is_client, std::string subprotocol)
      : session_(std::make_shared<Session>(std::move(stream), is_client)),
        subprotocol_(std::move(subprotocol)) {
    session_->start();
  }
  ~LiveWebSocket() override { session_->drop(); }

  void on_message(std::function<void(std::string_view, bool)> fn) override {
    session_->listen(std::move(fn));
  }
  void on_close(std::function<void(int, std::string)> fn) override {
    session_->close_fn_ = std::move(fn);
  }
  void on_drain(std::function<void()> fn) override { session_->stream_->on_drain(std::move(fn)); }
  void send(std::string_view data, bool binary) override {
    session_->write(binary ? Opcode::kBinary : Opcode::kText, data);
  }
  void ping(std::string_view data) override { session_->write(Opcode::kPing, data.substr(0, 125)); }
  std::size_t queued_bytes() const override { return session_->stream_->queued_bytes(); }
  void pause(bool paused) override { session_->pause(paused); }
  void close(int code, std::string_view reason) override { session_->close(code, reason); }
  bool closed() const override { return session_->over_; }
  const std::string& subprotocol() const override { return subprotocol_; }

 private:
  std::shared_ptr<Session> session_;
  std::string subprotocol_;
};

}  // namespace

bool is_websocket_upgrade(const Request& request) {
  return request.headers.has_token("Connection", "upgrade") &&
         request.headers.has_token("Upgrade", "websocket");
}

Result<std::shared_ptr<WebSocket>> accept_websocket(const Request& request, Exchange& exchange,
                                                    const std::vector<std::string>& supported) {
  auto decoded = base64_decode(request.headers.get("Sec-WebSocket-Key"));
  if (request.method != "GET" || !is_websocket_upgrade(request) || !decoded.ok() ||
      decoded->size() != 16 || request.headers.get("Sec-WebSocket-Version") != "13") {
    return invalid_argument("not a WebSocket handshake of version 13");
  }
  std::string chosen;
  for (const std::string& name : supported) {
    if (request.headers.has_token("Sec-WebSocket-Protocol", name)) {
      chosen = name;
      break;
    }
  }
  if (chosen.empty() && !supported.empty() && request.headers.has("Sec-WebSocket-Protocol")) {
    return invalid_argument("none of the requested subprotocols is supported");
  }
  Headers headers{{"Connection", "Upgrade"},
                  {"Upgrade", "websocket"},
                  {"Sec-WebSocket-Accept", accept_key(request.headers.get("Sec-WebSocket-Key"))}};
  if (!chosen.empty()) headers.add("Sec-WebSocket-Protocol", chosen);
  return std::shared_ptr<WebSocket>(std::make_shared<LiveWebSocket>(
      exchange.upgrade(101, std::move(headers)), /*is_client=*/false, chosen));
}

Task<Result<std::shared_ptr<WebSocket>>> dial_websocket(Client& client, ClientRequest request,
                                                        std::vector<std::string> subprotocols,
                                                        std::shared_ptr<Response> refused) {
  unsigned char nonce[16];
  RAND_bytes(nonce, sizeof nonce);
  std::string key = base64_encode({reinterpret_cast<char*>(nonce), sizeof nonce});
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Sec-WebSocket-Version", "13");
  request.headers.set("Sec-WebSocket-Key", key);
  if (!subprotocols.empty()) {
    request.headers.set("Sec-WebSocket-Protocol", join(subprotocols, ", "));
  }
  auto head = refused ? refused : std::make_shared<Response>();
  CO_ASSIGN_OR_RETURN(auto stream, co_await client.upgrade(std::move(request), head));
  if (head->headers.get("Sec-WebSocket-Accept") != accept_key(key)) {
    stream->close();
    co_return unavailable("websocket: bad handshake");
  }
  std::string agreed(head->headers.get("Sec-WebSocket-Protocol"));
  co_return std::shared_ptr<WebSocket>(
      std::make_shared<LiveWebSocket>(std::move(stream), /*is_client=*/true, agreed));
}

}  // namespace coracle::net
