// Tokens kept in Secrets (type kubernetes.io/service-account-token): the Secret that names a
// ServiceAccount gets its token, and goes with the account. Pure but for the signature, which is
// handed in (upstream: pkg/controller/serviceaccount, tokens_controller.go).
//
// Safety: a Secret is removed only when the server itself does not know its account any more.
#pragma once

#include <functional>
#include <string>

#include "base/status.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

// A JWT of these claims, signed by the key of service accounts.
using TokenSigner = std::function<Result<std::string>(const json::value& claims)>;

class ServiceAccountTokenController final : public Controller {
 public:
  // An empty signer: Secrets go with their accounts, none is filled.
  ServiceAccountTokenController(TokenSigner sign, std::string root_ca_pem)
      : sign_(std::move(sign)), root_ca_(std::move(root_ca_pem)) {}

  std::string_view name() const override { return "tokens-controller"; }
  std::vector<client::Gvr> watched() const override {
    return {gvr::kSecrets, gvr::kServiceAccounts};
  }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  void fill(const json::value& secret, const json::value& account, Plan* plan) const;

  const TokenSigner sign_;
  const std::string root_ca_;
};

}  // namespace coracle::controllers
