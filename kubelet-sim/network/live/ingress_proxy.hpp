// IngressProxy: answers HTTP and HTTPS on one address by an IngressTable: a reverse proxy to the
// endpoints of Services. Listens while there is an Ingress of ours.
//
// Driver; strand: the executor's. Bounds: net::Server's and net::Client's. What goes wrong has the
// answers of ingress-nginx: 404 no rule fits, 503 no endpoint, 502 the endpoint does not answer,
// 308 a plain request for a host with TLS. Names without a certificate of their own get one that
// nobody trusts, made at the start.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"
#include "net/server.hpp"
#include "network/balancer.hpp"
#include "network/ingress_table.hpp"
#include "network/policy_table.hpp"

namespace coracle::network {

class IngressProxy {
 public:
  static constexpr Duration kRetryEvery = std::chrono::seconds(10);

  struct Options {
    std::string address;
    std::uint16_t http_port = 80, https_port = 443;
  };
  struct Hooks {
    std::function<void(const Status&)> failed;  // why it cannot listen; once, until it can
    std::function<bool(const Flow&)> may;       // whether a connection to a pod may be
  };
  // Where this user has no low ports, it listens 10,000 higher, and finds pods' low ports there.
  IngressProxy(net::AsioExecutor& executor, Options options, Hooks hooks);
  ~IngressProxy();

  // `secret` gives the object of a key, or null. Certificates that cannot be used are told back:
  // the key of the Secret and why.
  using FindSecret = std::function<client::ObjectPtr(const std::string& key)>;
  using BadSecrets = std::map<std::string, std::string>;
  BadSecrets apply(IngressTable table, const FindSecret& secret);
  bool listening() const { return http_ != nullptr; }

 private:
  void open();
  Status open_at(std::uint16_t http_port, std::uint16_t https_port);
  std::uint16_t https_port() const;
  void handle(const net::Request& request, const std::shared_ptr<net::Exchange>& exchange);
  void pass_on(const net::Request& request, const std::shared_ptr<net::Exchange>& exchange,
               const IngressTable::Hit& hit);
  std::shared_ptr<net::Client> client(const Endpoint& endpoint);
  BadSecrets collect_certificates(const FindSecret& secret);

  net::AsioExecutor& executor_;
  const Options options_;
  const Hooks hooks_;
  IngressTable table_;
  std::map<std::string, Balancer> balancers_;  // by IngressBackend::service
  std::map<Endpoint, std::shared_ptr<net::Client>> clients_;
  net::TlsConfig tls_;
  std::unique_ptr<net::Server> http_, https_;
  bool told_ = false, moved_ = false;
  Executor::TimerId retry_ = 0;
};

}  // namespace coracle::network
