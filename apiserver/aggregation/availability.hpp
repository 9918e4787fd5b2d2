// availability: can the server behind an APIService be reached, and what does it serve: the
// condition Available in upstream's words, and discovery. Asks; decides nothing else.
//
// Thread: apiserver strand. Bounds: kProbesMax probes of kProbeTimeout for a condition, answers of
// kDiscoveryMax bytes.
#pragma once

#include "apiserver/aggregation/api_services.hpp"
#include "apiserver/aggregation/merged_discovery.hpp"

namespace coracle::apiserver {

struct AvailableCondition {
  bool available = false;
  std::string reason, message;
};

class Availability {
 public:
  static constexpr int kProbesMax = 5;
  static constexpr Duration kProbeTimeout = std::chrono::seconds(5);
  static constexpr std::size_t kDiscoveryMax = 8 << 20;

  Availability(Executor& executor, const StoreFeed& feed, Rng& rng, RemotePort* remote)
      : executor_(executor), feed_(feed), rng_(rng), remote_(remote) {}

  static AvailableCondition local();
  Task<AvailableCondition> check(RemoteVersion remote);
  // What it serves. Without an answer: no resources.
  Task<RemoteDiscovery> discover(RemoteVersion remote);

 private:
  std::optional<AvailableCondition> check_service(const RemoteVersion& remote) const;
  Task<Status> probe(RemoteVersion remote);
  Task<std::optional<json::value>> fetch(RemoteVersion remote, std::string target,
                                         std::string accept);

  Executor& executor_;
  const StoreFeed& feed_;
  Rng& rng_;
  RemotePort* const remote_;
};

}  // namespace coracle::apiserver
