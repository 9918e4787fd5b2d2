#include "kubelet_server/remote_command.hpp"

#include <map>

#include "kubelet_server/command_connection.hpp"
#include "kubelet_server/stream_upgrade.hpp"
#include "net/websocket.hpp"
#include "net_streams/channels.hpp"
#include "net_streams/spdy_session.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kStreamsTimeout = std::chrono::seconds(30);  // for all of SPDY's to be opened

const std::vector<std::string>& spdy_protocols() {
  static const std::vector<std::string> kNames = {"v4.channel.k8s.io", "v3.channel.k8s.io",
                                                  "v2.channel.k8s.io", "channel.k8s.io"};
  return kNames;
}

bool is_set(const net::Query& query, std::string_view name) { return query.get(name) == "1"; }

class WebSocketCommand final : public CommandConnection {
 public:
  using CommandConnection::CommandConnection;

  void start(std::shared_ptr<net::WebSocket> socket) {
    socket_ = std::move(socket);
    form_ = net::channel_form(socket_->subprotocol());
    auto self = std::static_pointer_cast<WebSocketCommand>(shared_from_this());
    socket_->on_message([self](std::string_view data, bool) { self->take(data); });
    socket_->on_close([self](int, const std::string&) { self->hang_up(); });
    socket_->on_drain([self] { self->take_drain(); });
    run();
  }

  void on_output(StreamOut stream, std::string_view data) override {
    const auto channel = stream == StreamOut::kOutput ? net::kStdout : net::kStderr;
    send(channel, data);
  }
  std::size_t queued_bytes() const override { return socket_->queued_bytes(); }

 protected:
  void finish(const json::value& status, const std::string& text) override {
    const std::string told = form_.json_status ? to_json(status) : text;
    if (!told.empty()) send(net::kStatusChannel, told);
    socket_->close(1000, "");
  }
  void pause_input(bool paused) override { socket_->pause(paused); }

 private:
  void send(std::uint8_t channel, std::string_view data) {
    socket_->send(net::encode_channel(form_, channel, data), !form_.text_frames());
  }

  void take(std::string_view data) {
    const auto message = net::decode_channel(form_, data);
    if (!message) return;
    if (message->channel == net::kStdin) return take_input(message->data);
    if (message->channel == net::kResize) return take_size(message->data);
    if (message->channel == net::kCloseChannel && form_.close_signal &&
        message->data == std::string(1, static_cast<char>(net::kStdin))) {
      take_input_end();
    }
  }

  std::shared_ptr<net::WebSocket> socket_;
  net::ChannelForm form_;
};

// Waits for the streams the client has to open, then runs.
class SpdyCommand final : public CommandConnection {
 public:
  using CommandConnection::CommandConnection;

  void start(const std::shared_ptr<net::ByteStream>& transport, const std::string& protocol) {
    json_status_ = protocol == "v4.channel.k8s.io";
    sizes_ = json_status_ || protocol == "v3.channel.k8s.io";
    connection_ = std::make_shared<net::SpdySession>(transport, net::SpdySession::Role::kServer);
    auto self = std::static_pointer_cast<SpdyCommand>(shared_from_this());
    net::SpdySession::Events events;
    events.on_stream = [self](Id id, const net::Headers& headers) { self->opened(id, headers); };
    events.on_data = [self](Id id, std::string_view data) { self->take(id, data); };
    events.on_fin = [self](Id id) { self->ended(id); };
    events.on_reset = [self](Id id) { self->ended(id); };
    events.on_drain = [self] { self->take_drain(); };
    events.on_gone = [self] { self->gone(); };
    connection_->start(std::move(events));
    timer_ = executor().after(kStreamsTimeout, [self] { self->connection_->close(); });
  }

  void on_output(StreamOut stream, std::string_view data) override {
    connection_->write(id_of(stream == StreamOut::kOutput ? "stdout" : "stderr"), data);
  }
  std::size_t queued_bytes() const override { return connection_->queued_bytes(); }

 protected:
  void finish(const json::value& status, const std::string& text) override {
    connection_->write(id_of("error"), json_status_ ? to_json(status) : text);
    for (const char* name : {"stdout", "stderr", "error"}) connection_->fin(id_of(name));
    connection_->close();
  }
  void pause_input(bool paused) override { connection_->pause(paused); }

