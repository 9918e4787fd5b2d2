#include "live/port_forwarder.hpp"

#include "base/strings.hpp"
#include "net_streams/websocket_bytes.hpp"

namespace coracle::kubectl {
namespace {

constexpr Duration kPingEvery = std::chrono::seconds(5);
constexpr const char* kTunnel = "SPDY/3.1+portforward.k8s.io";

}  // namespace

std::optional<client::ApiError> PortForwarder::connect(const std::string& target) {
  auto answer = std::make_shared<net::Response>();
  answer->status = 0;
  auto socket = net::block_on(
      link_.executor(),
      net::dial_websocket(link_.client(), link_.request("GET", target), {kTunnel}, answer));
  if (!socket.ok()) return upgrade_error(socket.status(), *answer);
  tunnel_ = *socket;
  session_ = std::make_shared<net::SpdySession>(net::bytes_of_websocket(tunnel_),
                                                net::SpdySession::Role::kClient);
  auto self = shared_from_this();
  net::SpdySession::Events events;
  events.on_data = [self](Id id, std::string_view data) { self->from_pod(id, data); };
  events.on_fin = [self](Id id) { self->pod_ended(id); };
  events.on_reset = [self](Id id) {
    if (const auto data = self->data_of_.find(id); data != self->data_of_.end()) {
      self->forget(data->second);
    } else {
      self->forget(id);
    }
  };
  events.on_drain = [self] { self->drained(); };
  events.on_gone = [self] { self->gone(); };
  session_->start(std::move(events));
  ping();
  return std::nullopt;
}

void PortForwarder::ping() {
  ping_timer_ = link_.executor().after(kPingEvery, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->lost_) return;
    self->tunnel_->ping("");
    self->ping();
  });
}

Status PortForwarder::listen_on(const std::string& address, ForwardedPort* port) {
  const auto known = std::make_shared<ForwardedPort>(*port);  // its local one is to be seen yet
  auto listener = net::TcpListener::listen(
      link_.executor(), address, port->local,
      [weak = weak_from_this(), known](std::shared_ptr<net::TcpSocket> socket) {
        if (const auto self = weak.lock()) self->accept(std::move(socket), *known);
      });
  if (!listener.ok()) return listener.status();
  known->local = port->local = (*listener)->port();
  const bool six = address.find(':') != address.npos;
  voice_.say("Forwarding from " + (six ? "[" + address + "]" : address) + ":" +
             std::to_string(port->local) + " -> " + std::to_string(port->remote));
  listeners_.push_back(std::move(*listener));
  return {};
}

Status PortForwarder::listen(const std::vector<std::string>& addresses,
                             const std::vector<ForwardedPort>& ports) {
  for (ForwardedPort port : ports) {
    const std::size_t before = listeners_.size();
    std::vector<std::string> failures;
    for (const std::string& address : addresses) {
      const bool local = address == "localhost";
      const Status first = listen_on(local ? "127.0.0.1" : address, &port);
      if (!first.ok()) failures.push_back("unable to create listener: Error " + first.message());
      // Where there is no IPv6 the one above has to do.
      if (local) (void)listen_on("::1", &port).ok();
    }
    if (listeners_.size() > before) continue;
    voice_.warn("Unable to listen on port " + std::to_string(port.local) +
                ": Listeners failed to create with the following errors: [" + join(failures, " ") +
                "]");
    return invalid_argument("error: unable to listen on any of the requested ports: [{" +
                            std::to_string(port.local) + " " + std::to_string(port.remote) + "}]");
  }
  return {};
}

void PortForwarder::accept(std::shared_ptr<net::TcpSocket> socket, ForwardedPort port) {
  if (lost_) return;
  voice_.say("Handling connection for " + std::to_string(port.local));
  net::Headers headers{{"streamtype", "error"},
                       {"port", std::to_string(port.remote)},
                       {"requestid", std::to_string(next_request_++)}};
  const Id error = session_->open(headers, /*fin=*/true);
  headers.set("streamtype", "data");
  const Id data = session_->open(headers, false);
  carried_[data] = {socket, error, port.local, port.remote, {}};
  data_of_[error] = data;
  auto self = shared_from_this();
  socket->on_data([self, data](std::string_view bytes) {
    self->session_->write(data, bytes);
    if (self->session_->queued_bytes() <= kForwardBacklog) return;
    if (const auto one = self->carried_.find(data); one != self->carried_.end()) {
      one->second.socket->pause(true);
    }
  });
  socket->on_end([self, data] { self->session_->fin(data); });
  socket->on_drain([self, data] {
    self->full_.erase(data);
    self->session_->pause(!self->full_.empty());
  });
  socket->on_close([self, data](const std::string& broken) {
    if (!broken.empty()) self->session_->reset(data, net::spdy::kCancel);
    self->forget(data);
  });
}

void PortForwarder::from_pod(Id id, std::string_view data) {
  if (const auto error = data_of_.find(id); error != data_of_.end()) {
    carried_.at(error->second).failure += data;
    return;
  }
  const auto found = carried_.find(id);
  if (found == carried_.end()) return;
  found->second.socket->write(net::make_bytes(std::string(data)));
  if (found->second.socket->queued_bytes() <= kForwardBacklog) return;
  full_.insert(id);
  session_->pause(true);
}

void PortForwarder::pod_ended(Id id) {
  const auto error = data_of_.find(id);
  if (error == data_of_.end()) {
    if (const auto found = carried_.find(id); found != carried_.end()) found->second.socket->end();
    return;
  }
  const Carried& one = carried_.at(error->second);
  if (one.failure.empty()) return;
  // As kubectl does: a pod that cannot be reached ends it all.
  voice_.warn("an error occurred forwarding " + std::to_string(one.local) + " -> " +
              std::to_string(one.remote) + ": " + one.failure);
  close();
  gone();
}

void PortForwarder::forget(Id data) {
  const auto found = carried_.find(data);
  if (found == carried_.end()) return;
  const auto socket = found->second.socket;
  data_of_.erase(found->second.error);
  carried_.erase(found);
  full_.erase(data);
  if (session_ && !session_->closed()) session_->pause(!full_.empty());
  socket->close();
}

void PortForwarder::drained() {
  for (auto& [id, one] : carried_) one.socket->pause(false);
}

void PortForwarder::gone() {
  lost_ = true;
  listeners_.clear();
  for (const auto& [id, one] : std::exchange(carried_, {})) one.socket->close();
  data_of_.clear();
}

void PortForwarder::close() {
  link_.executor().cancel(ping_timer_);
  if (session_) session_->close();
}

}  // namespace coracle::kubectl
