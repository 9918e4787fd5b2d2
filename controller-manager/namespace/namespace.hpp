// Namespace controller: empties a namespace that is being deleted, then lets it go. Pure (upstream:
// pkg/controller/namespace/deletion).
//
// Safety: the finalizer goes only after the server itself, asked to delete every kind, found
// nothing left; the caches only save asking too often.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class NamespaceController final : public Controller {
 public:
  std::string_view name() const override { return "namespace-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kNamespaces, gvr::kPods, gvr::kCustomResourceDefinitions};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