 private:
  using Id = net::SpdySession::StreamId;

  Id id_of(const std::string& name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? 0 : found->second;
  }
  bool expected(const std::string& name) const {
    return name == "error" || (name == "stdin" && spec().input) ||
           (name == "stdout" && spec().output) || (name == "stderr" && spec().error) ||
           (name == "resize" && spec().tty && sizes_);
  }

  void opened(Id id, const net::Headers& headers) {
    const std::string name(headers.get("streamtype"));
    if (!expected(name) || ids_.contains(name)) {
      return connection_->reset(id, net::spdy::kRefusedStream);
    }
    ids_[name] = id;
    for (const char* one : {"error", "stdin", "stdout", "stderr", "resize"}) {
      if (expected(one) && !ids_.contains(one)) return;
    }
    executor().cancel(timer_);
    run();
    running_ = true;
    // What came before the command ran, in order.
    if (const std::string early = std::exchange(early_, {}); !early.empty()) take_input(early);
    if (stdin_ended_) take_input_end();
  }

  void take(Id id, std::string_view data) {
    if (id == id_of("stdin")) {
      if (running_) return take_input(data);
      early_ += data;
      if (early_.size() > kStreamBacklogMax) connection_->close();  // it never opens the rest
    } else if (id == id_of("resize")) {
      resize_text_ += data;
      for (std::size_t end; (end = resize_text_.find('}')) != resize_text_.npos;) {
        take_size(resize_text_.substr(0, end + 1));
        resize_text_.erase(0, end + 1);
      }
      if (resize_text_.size() > 4096) resize_text_.clear();
    }
  }

  void ended(Id id) {
    if (id != id_of("stdin")) return;
    stdin_ended_ = true;
    if (running_) take_input_end();
  }

  void gone() {
    executor().cancel(timer_);
    hang_up();
  }

  std::shared_ptr<net::SpdySession> connection_;
  std::map<std::string, Id> ids_;
  Executor::TimerId timer_ = 0;
  std::string early_, resize_text_;
  bool json_status_ = false, sizes_ = false, running_ = false, stdin_ended_ = false;
};

}  // namespace

Result<ExecSpec> parse_exec_spec(const net::Query& query, bool attach) {
  ExecSpec spec;
  if (!attach) spec.command = query.all("command");
  spec.tty = is_set(query, "tty");
  spec.input = is_set(query, "input");
  spec.output = is_set(query, "output");
  spec.error = is_set(query, "error") && !spec.tty;
  if (!spec.input && !spec.output && !spec.error) {
    return invalid_argument("you must specify at least 1 of stdin, stdout, stderr");
  }
  if (!attach && (spec.command.empty() || spec.command[0].empty())) {
    return invalid_argument("you must specify at least one command for the container");
  }
  return spec;
}

void serve_remote_command(Executor& executor, ContainerStreams& streams,
                          const ContainerRef& container, bool attach, const net::Request& request,
                          const std::shared_ptr<net::Exchange>& exchange) {
  const auto spec = parse_exec_spec(request.query, attach);
  if (!spec.ok()) return exchange->respond(plain_answer(400, spec.status().message() + "\n"));
  const auto pod = streams.address_of(container.ns, container.pod);
  if (pod.status().code() == Code::kNotFound) {
    return exchange->respond(plain_answer(404, pod.status().message() + "\n"));
  }
  if (net::is_websocket_upgrade(request)) {
    auto socket = net::accept_websocket(request, *exchange, net::exec_subprotocols());
    if (!socket.ok()) return exchange->respond(plain_answer(400, socket.status().message() + "\n"));
    return std::make_shared<WebSocketCommand>(executor, streams, container, *spec)
        ->start(std::move(*socket));
  }
  if (!is_spdy_upgrade(request)) {
    return exchange->respond(plain_answer(400, "Upgrade request required\n"));
  }
  const auto protocol = choose_stream_protocol(request, spdy_protocols());
  if (!protocol.ok()) {
    return exchange->respond(refuse_protocol(protocol.status(), spdy_protocols()));
  }
  std::make_shared<SpdyCommand>(executor, streams, container, *spec)
      ->start(accept_spdy(*exchange, *protocol), *protocol);
}

}  // namespace coracle::kubelet
