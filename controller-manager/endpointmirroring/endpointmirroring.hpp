// EndpointSlice mirroring: Endpoints that people write for a Service without a selector are copied
// to EndpointSlices, which is what proxies read. Pure (upstream: pkg/controller/
// endpointslicemirroring). Bound: kMirrorMax addresses of a subset.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class EndpointMirroringController final : public Controller {
 public:
  static constexpr size_t kMirrorMax = 1000;
  std::string_view name() const override { return "endpoint-slice-mirroring-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kEndpoints, gvr::kServices, gvr::kEndpointSlices};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
