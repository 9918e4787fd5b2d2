// PortForwarder: local ports whose connections are carried to a pod, all over one tunnel: SPDY/3.1
// in the messages of a WebSocket. Strand: the link's. Bound: kForwardBacklog unsent bytes each way;
// then the other side is not read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "live/link.hpp"
#include "net/tcp.hpp"
#include "net/websocket.hpp"
#include "net_streams/spdy_session.hpp"

namespace coracle::kubectl {

inline constexpr std::size_t kForwardBacklog = 1 << 20;

struct ForwardedPort {
  std::uint16_t local = 0;  // 0: a free one
  std::uint16_t remote = 0;
};

class PortForwarder : public std::enable_shared_from_this<PortForwarder> {
 public:
  struct Voice {
    std::function<void(const std::string&)> say, warn;  // a line each
  };

  PortForwarder(Link& link, Voice voice) : link_(link), voice_(std::move(voice)) {}

  // Joins the pod by its subresource's path. A refusal is the server's.
  std::optional<client::ApiError> connect(const std::string& target);
  // Listens on each address ("127.0.0.1", "localhost" is that and ::1) for each port and says
  // where. Fails when a port could be had on no address.
  Status listen(const std::vector<std::string>& addresses, const std::vector<ForwardedPort>& ports);
  bool lost() const { return lost_; }  // the tunnel is over
  void close();

 private:
  using Id = net::SpdySession::StreamId;
  struct Carried {
    std::shared_ptr<net::TcpSocket> socket;
    Id error = 0;
    std::uint16_t local = 0, remote = 0;
    std::string failure;  // what the error stream said
  };

  Status listen_on(const std::string& address, ForwardedPort* port);
  void accept(std::shared_ptr<net::TcpSocket> socket, ForwardedPort port);
  void from_pod(Id id, std::string_view data);
  void pod_ended(Id id);
  void forget(Id data);
  void drained();
  void gone();
  void ping();

  Link& link_;
  const Voice voice_;
  std::shared_ptr<net::WebSocket> tunnel_;
  std::shared_ptr<net::SpdySession> session_;
  std::vector<std::unique_ptr<net::TcpListener>> listeners_;
  std::map<Id, Carried> carried_;  // by data stream
  std::map<Id, Id> data_of_;       // by error stream
  std::set<Id> full_;              // whose local side is behind
  int next_request_ = 0;
  Executor::TimerId ping_timer_ = 0;
  bool lost_ = false;
};

}  // namespace coracle::kubectl
