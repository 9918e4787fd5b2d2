// Join: a kubelet-sim that is one node of its own, with a certificate of its own: it is given where
// the cluster is and a bootstrap token, gets its identity (client/https/node_bootstrap.hpp), keeps
// it in ROOT/pki, and renews it before it ends.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/flags.hpp"
#include "base/rng.hpp"
#include "client/https_api.hpp"
#include "client_https/node_bootstrap.hpp"
#include "net/asio_executor.hpp"

namespace coracle::kubelet {

struct JoinFlags {
  std::vector<std::string> servers;  // --join; empty: this process does not join
  std::string token, ca_file, node_name;
  std::vector<std::string> ca_hashes;
  bool skip_ca_check = false;
  bool rotate_server = false;
  bool wanted() const { return !servers.empty(); }
};
void add_join_flags(Flags& flags, JoinFlags* values);

class Membership {
 public:
  // Blocks until the identity is there: from ROOT/pki if that is good, else by the token.
  // fail_startup says what was wrong.
  static Membership join_or_die(net::AsioExecutor& executor, const JoinFlags& flags,
                                const std::string& root_dir);
  const client::ClientConfig& config() const { return config_; }
  // From now on `api` gets each new certificate. A renewal that fails is tried again, more and more
  // slowly; the old one serves as long as it lasts. Both must outlive this.
  void keep(net::AsioExecutor& executor, client::HttpsApi& api, Rng rng);

 private:
  struct Keeper;
  client::ClientConfig config_;
  client::NodeIdentity identity_;
  std::string file_, node_name_;
  std::shared_ptr<Keeper> keeper_;
};

}  // namespace coracle::kubelet
