// Surroundings: what decisions read beside pods and nodes: labels of namespaces, claims, and what
// services and controllers select. A resource the apiserver does not serve is simply not known:
// nobody waits for it. Strand: the Executor's.
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

 private:
  // `set` stores an object, or with null drops the one of that key.
  using Set = std::function<void(const std::string& key, const json::value* object)>;
  void watch(Executor& executor, client::Api& api, Rng rng, client::Gvr gvr, Events events,
             Set set);

  std::function<void(Change)> changed_;
  std::vector<std::unique_ptr<client::Informer>> informers_;
};

}  // namespace coracle::scheduler
