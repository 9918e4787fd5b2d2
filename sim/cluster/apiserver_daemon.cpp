// An apiserver on its machine: the handler of the live one, its store behind the network.
#include "api/hooks/custom_rules.hpp"
#include "apiserver/api_handler.hpp"
#include "cluster_sim/daemon.hpp"

namespace coracle::cluster_sim {
namespace {

class ApiserverDaemon final : public Daemon {
 public:
  ApiserverDaemon(Site& site, Machine& machine, Rng rng, ApiServerPort& port)
      : Daemon(site, machine, rng), port_(port) {
    port_.machine = &machine;
  }
  ~ApiserverDaemon() override { end(); }

  bool ready() const override { return handler_ && handler_->ready(); }

 private:
  void begin() override {
    store_ = std::make_unique<SimStore>(site_.network, machine_, site_.stores, machine_.id,
                                        [site = &site_](const auto& write, const auto& result) {
                                          site->acknowledged.note(write, result);
                                        });
    apiserver::ApiHandlerOptions options;
    options.custom_rules = api::check_custom_rules;
    options.services = *apiserver::ServiceRanges::parse("127.96.0.0/12", "30000-32767");
    options.seed = rng_.next();
    handler_ = std::make_unique<apiserver::ApiHandler>(strand(), *store_, api::Catalog::builtin(),
                                                       api::builtin_hooks(), std::move(options));
    handler_->start();
    port_.handle = [handler = handler_.get()](net::Request request,
                                              std::shared_ptr<net::Exchange> exchange) {
      handler->handle(std::move(request), std::move(exchange));
    };
  }
  void end() override {
    port_.handle = nullptr;
    if (store_) store_->drop_calls();
    handler_.reset();
    store_.reset();
  }

  ApiServerPort& port_;
  std::unique_ptr<SimStore> store_;
  std::unique_ptr<apiserver::ApiHandler> handler_;
};

}  // namespace

std::unique_ptr<Daemon> make_apiserver(Site& site, Machine& machine, Rng rng, ApiServerPort& port) {
  return std::make_unique<ApiserverDaemon>(site, machine, rng, port);
}

}  // namespace coracle::cluster_sim
