// ServiceProxy: listens where the ServiceTable says and forwards to its endpoints. Connections that
// are joined go on when their endpoint leaves the table (it drains); datagrams are sent elsewhere.
//
// Driver; strand: the executor's. An address that cannot be listened on (a port under 1024 without
// the right to, one that another program has) is told to `failed` once and tried again every
// kRetryEvery; a low port of a cluster address is listened on 10,000 higher meanwhile, where pods'
// connections find it. Bound: TcpForwarder's and UdpForwarder's, for each address.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/asio_executor.hpp"
#include "net/black_hole.hpp"
#include "net/tcp_forwarder.hpp"
#include "net/udp_forwarder.hpp"
#include "network/balancer.hpp"
#include "network/policy_table.hpp"

namespace coracle::network {

class ServiceProxy {
 public:
  static constexpr Duration kRetryEvery = std::chrono::seconds(10);
  // `service` as "namespace/name"; why, in Go's words.
  using Failed = std::function<void(const std::string& service, const Status& why)>;
  // Whether a connection from a client to an endpoint may be. What may not is held and told
  // nothing.
  using May = std::function<bool(const Flow& flow)>;
  // Whether what `from` sends arrives at the address it asked for at all.
  using Arrives = std::function<bool(const std::string& from, const std::string& to)>;

  ServiceProxy(net::AsioExecutor& executor, Failed failed, May may, Arrives arrives);
  ~ServiceProxy();

  void apply(ServiceTable table);
  // What is behind an address and port, and which port is really listened on; null: nothing is.
  const Frontend* find(const Listening& at, std::uint16_t* port) const;
  std::size_t listening() const;
  std::size_t connections() const;

 private:
  struct Entry {
    std::shared_ptr<Balancer> balancer;
    std::unique_ptr<net::TcpForwarder> tcp;
    std::unique_ptr<net::UdpForwarder> udp;
    bool told = false;   // of its failure
    bool moved = false;  // a low port: see kubelet/low_ports.hpp
    bool open() const { return tcp != nullptr || udp != nullptr; }
  };
  void open(const Listening& at, Entry& entry);
  Status open_at(const Listening& at, std::uint16_t port, Entry& entry);
  std::optional<net::HostPort> choose(Balancer& balancer, const Balancer::Arrival& arrival,
                                      Transport transport);
  void retry();

  net::AsioExecutor& executor_;
  const Failed failed_;
  const May may_;
  const Arrives arrives_;
  const net::BlackHole hole_;
  std::map<Listening, Entry> entries_;
  Executor::TimerId retry_ = 0;
};

}  // namespace coracle::network
