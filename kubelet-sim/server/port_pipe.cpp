#include "kubelet_server/port_pipe.hpp"

#include "kubelet/low_ports.hpp"

namespace coracle::kubelet {

void PortPipe::open(net::AsioExecutor& executor, const std::string& host, std::uint16_t port) {
  using Dialled = Result<std::shared_ptr<net::TcpSocket>>;
  const auto join = [self = shared_from_this()](Dialled socket, const std::string& why) {
    if (self->over_) return;
    if (!socket.ok()) return self->finish(why);
    self->connected(std::move(*socket));
  };
  spawn(net::dial_tcp(executor, host, port),
        std::function<void(Dialled)>([join, &executor, host, port](Dialled socket) {
          const std::string why = socket.status().message();
          if (socket.ok() || moved_port(port) == port) return join(std::move(socket), why);
          spawn(net::dial_tcp(executor, host, moved_port(port)),
                std::function<void(Dialled)>(
                    [join, why](Dialled second) { join(std::move(second), why); }));
        }));
}

void PortPipe::connected(std::shared_ptr<net::TcpSocket> socket) {
  socket_ = std::move(socket);
  auto self = shared_from_this();
  socket_->on_data([self](std::string_view data) {
    self->client_.data(data);
    if (self->over_ || self->client_.queued_bytes() <= kStreamBacklogMax) return;
    self->socket_->pause(true);
  });
  // The socket tells of both in a later turn: this may be over by then.
  socket_->on_end([self] {
    if (!self->over_) self->client_.end();
  });
  socket_->on_close([self](const std::string& error) { self->finish(error); });
  socket_->on_drain([self] {
    if (!self->over_) self->client_.pause(false);
  });
  if (!early_.empty()) socket_->write(net::make_bytes(std::exchange(early_, {})));
  if (early_end_) socket_->end();
  client_.pause(false);
}

void PortPipe::input(std::string_view data) {
  if (over_) return;
  if (!socket_) {
    early_ += data;
    if (early_.size() > kStreamBacklogMax) client_.pause(true);
    return;
  }
  socket_->write(net::make_bytes(std::string(data)));
  if (socket_->queued_bytes() > kStreamBacklogMax) client_.pause(true);
}

void PortPipe::end_input() {
  if (over_) return;
  early_end_ = true;
  if (socket_) socket_->end();
}

void PortPipe::drained() {
  if (!over_ && socket_) socket_->pause(false);
}

void PortPipe::finish(const std::string& why) {
  if (over_) return;
  auto self = shared_from_this();
  PortClient client = std::move(client_);
  close();
  client.pause(false);
  client.done(why);
}

void PortPipe::close() {
  over_ = true;
  // Its callbacks hold this, and may be what runs: close() drops them, each was copied.
  if (socket_) socket_->close();
  client_ = {};
}

}  // namespace coracle::kubelet
