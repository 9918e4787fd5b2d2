// ApiHandler: a whole apiserver but for its network: authenticate -> impersonate -> authorise ->
// documents or registry. Behind HTTPS in the live world, called directly in the simulated one.
//
// Thread: one strand, that of the Executor. The Executor, Store, Catalog and HookTable outlive it.
// Stateless but for its caches: any number may share a store.
#pragma once

#include <memory>
#include <optional>

#include "apiserver/admission/admission_config.hpp"
#include "apiserver/aggregation/aggregator.hpp"
#include "apiserver/bootstrap.hpp"
#include "apiserver/chain/audit.hpp"
#include "apiserver/chain/authenticator.hpp"
#include "apiserver/chain/compression.hpp"
#include "apiserver/chain/deadlines.hpp"
#include "apiserver/chain/documents.hpp"
#include "apiserver/chain/health.hpp"
#include "apiserver/chain/request_metrics.hpp"
#include "apiserver/compactor.hpp"
#include "apiserver/flow/flow_keeper.hpp"
#include "apiserver/rbac/grants.hpp"
#include "apiserver/rbac/reviews.hpp"
#include "apiserver/registry/custom_kinds.hpp"
#include "apiserver/registry/registry.hpp"
#include "apiserver/registry/token_issuer.hpp"
#include "apiserver/remote/hook_client.hpp"
#include "base/metrics.hpp"

namespace coracle::apiserver {

struct ApiHandlerOptions {
  ServerAddress address;
  ServiceRanges services;
  TrustedCas cas;
  std::uint64_t seed = 1;  // of uids, names, time-outs
  std::optional<TokenIssuer> tokens;
  BackendPort* backends = nullptr;
  RemotePort* remote =
      nullptr;  // webhooks and aggregated API servers; none: they cannot be reached
  api::CustomRules custom_rules = nullptr;  // runs the CEL rules of custom kinds
  FlowLimits limits;
  Duration request_timeout = std::chrono::seconds(60);  // 504 after it; watches and logs excepted
  std::shared_ptr<const AuditLog> audit;                // none: nothing is written
  AdmissionConfig admission;                            // of the plugins
  GzipPort* gzip = nullptr;  // none: answers are compressed where they are made
};

class ApiHandler {
 public:
  ApiHandler(Executor& executor, client::Store& store, const api::Catalog& catalog,
             const api::HookTable& hooks, ApiHandlerOptions options);
  ~ApiHandler();

  Authenticator& authenticator() { return authenticator_; }
  Metrics& metrics() { return metrics_; }

  // Begins to fill the caches and makes the first objects; tries until it works.
  void start();
  // From now on /readyz says no, so that nobody new comes; all else goes on until stop().
  void begin_shutdown() { shutting_down_ = true; }
  void stop();
  bool ready() const { return ready_; }
  std::int64_t revision() const { return feed_.revision(); }

  void handle(net::Request request, std::shared_ptr<net::Exchange> exchange);

 private:
  Task<bool> run(net::Request request, std::shared_ptr<net::Exchange> exchange);
  using MaybeReply = Outcome<std::optional<net::Response>>;
  Task<MaybeReply> serve(Context& c);
  Task<MaybeReply> answer(Context& c);
  Task<bool> compress(net::Response& response);
  Task<Outcome<FlowControl::Ticket>> enter(Context& c);
  int seats_of(const Context& c) const;
  Outcome<Done> identify(Context& c) const;
  Outcome<Done> check_impersonation(const UserInfo& user, const UserInfo& wish) const;
  Outcome<Done> check_access(const UserInfo& user, RequestInfo request) const;
  Outcome<Done> authorize(Context& c) const;
  void expire(Context& c);
  void send_error(Context& c, const api::ApiError& error);
  Task<bool> store_answers();
  Task<Outcome<net::Response>> health(Context& c);
  Outcome<net::Response> document(const Context& c);
  Task<bool> run_bootstrap();
  Task<Status> start_custom_kinds();
  void audit(const Context& c, const net::Response* reply, const api::ApiError* error);
  json::value audited_tree(const Context& c, const net::Request& message) const;

  ApiHandlerOptions options_;
  Rng rng_;
  const std::unique_ptr<api::Catalog> catalog_;  // with the custom kinds
  std::vector<std::unique_ptr<ResourceCache>> caches_;
  StoreFeed feed_;
  rbac::Access access_;
  rbac::Grants grants_;
  HookClient webhooks_;
  Machinery m_;
  Metrics metrics_;
  Authenticator authenticator_;
  rbac::Reviews reviews_;
  Registry registry_;
  RequestMetrics requests_;
  FlowControl flow_;
  FlowKeeper flow_keeper_;
  Documents documents_;
  CustomKinds custom_kinds_;
  Aggregator aggregator_;
  Compactor compactor_;
  Deadlines deadlines_;
  bool ready_ = false;
  bool roles_known_ = false;  // from the first time on that the caches held the default roles
  bool shutting_down_ = false;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace coracle::apiserver
