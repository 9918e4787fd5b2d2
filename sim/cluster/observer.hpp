// Observer: what the people's machine sees of pods and nodes, and the promises that are checked by
// it: a pod is bound once; a node holds no more than it has.
//
// Strand: the people's. It sees what an apiserver's watch tells, so a moment later than it happens.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/informer.hpp"
#include "cluster_sim/world.hpp"

namespace coracle::cluster_sim {

class Observer {
 public:
  // `broken` is told what is not kept.
  Observer(Executor& executor, client::Api& api, Rng rng,
           std::function<void(const std::string&)> broken);

  void on_pod(ObjectHook hook) { pod_hooks_.push_back(std::move(hook)); }
  void on_node(ObjectHook hook) { node_hooks_.push_back(std::move(hook)); }
  void start();
  bool has_synced() const { return pods_.has_synced() && nodes_.has_synced(); }
  const client::ObjectCache& pods() const { return pods_.cache(); }
  const client::ObjectCache& nodes() const { return nodes_.cache(); }
  std::uint64_t binds() const { return binds_; }
  // Ready, and without the taints of a node that is not.
  bool usable(const std::string& node) const;
  // No node over its capacity. Looks at those that have changed, or whose pods have, since the last
  // time.
  void check_capacity();

 private:
  void saw_pod(const client::ObjectPtr& before, const client::ObjectPtr& after);

  client::Informer pods_, nodes_;
  const std::function<void(const std::string&)> broken_;
  std::vector<ObjectHook> pod_hooks_, node_hooks_;
  std::set<std::string> to_check_;  // nodes
  std::uint64_t binds_ = 0;
};

}  // namespace coracle::cluster_sim
