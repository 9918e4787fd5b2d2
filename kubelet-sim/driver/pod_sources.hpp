// PodSources: what pods refer to, looked up by the API: ConfigMaps, Secrets (decoded), Services,
// claims, tokens. Answers are kept for kFresh, so that many pods of a namespace ask once; a pod is
// told nothing older than itself.
//
// Strand: the executor's. Bound: kKeptMax kept objects; over it all are forgotten.
#pragma once

#include <map>
#include <string>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "kubelet/pod_environment.hpp"
#include "kubelet/pod_volumes.hpp"

namespace coracle::kubelet {

class PodSources {
 public:
  PodSources(Executor& executor, client::Api& api);

  // Null for those that are not there. Unavailable: the API did not say. `since`: the pod came.
  Task<Result<Sources>> fetch(std::string ns, SourceNames names, bool services, TimePoint since);
  // The volume of a claim: the claim's PersistentVolume. NotFound, FailedPrecondition (not bound).
  Task<Result<json::value>> volume_of_claim(std::string ns, std::string claim);
  // Of resource.k8s.io, as it is now; null: there is none.
  Task<Result<json::value>> device_claim(std::string ns, std::string claim);
  struct Token {
    std::string text;
    WallTime expires;
  };
  Task<Result<Token>> token(std::string ns, std::string account, json::value pod,
                            TokenWanted wanted);

 private:
  struct Kept {
    TimePoint at;
    json::value value;
  };
  Task<Result<json::value>> get(std::string kind, std::string ns, std::string name,
                                TimePoint since);

  Executor& executor_;
  client::ResourceClient config_maps_, secrets_, services_, claims_, volumes_, accounts_,
      device_claims_;
  std::map<std::string, Kept> kept_;
};

}  // namespace coracle::kubelet
