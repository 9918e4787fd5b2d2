// Provisioner: the storage of a cluster without any. It stands for the external provisioners,
// deleters and resizers of real clusters (sig-storage's external-provisioner and external-resizer,
// whose events and annotations it uses): a claim that asks one of its drivers gets a volume (a
// directory, for kubelet-sim), the volume goes when its claim has gone, and grows when its claim
// asks for more. Pure.
#pragma once

#include <set>
#include <string>

#include "controllers/controller.hpp"

namespace coracle::controllers {

inline constexpr char kLabProvisioner[] = "lab.coracle.dev/hostpath";

class ProvisionerController final : public Controller {
 public:
  explicit ProvisionerController(std::set<std::string> drivers) : drivers_(std::move(drivers)) {}

  std::string_view name() const override { return kLabProvisioner; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kClaims, gvr::kVolumes, gvr::kStorageClasses};
  }
  // Keys: "claim|NAMESPACE/NAME" and "volume|NAME".
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  void provision(const World& world, const json::value& claim, Plan* plan) const;
  void resize(const World& world, const json::value& claim, WallTime now, Plan* plan) const;
  void clean_up(const json::value& volume, Plan* plan) const;

  const std::set<std::string> drivers_;
};

// Tells that a claim which asks for more waits for somebody outside (upstream:
// pkg/controller/volume/expand, for volumes of no built-in kind).
class VolumeExpandController final : public Controller {
 public:
  std::string_view name() const override { return "volume_expand"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kClaims, gvr::kVolumes}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
