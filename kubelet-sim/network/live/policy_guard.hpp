// PolicyGuard: NetworkPolicies at work: watches what a PolicyTable is made of and says of each
// connection whether it may be. A refusal is told: an event NetworkPolicyDrop on the pod that is
// isolated, a line in the log, and explain() for whoever asks.
//
// Driver; strand: the executor's. Pods and namespaces are watched only from the first policy on;
// until they are known everything is allowed, as in a cluster whose network agents are just being
// told.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/events.hpp"
#include "client/informer.hpp"
#include "net/asio_executor.hpp"
#include "net/http.hpp"
#include "network/policy_table.hpp"

namespace coracle::network {

class PolicyGuard {
 public:
  static constexpr Duration kSettle = std::chrono::milliseconds(20);

  // dns_address: "" where there is no DNS of the cluster.
  PolicyGuard(net::AsioExecutor& executor, client::Api& api, Rng rng, std::string dns_address);
  ~PolicyGuard();
  PolicyGuard(const PolicyGuard&) = delete;
  PolicyGuard& operator=(const PolicyGuard&) = delete;

  void start();
  void stop();

  // What does not arrive in any case is refused without a word. Before start().
  using Passes = std::function<bool(const std::string& from, const std::string& to)>;
  void ask_first(Passes passes) { passes_ = std::move(passes); }
  bool passes(const std::string& from, const std::string& to) const {
    return !passes_ || passes_(from, to);
  }
  // Tells of a refusal by a policy.
  bool may(const Flow& flow);
  // Whether may() would say so.
  bool allows(const Flow& flow) const {
    return passes(flow.from, flow.to) && table_.decide(flow).allowed;
  }
  // {"allowed": false, "reason": "..."} for from, to (NAMESPACE/POD or an address), port and
  // protocol (TCP where it is not said). InvalidArgument: what is missing.
  Result<std::string> explain(const net::Query& asked) const;

 private:
  void changed();
  void rebuild();
  void tell(const Verdict& verdict);

  net::AsioExecutor& executor_;
  const std::string dns_address_;
  client::InformerFactory policy_informers_, peer_informers_;
  client::Informer &policies_, &pods_, &namespaces_;
  client::EventRecorder events_;
  PolicyTable table_;
  Passes passes_;
  bool watches_peers_ = false;
  Executor::TimerId settle_ = 0;
};

}  // namespace coracle::network
