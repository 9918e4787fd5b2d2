// Balancer: chooses an endpoint of one Frontend for each connection: in turn, or the one a client
// had before (session affinity). Pure; one owner.
//
// Bound: kClientsMax remembered clients; the one silent for longest makes room.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "network/service_table.hpp"

namespace coracle::network {

class Balancer {
 public:
  static constexpr std::size_t kClientsMax = 10'000;

  explicit Balancer(Frontend frontend) : frontend_(std::move(frontend)) {}
  const Frontend& frontend() const { return frontend_; }
  // Clients keep endpoints that are still there.
  void update(Frontend frontend) { frontend_ = std::move(frontend); }

  struct Arrival {
    std::string client;          // its address
    std::string local;           // the address it came to
    std::vector<Endpoint> dead;  // did not answer this connection
  };
  // Nothing: the client may not, or there is nobody (else).
  std::optional<Endpoint> choose(const Arrival& arrival, TimePoint now);

 private:
  struct Client {
    Endpoint endpoint;
    TimePoint last;
  };
  const std::vector<Endpoint>& candidates(const std::string& local) const;
  void remember(const std::string& client, const Endpoint& endpoint, TimePoint now);

  Frontend frontend_;
  std::size_t turn_ = 0;
  std::map<std::string, Client> clients_;
};

}  // namespace coracle::network
