#include "kubelet_server/port_forward.hpp"

#include <map>
#include <set>

#include "base/strings.hpp"
#include "kubelet_server/port_pipe.hpp"
#include "kubelet_server/stream_upgrade.hpp"
#include "net/websocket.hpp"
#include "net_streams/channels.hpp"
#include "net_streams/spdy_session.hpp"
#include "net_streams/websocket_bytes.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kPairTimeout = std::chrono::seconds(30);
constexpr std::string_view kTunnel = "SPDY/3.1+portforward.k8s.io";
constexpr std::size_t kMaxPorts = 100;  // of one WebSocket: two channels each in a byte

const std::vector<std::string>& spdy_protocols() {
  static const std::vector<std::string> kNames = {"portforward.k8s.io"};
  return kNames;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  long long number = 0;
  if (!parse_int(text, &number) || number < 1 || number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

struct Place {
  net::AsioExecutor& executor;
  const ContainerStreams& streams;
  ForwardedPod pod;

  std::string failure(std::uint16_t port, const std::string& why) const {
    return "error forwarding port " + std::to_string(port) + " to pod " + pod.ns + "/" + pod.name +
           ": " + why;
  }
};

// Over SPDY, plain or tunnelled.
class SpdyForward : public std::enable_shared_from_this<SpdyForward> {
 public:
  explicit SpdyForward(Place place) : place_(std::move(place)) {}

  void start(const std::shared_ptr<net::ByteStream>& transport) {
    connection_ = std::make_shared<net::SpdySession>(transport, net::SpdySession::Role::kServer);
    auto self = shared_from_this();
    net::SpdySession::Events events;
    events.on_stream = [self](Id id, const net::Headers& headers) { self->opened(id, headers); };
    events.on_data = [self](Id id, std::string_view data) { self->take(id, data); };
    events.on_fin = [self](Id id) { self->ended(id); };
    events.on_reset = [self](Id id) { self->given_up(id); };
    events.on_drain = [self] { self->drained(); };
    events.on_gone = [self] { self->gone(); };
    connection_->start(std::move(events));
  }

 private:
  using Id = net::SpdySession::StreamId;
  struct Pair {
    Id data = 0, error = 0;
    std::uint16_t port = 0;
    std::shared_ptr<PortPipe> pipe;
    std::string early;  // data before the error stream is there
    bool early_end = false;
  };

  void opened(Id id, const net::Headers& headers) {
    const std::string type(headers.get("streamtype"));
    const auto port = parse_port(headers.get("port"));
    if (!port || (type != "data" && type != "error")) {
      return connection_->reset(id, net::spdy::kRefusedStream);
    }
    // Without a number the two are neighbours, the error stream first.
    std::string key(headers.get("requestid"));
    if (key.empty()) key = std::to_string(type == "error" ? id : id - 2);
    Pair& pair = pairs_[key];
    Id& slot = type == "data" ? pair.data : pair.error;
    if (slot != 0) return connection_->reset(id, net::spdy::kRefusedStream);
    slot = id;
    pair.port = *port;
    if (type == "data") keys_[id] = key;
    if (pair.data != 0 && pair.error != 0) return connect(key, pair);
    place_.executor.after(kPairTimeout, [weak = weak_from_this(), key] {
      if (const auto self = weak.lock()) self->drop_incomplete(key);
    });
  }

  void drop_incomplete(const std::string& key) {
    const auto found = pairs_.find(key);
    if (found == pairs_.end() || found->second.pipe) return;
    forget(key, net::spdy::kCancel);
  }

  void connect(const std::string& key, Pair& pair) {
    auto self = shared_from_this();
    const Id data = pair.data;
    PortClient client;
    client.data = [self, data](std::string_view bytes) { self->connection_->write(data, bytes); };
    client.end = [self, data] { self->connection_->fin(data); };
    client.done = [self, key](const std::string& why) { self->done(key, why); };
    client.pause = [self, data](bool paused) { self->pause(data, paused); };
    client.queued_bytes = [self] { return self->connection_->queued_bytes(); };
    pair.pipe = std::make_shared<PortPipe>(std::move(client));
    const auto address = place_.streams.address_of(place_.pod.ns, place_.pod.name);
    if (!address.ok()) return done(key, address.status().message());
    // It may be over before open() returns, and the pair gone.
    const auto pipe = pair.pipe;
    const std::string early = std::exchange(pair.early, {});
    const bool early_end = pair.early_end;
    pipe->open(place_.executor, *address, pair.port);
    if (!early.empty()) pipe->input(early);
    if (early_end) pipe->end_input();
  }

  Pair* pair_of(Id data) {
    const auto key = keys_.find(data);
    return key == keys_.end() ? nullptr : &pairs_.at(key->second);
  }

  void take(Id id, std::string_view data) {
    Pair* pair = pair_of(id);
    if (pair == nullptr) return;  // nothing is expected on the error stream
    if (pair->pipe) return pair->pipe->input(data);
    pair->early += data;
    if (pair->early.size() > kStreamBacklogMax) forget(keys_.at(id), net::spdy::kCancel);
  }

  void ended(Id id) {
    Pair* pair = pair_of(id);
    if (pair == nullptr) return;
    pair->early_end = true;
    if (pair->pipe) pair->pipe->end_input();
  }

  void given_up(Id id) {
    if (const auto key = keys_.find(id); key != keys_.end()) forget(std::string(key->second), 0);
  }

  // The connection of this pair is over.
  void done(const std::string& key, const std::string& why) {
    const auto found = pairs_.find(key);
    if (found == pairs_.end()) return;
    const Pair pair = found->second;
    if (!why.empty()) connection_->write(pair.error, place_.failure(pair.port, why));
    connection_->fin(pair.error);
    connection_->fin(pair.data);
    erase(key);
  }

  void forget(const std::string& key, std::uint32_t status) {
    const Pair pair = pairs_.at(key);
    if (pair.pipe) pair.pipe->close();
    for (const Id id : {pair.data, pair.error}) {
      if (id != 0) connection_->reset(id, status == 0 ? net::spdy::kCancel : status);
    }
    erase(key);
  }

  void erase(const std::string& key) {
    const auto found = pairs_.find(key);
    const Id data = found->second.data;
    keys_.erase(data);
    pairs_.erase(found);
    pause(data, false);  // last: what waited to be read may be about other pairs
  }

  // The connection is read again when no pod is behind with its input.
  void pause(Id data, bool paused) {
    if (paused)
      full_.insert(data);
    else
      full_.erase(data);
    connection_->pause(!full_.empty());
  }

  void drained() {
    const auto pairs = pairs_;
    for (const auto& [key, pair] : pairs) {
      if (pair.pipe) pair.pipe->drained();
    }
  }

  void gone() {
    for (const auto& [key, pair] : std::exchange(pairs_, {})) {
      if (pair.pipe) pair.pipe->close();
    }
    keys_.clear();
  }

  const Place place_;
  std::shared_ptr<net::SpdySession> connection_;
  std::map<std::string, Pair> pairs_;  // by request id
  std::map<Id, std::string> keys_;     // of the data streams
  std::set<Id> full_;
};

// Over channels of a WebSocket: one connection for each port, made at once.
class ChannelForward : public std::enable_shared_from_this<ChannelForward> {
 public:
  ChannelForward(Place place, std::vector<std::uint16_t> ports)
      : place_(std::move(place)), ports_(std::move(ports)) {}

  void start(std::shared_ptr<net::WebSocket> socket) {
    socket_ = std::move(socket);
    form_ = net::channel_form(socket_->subprotocol());
    auto self = shared_from_this();
    socket_->on_message([self](std::string_view data, bool) { self->take(data); });
    socket_->on_close([self](int, const std::string&) { self->gone(); });
    socket_->on_drain([self] {
      for (const auto& pipe : std::vector(self->pipes_)) pipe->drained();
    });
    const auto address = place_.streams.address_of(place_.pod.ns, place_.pod.name);
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      const std::string number{static_cast<char>(ports_[i] & 0xff),
                               static_cast<char>(ports_[i] >> 8)};
      send(2 * i, number);
      send(2 * i + 1, number);
      pipes_.push_back(std::make_shared<PortPipe>(client(i)));
    }
    left_ = ports_.size();
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      if (address.ok()) {
        pipes_[i]->open(place_.executor, *address, ports_[i]);
      } else {
        done(i, address.status().message());
      }
    }
  }

 private:
  PortClient client(std::size_t i) {
    auto self = shared_from_this();
    PortClient client;
    client.data = [self, i](std::string_view bytes) { self->send(2 * i, bytes); };
    client.end = [self, i] { self->pipes_[i]->end_input(); };  // this form has no half-close
    client.done = [self, i](const std::string& why) { self->done(i, why); };
    client.pause = [self, i](bool paused) {
      if (paused)
        self->full_.insert(i);
      else
        self->full_.erase(i);
      self->socket_->pause(!self->full_.empty());
    };
    client.queued_bytes = [self] { return self->socket_->queued_bytes(); };
    return client;
  }

  void send(std::size_t channel, std::string_view data) {
    socket_->send(net::encode_channel(form_, static_cast<std::uint8_t>(channel), data),
                  !form_.text_frames());
  }

  void take(std::string_view data) {
    const auto message = net::decode_channel(form_, data);
    if (!message || message->channel % 2 == 1 || message->channel / 2u >= pipes_.size()) return;
    pipes_[message->channel / 2]->input(message->data);
  }

  void done(std::size_t i, const std::string& why) {
    if (!why.empty()) send(2 * i + 1, place_.failure(ports_[i], why));
    if (--left_ == 0) socket_->close(1000, "");
  }

  void gone() {
    for (const auto& pipe : pipes_) pipe->close();
  }

  const Place place_;
  const std::vector<std::uint16_t> ports_;
  std::shared_ptr<net::WebSocket> socket_;
  net::ChannelForm form_;
  std::vector<std::shared_ptr<PortPipe>> pipes_;
  std::set<std::size_t> full_;
  std::size_t left_ = 0;
};

