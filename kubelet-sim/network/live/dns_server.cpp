#include "network_live/dns_server.hpp"

namespace coracle::network {

// Queries and answers by TCP have their length, two bytes, before them (RFC 1035 4.2.2).
struct DnsServer::Session {
  std::shared_ptr<net::TcpSocket> socket;
  std::string text;
  Executor::TimerId idle = 0;
};

DnsServer::DnsServer(net::AsioExecutor& executor, const DnsZone& zone)
    : executor_(executor), zone_(zone) {}

DnsServer::~DnsServer() {
  for (auto& [id, session] : sessions_) {
    executor_.cancel(session->idle);
    session->socket->close();
  }
}

Status DnsServer::listen(const std::string& address, std::uint16_t port) {
  ASSIGN_OR_RETURN(auto udp,
                   net::UdpSocket::bind(executor_, address, port,
                                        [this](std::string_view query, const net::HostPort& from) {
                                          if (may_ && !may_(from.host, Transport::kUdp)) return;
                                          const auto answer = answer_query(zone_, query, true);
                                          if (answer) udp_->send_to(*answer, from);
                                        }));
  ASSIGN_OR_RETURN(tcp_, net::TcpListener::listen(executor_, address, udp->port(),
                                                  [this](std::shared_ptr<net::TcpSocket> socket) {
                                                    begin(std::move(socket));
                                                  }));
  udp_ = std::move(udp);
  return {};
}

void DnsServer::begin(std::shared_ptr<net::TcpSocket> socket) {
  if (sessions_.size() >= kDnsClientsMax) return socket->close();
  const int id = next_session_++;
  auto session = std::make_unique<Session>();
  session->socket = socket;
  session->idle = executor_.after(kDnsIdle, [this, id] { drop(id); });
  sessions_.emplace(id, std::move(session));
  socket->on_data([this, id](std::string_view data) { take(id, data); });
  socket->on_end([this, id] {
    const auto found = sessions_.find(id);
    if (found != sessions_.end()) found->second->socket->end();
  });
  socket->on_close([this, id](const std::string&) { drop(id); });
}

void DnsServer::take(int id, std::string_view data) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = *found->second;
  executor_.cancel(session.idle);
  session.idle = executor_.after(kDnsIdle, [this, id] { drop(id); });
  session.text += data;
  for (;;) {
    if (session.text.size() < 2) return;
    const auto byte = [&](int i) { return static_cast<unsigned char>(session.text[i]); };
    const std::size_t size = static_cast<std::size_t>(byte(0)) << 8 | byte(1);
    if (session.text.size() < 2 + size) return;
    const auto answer = answer_query(zone_, std::string_view(session.text).substr(2, size), false);
    session.text.erase(0, 2 + size);
    if (!answer) return drop(id);
    std::string out{static_cast<char>(answer->size() >> 8), static_cast<char>(answer->size())};
    session.socket->write(net::make_bytes(out + *answer));
  }
}

void DnsServer::drop(int id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  executor_.cancel(found->second->idle);
  found->second->socket->close();
  // Not inside a callback of the socket that goes.
  executor_.post([session = std::shared_ptr<Session>(std::move(found->second))] {});
  sessions_.erase(found);
}

}  // namespace coracle::network
