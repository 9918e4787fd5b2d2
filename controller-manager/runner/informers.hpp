// SharedInformers: one informer a resource for all controllers, with the indexes they rely on, and
// objects completed with kind and apiVersion. Strand: the Executor's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "client/informer.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

class SharedInformers {
 public:
  SharedInformers(Executor& executor, client::Api& api, Rng rng)
      : executor_(executor), api_(api), rng_(rng) {}

  // Made on first use, not started.
  client::Informer& get(const client::Gvr& gvr);
  void start();
  void stop();
  bool has_synced() const;
  // Runs `work` once, when all that were started have synced.
  void when_synced(std::function<void()> work);

 private:
  Executor& executor_;
  client::Api& api_;
  Rng rng_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<client::Informer>> informers_;
};

}  // namespace coracle::controllers
