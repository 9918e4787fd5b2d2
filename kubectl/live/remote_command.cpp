#include "live/remote_command.hpp"

#include <signal.h>
#include <unistd.h>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "net/websocket.hpp"
#include "net_streams/channels.hpp"

namespace coracle::kubectl {
namespace {

constexpr Duration kPingEvery = std::chrono::seconds(5);

class Remote : public std::enable_shared_from_this<Remote> {
 public:
  Remote(Link& link, std::shared_ptr<net::WebSocket> socket, RemoteStreams streams)
      : link_(link),
        socket_(std::move(socket)),
        form_(net::channel_form(socket_->subprotocol())),
        streams_(std::move(streams)) {}

  void start() {
    auto self = shared_from_this();
    socket_->on_message([self](std::string_view data, bool) { self->take(data); });
    socket_->on_close([self](int code, const std::string& why) { self->closed(code, why); });
    socket_->on_drain([self] { self->pump(); });
    if (streams_.tty) {
      send_size();
      link_.executor().on_signal(SIGWINCH, [weak = weak_from_this()] {
        if (const auto held = weak.lock()) held->send_size();
      });
    }
    ping();
    pump();
  }
  bool over() const { return over_; }
  RemoteEnd end() && { return std::move(end_); }
  void stop() { link_.executor().cancel(ping_timer_); }

 private:
  void send(std::uint8_t channel, std::string_view data) {
    socket_->send(net::encode_channel(form_, channel, data), /*binary=*/true);
  }
  void send_size() {
    const auto size = terminal_size(STDIN_FILENO);
    if (size && !over_) send(net::kResize, net::size_text(*size));
  }
  // A server that went away without a word is noticed.
  void ping() {
    ping_timer_ = link_.executor().after(kPingEvery, [self = shared_from_this()] {
      if (self->over_) return;
      self->socket_->ping("");
      self->ping();
    });
  }

  void take(std::string_view data) {
    const auto message = net::decode_channel(form_, data);
    if (!message) return;
    switch (message->channel) {
      case net::kStdout:
        if (streams_.out) streams_.out(message->data);
        return;
      case net::kStderr:
        if (streams_.err) streams_.err(message->data);
        return;
      case net::kStatusChannel:
        status_ += message->data;
        return;
      default:
        return;
    }
  }

  void pump() {
    if (streams_.input == nullptr || reading_ || input_ended_ || over_ ||
        socket_->queued_bytes() > kRemoteBacklogMax) {
      return;
    }
    reading_ = true;
    streams_.input->read([self = shared_from_this()](const std::string& piece) {
      self->reading_ = false;
      if (self->over_) return;
      if (piece.empty()) {
        self->input_ended_ = true;
        if (self->form_.close_signal) {
          self->send(net::kCloseChannel, std::string(1, static_cast<char>(net::kStdin)));
        }
        return;
      }
      self->send(net::kStdin, piece);
      self->pump();
    });
  }

  void closed(int code, const std::string& why) {
    over_ = true;
    if (!status_.empty()) {
      end_ = parse_remote_end(status_);
    } else if (code != 1000) {
      end_.failure = "websocket: close " + std::to_string(code) +
                     (why.empty() ? " (abnormal closure): unexpected EOF" : ": " + why);
    }
  }

  Link& link_;
  const std::shared_ptr<net::WebSocket> socket_;
  const net::ChannelForm form_;
  const RemoteStreams streams_;
  std::string status_;
  RemoteEnd end_;
  Executor::TimerId ping_timer_ = 0;
  bool reading_ = false, input_ended_ = false, over_ = false;
};

}  // namespace

RemoteEnd run_remote(Link& link, const std::string& target, RemoteStreams streams) {
  auto answer = std::make_shared<net::Response>();
  answer->status = 0;
  auto socket = net::block_on(
      link.executor(), net::dial_websocket(link.client(), link.request("GET", target),
                                           {"v5.channel.k8s.io", "v4.channel.k8s.io"}, answer));
  if (!socket.ok()) return {0, upgrade_error(socket.status(), *answer), {}};
  const auto remote = std::make_shared<Remote>(link, std::move(*socket), std::move(streams));
  remote->start();
  link.executor().run_until([&] { return remote->over(); });
  remote->stop();
  return std::move(*remote).end();
}

RemoteEnd parse_remote_end(const std::string& text) {
  const auto status = parse_json(text);
  if (!status.ok()) return {0, {}, "error stream protocol error: " + text};
  if (get_string(*status, "status") == "Success") return {};
  if (get_string(*status, "reason") == "NonZeroExitCode") {
    for (const json::value& cause : get_array(*status, "details.causes")) {
      long long code = 0;
      if (get_string(cause, "reason") == "ExitCode" &&
          parse_int(get_string(cause, "message"), &code)) {
        return {static_cast<int>(code), {}, {}};
      }
    }
  }
  return {0, {}, std::string(get_string(*status, "message"))};
}

}  // namespace coracle::kubectl
