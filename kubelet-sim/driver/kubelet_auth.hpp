// KubeletAuth: who asks a node's server, and may he. Client certificates of the cluster's CA and
// tokens (a TokenReview) say who; the API server says whether (a SubjectAccessReview about the
// node's subresource: kubelet/request_access.hpp). The API server itself, which has asked already,
// and system:masters are not asked about.
//
// Strand: the executor's. Answers are kept as long as upstream keeps them. Bound: kKeptMax answers;
// over it all are forgotten.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "net/http.hpp"

namespace coracle::kubelet {

class KubeletAuth {
 public:
  KubeletAuth(Executor& executor, client::Api& api) : executor_(executor), api_(api) {}

  // Whether nobody need be asked.
  static bool trusted(const net::Peer& peer);
  struct Refusal {
    int status = 0;
    std::string text;
  };
  // Nothing: it may.
  Task<std::optional<Refusal>> check(net::Peer peer, std::string authorization, std::string method,
                                     std::string path, std::string node);

 private:
  struct User {
    std::string name, uid;
    json::array groups;
    json::object extra;
  };
  template <class T>
  struct Kept {
    TimePoint until;
    T value;
  };
  Task<std::optional<User>> user_of_token(std::string token);
  // Unavailable: the API server did not say.
  Task<Result<bool>> allowed(User user, std::string verb, std::string subresource,
                             std::string node);

  Executor& executor_;
  client::Api& api_;
  std::map<std::string, Kept<User>> users_;  // by a hash of the token
  std::map<std::string, Kept<bool>> decisions_;
};

}  // namespace coracle::kubelet
