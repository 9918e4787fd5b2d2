// ResourceQuota controller: keeps status.hard and status.used of quotas equal to what is there.
// What may be made is decided by the apiserver's admission, which counts for itself. Pure
// (upstream: pkg/controller/resourcequota).
//
// It counts what the caches show, custom kinds included, and once every kResync even if nothing is
// seen to change.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class ResourceQuotaController final : public Controller {
 public:
  ResourceQuotaController();
  std::string_view name() const override { return "resourcequota-controller"; }
  std::vector<client::Gvr> watched() const override { return watched_; }
  bool follows_custom_kinds() const override { return true; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  std::vector<client::Gvr> watched_;  // quotas first, then what they count
};

}  // namespace coracle::controllers
