// Surroundings: what decisions read beside pods and nodes: claims, volumes and their classes,
// labels of namespaces, and what services and controllers select. Decisions wait for the former;
// the latter only make some placements nicer, so nobody waits for them. Strand: the Executor's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "client/informer.hpp"
#include "framework/plugin.hpp"

namespace coracle::scheduler {

class Surroundings {
 public:
  Surroundings(Executor& executor, client::Api& api, Rng rng, Snapshot& world,
               std::function<void(Change)> changed);
  void start();
  // Claims, volumes and classes are known.
  bool has_synced() const {
    return claims_->has_synced() && volumes_->has_synced() && classes_->has_synced();
  }
  void when_synced(std::function<void()> work);

 private:
  // `set` stores an object, or with null drops the one of that key.
  using Set = std::function<void(const std::string& key, const client::ObjectPtr& object)>;
  // resource.k8s.io, which an older apiserver may not have: only pods with claims wait for it.
  void watch_devices(Executor& executor, client::Api& api, Rng rng, Snapshot& world);
  void devices_known(Snapshot& world);
  client::Informer* watch(Executor& executor, client::Api& api, Rng rng, client::Gvr gvr,
                          Events events, Set set);

  std::function<void(Change)> changed_;
  std::vector<std::unique_ptr<client::Informer>> informers_;
  // Of them.
  client::Informer *claims_ = nullptr, *volumes_ = nullptr, *classes_ = nullptr;
  std::vector<client::Informer*> devices_;
};

}  // namespace coracle::scheduler
