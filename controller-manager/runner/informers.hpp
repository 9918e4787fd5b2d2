// SharedInformers: one informer a resource for all controllers, with the indexes they rely on, and
// objects completed with kind and apiVersion. Strand: the Executor's.
//
// Custom kinds come and go with their definitions: at most kCustomKindsMax are followed, the rest
// are left out and logged.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/informer.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

inline constexpr size_t kCustomKindsMax = 500;

class SharedInformers {
 public:
  SharedInformers(Executor& executor, client::Api& api, Rng rng)
      : executor_(executor), api_(api), rng_(rng) {}

  // Made on first use, not started.
  client::Informer& get(const client::Gvr& gvr);

  // From start() on, whoever was told to be told hears of the informer of each custom kind.
  void follow_custom_kinds();
  using Told = std::function<void(const client::Gvr& gvr, client::Informer& informer)>;
  void on_custom_kind(Told told);
  // Of a built-in kind that somebody asked for, or a custom one that is followed; else null.
  const client::Informer* find(const client::Gvr& gvr) const;
  void start();
  void stop();
  bool has_synced() const;
  // Runs `work` once, when all that were started have synced.
  void when_synced(std::function<void()> work);

 private:
  Executor& executor_;
  client::Api& api_;
  Rng rng_;
  struct Custom {
    client::Gvr gvr;
    std::unique_ptr<client::Informer> informer;
  };
  std::unique_ptr<client::Informer> make(const client::Gvr& gvr);
  void on_definition(const std::string& name, const json::value* definition);

  std::map<std::pair<std::string, std::string>, std::unique_ptr<client::Informer>> informers_;
  std::map<std::string, Custom> custom_;  // by name of the definition: "PLURAL.GROUP"
  std::vector<Told> told_;
};

}  // namespace coracle::controllers
