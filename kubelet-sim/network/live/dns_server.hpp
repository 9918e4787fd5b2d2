// DnsServer: answers from a DnsZone by UDP and TCP on one address. Driver; strand: the executor's.
// Bounds: kDnsClientsMax TCP connections, each closed after kDnsIdle without a query.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/asio_executor.hpp"
#include "net/tcp.hpp"
#include "net/udp_socket.hpp"
#include "network/dns_packet.hpp"
#include "network/service_table.hpp"

namespace coracle::network {

inline constexpr std::size_t kDnsClientsMax = 200;
inline constexpr Duration kDnsIdle = std::chrono::seconds(10);

class DnsServer {
 public:
  DnsServer(net::AsioExecutor& executor, const DnsZone& zone);
  ~DnsServer();

  // Both, or neither. Unavailable: "listen udp 127.96.0.10:53: bind: permission denied".
  Status listen(const std::string& address, std::uint16_t port);
  // Clients that may not ask get no answer. Before listen().
  using May = std::function<bool(const std::string& client, Transport transport)>;
  void ask_first(May may) { may_ = std::move(may); }
  bool listening() const { return udp_ != nullptr; }
  std::uint16_t port() const { return udp_->port(); }

 private:
  May may_;
  struct Session;
  void begin(std::shared_ptr<net::TcpSocket> socket);
  void take(int id, std::string_view data);
  void drop(int id);

  net::AsioExecutor& executor_;
  const DnsZone& zone_;
  std::unique_ptr<net::UdpSocket> udp_;
  std::unique_ptr<net::TcpListener> tcp_;
  std::map<int, std::unique_ptr<Session>> sessions_;
  int next_session_ = 0;
};

}  // namespace coracle::network
