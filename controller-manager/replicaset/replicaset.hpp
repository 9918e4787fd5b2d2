// ReplicaSet controller: keeps spec.replicas pods of a template. Pure (upstream:
// pkg/controller/replicaset). ReplicationControllers are kept the same way: see Kind.
// Bound: kBurst pods are created or deleted in one plan.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class ReplicaSetController : public Controller {
 public:
  static constexpr std::int64_t kBurst = 500;
  struct Kind {
    std::string_view controller, kind;
    client::Gvr gvr;
  };

  ReplicaSetController()
      : ReplicaSetController({"replicaset-controller", "ReplicaSet", gvr::kReplicaSets}) {}
  std::string_view name() const override { return kind_.controller; }
  std::vector<client::Gvr> watched() const override { return {kind_.gvr, gvr::kPods}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 protected:
  explicit ReplicaSetController(Kind kind) : kind_(std::move(kind)) {}

 private:
  const Kind kind_;
};

}  // namespace coracle::controllers
