// ServiceAccount and root CA publisher: every namespace that lives has a ServiceAccount "default"
// and a ConfigMap "kube-root-ca.crt" with the cluster's CA. Pure (upstream: serviceaccounts
// controller, certificates/rootcacertpublisher).
#pragma once

#include "controllers/controller.hpp"

namespace coracle::controllers {

class ServiceAccountController final : public Controller {
 public:
  explicit ServiceAccountController(std::string root_ca_pem) : root_ca_(std::move(root_ca_pem)) {}

  std::string_view name() const override { return "service-account-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kNamespaces, gvr::kServiceAccounts, gvr::kConfigMaps};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  const std::string root_ca_;
};

}  // namespace coracle::controllers
