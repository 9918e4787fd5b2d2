// SimApi: the end of client::Api in the simulated world: the apiservers' own handlers, reached over
// the simulated network, as a user known by certificate.
//
// Strand: that of the client's process. As the HTTPS end it stays with the server that answered
// last, and goes to the next where a request cannot have reached a handler. Bound: what is under
// way. Dropping it gives up all that is.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/api.hpp"
#include "client/shared_events.hpp"
#include "cluster_sim/network.hpp"
#include "cluster_sim/shared_lines.hpp"
#include "net/server.hpp"

namespace coracle::cluster_sim {

// Where requests arrive: the process of an apiserver. Null handler: it does not run.
struct ApiServerPort {
  Machine* machine = nullptr;
  std::function<void(net::Request, std::shared_ptr<net::Exchange>)> handle;
};

struct Identity {
  std::string user;
  std::vector<std::string> groups;
};

class ApiCall;

class SimApi final : public client::Api, public client::SharedEvents {
 public:
  // `servers` and `lines` outlive it; those of its machine are there while its process runs.
  SimApi(Network& network, Machine& machine, std::vector<ApiServerPort*> servers,
         SharedLines& lines, Identity who, std::size_t first_server);
  ~SimApi() override;

  Task<Result<client::ApiResponse>> call(client::ApiRequest request) override;
  std::unique_ptr<client::ApiStream> stream(client::ApiRequest request,
                                            client::ApiStreamSink sink) override;
  std::shared_ptr<const json::value> event(std::string_view line) override {
    return lines_.event(line);
  }
  // Gives up what is under way, and destroys who waits for it.
  void drop_calls();

 private:
  friend class ApiCall;
  net::Request to_net(client::ApiRequest request) const;

  Network& network_;
  Machine& machine_;
  const std::shared_ptr<Strand> strand_;
  const std::vector<ApiServerPort*> servers_;
  SharedLines& lines_;
  const Identity who_;
  std::size_t current_;
  std::uint64_t calls_made_ = 0;
  std::map<std::uint64_t, std::shared_ptr<ApiCall>> calls_;
};

}  // namespace coracle::cluster_sim
