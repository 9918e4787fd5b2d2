// Endpoints and EndpointSlice controllers: the addresses behind a Service. Pure (upstream:
// pkg/controller/endpoint, endpointslice). Bound: kSliceMax endpoints a slice, kEndpointsMax
// addresses in an Endpoints object.
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class EndpointsController final : public Controller {
 public:
  static constexpr size_t kEndpointsMax = 1000;
  std::string_view name() const override { return "endpoint-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kServices, gvr::kPods, gvr::kEndpoints};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

class EndpointSliceController final : public Controller {
 public:
  static constexpr size_t kSliceMax = 100;
  std::string_view name() const override { return "endpoint-slice-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kServices, gvr::kPods, gvr::kEndpointSlices, gvr::kNodes};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
