// Link: the apiserver as the commands see it that hold a connection open: an executor of their own
// and a client with the kubeconfig's credentials.
#pragma once

#include <memory>
#include <string>

#include "client/kubeconfig.hpp"
#include "client/resource.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::kubectl {

class Link {
 public:
  // The config's first server, before anything is asked of it. InvalidArgument: a bad URL,
  // certificate or key.
  Status use(const client::ClientConfig& config);

  net::AsioExecutor& executor() { return executor_; }
  net::Client& client() { return *client_; }
  // With who asks (a user name and password, impersonation).
  net::ClientRequest request(std::string method, std::string target) const;

 private:
  net::AsioExecutor executor_;
  std::unique_ptr<net::Client> client_;
  net::Headers headers_;
};

// Why an upgrade failed, by what the server said instead (status 0: nothing).
client::ApiError upgrade_error(const Status& status, const net::Response& answer);

}  // namespace coracle::kubectl
