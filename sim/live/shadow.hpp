// Shadow: another policy decides beside the scheduler of a live cluster, about the same pods in the
// same state, and binds nothing. Its cache is fed by the real bindings alone, so the two do not
// drift apart: each decision asks "here, now, where would you have put it?".
//
// It decides about a pod when the cluster's scheduler has bound it (with the state as it was before
// that), and when the cluster says that it fits nowhere. Strand: the Executor's. Bound: the
// cluster's pods; nothing is kept of a decision that was told.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cache/cache.hpp"
#include "client/informer.hpp"
#include "config/config.hpp"
#include "cycle/cycle.hpp"
#include "driver/surroundings.hpp"

namespace coracle::sim {

// What both did with one pod.
struct ShadowVerdict {
  scheduler::PodPtr pod;
  std::string real_node;         // empty: it fits nowhere
  std::string real_message;      // then
  scheduler::Decision decision;  // the other policy's
  bool same() const { return decision.node == real_node; }
  // Another node, and only because equals take turns.
  bool equally_good() const;
};

class Shadow {
 public:
  using Tell = std::function<void(const ShadowVerdict&)>;
  Shadow(Executor& executor, client::Api& api, Rng rng, scheduler::Config policy, Tell tell);

  void start();
  // Runs `work` when it knows the cluster and judges what comes from now on.
  void when_synced(std::function<void()> work) { pods_.when_synced(std::move(work)); }
  bool has_synced() const {
    return pods_.has_synced() && nodes_.has_synced() && surroundings_.has_synced();
  }
  std::string last_error() const;

 private:
  void on_pod(const client::ObjectPtr& before, const client::ObjectPtr& after, bool initial);
  void on_pod_gone(const client::ObjectPtr& pod);
  void judge(const client::ObjectPtr& pod, const std::string& real_node,
             const std::string& real_message);

  std::map<std::string, scheduler::Profile> profiles_;
  const Tell tell_;
  client::Informer pods_, nodes_;
  scheduler::Cache cache_;
  scheduler::Surroundings surroundings_;
  scheduler::Rotation rotation_;
  std::map<std::string, std::string> refused_;  // pods that fit nowhere: the message told last
};

}  // namespace coracle::sim