Result<std::vector<std::uint16_t>> ports_of(const net::Query& query) {
  std::vector<std::uint16_t> out;
  for (const std::string& list : query.all("port")) {
    for (const std::string& text : split(list, ',')) {
      const auto port = parse_port(text);
      if (!port) return invalid_argument("port " + quoted(text) + " must be > 0 and <= 65535");
      out.push_back(*port);
    }
  }
  if (out.empty()) return invalid_argument("query parameter \"port\" is required");
  if (out.size() > kMaxPorts) return invalid_argument("too many ports");
  return out;
}

bool wants_tunnel(const net::Request& request) {
  return request.headers.has_token("Sec-WebSocket-Protocol", kTunnel);
}

}  // namespace

void serve_port_forward(net::AsioExecutor& executor, const ContainerStreams& streams,
                        const ForwardedPod& pod, const net::Request& request,
                        const std::shared_ptr<net::Exchange>& exchange) {
  const auto address = streams.address_of(pod.ns, pod.name);
  if (!address.ok()) {
    return exchange->respond(plain_answer(404, address.status().message() + "\n"));
  }
  Place place{executor, streams, pod};
  const bool websocket = net::is_websocket_upgrade(request);
  if (!websocket && !is_spdy_upgrade(request)) {
    return exchange->respond(plain_answer(400, "Upgrade request required\n"));
  }
  if (!websocket) {
    const auto protocol = choose_stream_protocol(request, spdy_protocols());
    if (!protocol.ok()) {
      return exchange->respond(refuse_protocol(protocol.status(), spdy_protocols()));
    }
    return std::make_shared<SpdyForward>(std::move(place))
        ->start(accept_spdy(*exchange, *protocol));
  }
  const bool tunnel = wants_tunnel(request);
  const auto ports = tunnel ? Result(std::vector<std::uint16_t>()) : ports_of(request.query);
  if (!ports.ok()) return exchange->respond(plain_answer(400, ports.status().message() + "\n"));
  auto socket = net::accept_websocket(
      request, *exchange,
      tunnel ? std::vector{std::string(kTunnel)} : net::portforward_subprotocols());
  if (!socket.ok()) return exchange->respond(plain_answer(400, socket.status().message() + "\n"));
  if (tunnel) {
    return std::make_shared<SpdyForward>(std::move(place))
        ->start(net::bytes_of_websocket(std::move(*socket)));
  }
  std::make_shared<ChannelForward>(std::move(place), *ports)->start(std::move(*socket));
}

}  // namespace coracle::kubelet
