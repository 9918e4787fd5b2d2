// Job controller: runs pods until so many have succeeded. Pure (upstream: pkg/controller/job).
// state: counting and the verdict; work: pods made and taken away; policies, indexes: what the spec
// says of them; status: what is written.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class JobController final : public Controller {
 public:
  std::string_view name() const override { return "job-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kJobs, gvr::kPods}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

// Pods that nobody counts any more (their Job is over or gone) lose the tracking finalizer, so that
// they can go. The key is the pod's.
class JobPodReleaser final : public Controller {
 public:
  std::string_view name() const override { return "job-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kJobs, gvr::kPods}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
