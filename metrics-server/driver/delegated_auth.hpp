// DelegatedAuth: who asks an aggregated API server, and may he (upstream: delegated authentication
// and authorisation of k8s.io/apiserver). The front proxy's certificate vouches for its X-Remote-
// headers, a TokenReview for a token; a SubjectAccessReview decides.
//
// Strand: the executor's. Decisions are kept kKept. Bound: kKeptMax; over it all are forgotten.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "metrics_core/metrics_api.hpp"
#include "net/http.hpp"

namespace coracle::metrics {

// How the front proxy is known: from kube-system/extension-apiserver-authentication.
struct FrontProxy {
  std::string ca_pem;
  std::vector<std::string> names;  // empty: any
};

struct AskingUser {
  std::string name, uid;
  json::array groups;
  json::object extra;
};

class DelegatedAuth {
 public:
  static constexpr Duration kKept = std::chrono::seconds(10);
  static constexpr size_t kKeptMax = 4096;

  DelegatedAuth(Executor& executor, client::Api& api, FrontProxy proxy)
      : executor_(executor), api_(api), proxy_(std::move(proxy)) {}

  // Nothing: 401. A certificate the server trusts is one of the front proxy's CA.
  Task<std::optional<AskingUser>> user_of(net::Peer peer, net::Headers headers);
  struct Decision {
    bool allowed = false;
    std::string reason;
  };
  Task<Result<Decision>> decide(AskingUser user, ApiTarget target, std::string path);

 private:
  template <class T>
  struct Kept {
    TimePoint until;
    T value;
  };

  Executor& executor_;
  client::Api& api_;
  const FrontProxy proxy_;
  std::map<std::string, Kept<AskingUser>> users_;  // by a hash of the token
  std::map<std::string, Kept<Decision>> decisions_;
};

// Asks for it until it is there. Unavailable after `patience`.
Task<Result<FrontProxy>> fetch_front_proxy(Executor& executor, client::Api& api, Duration patience);

}  // namespace coracle::metrics
