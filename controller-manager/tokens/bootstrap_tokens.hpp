// Bootstrap tokens (Secrets kube-system/bootstrap-token-ID): they go when they expire, and sign the
// ConfigMap kube-public/cluster-info, by which a joining node knows that the cluster it talks to is
// the one it was told of. Pure but for the signature (upstream: pkg/controller/bootstrap).
#pragma once

#include <functional>
#include <string>

#include "controllers/controller.hpp"

namespace coracle::controllers {

class BootstrapTokenCleaner final : public Controller {
 public:
  std::string_view name() const override { return "token-cleaner-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kSecrets}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

// HMAC-SHA256.
using KeyedHash = std::function<std::string(const std::string& key, const std::string& text)>;

// The signature of `text` by a token: a JSON Web Signature (HS256, kid the token's id) without its
// payload.
std::string detached_signature(const KeyedHash& hash, const std::string& id,
                               const std::string& secret, const std::string& text);

class BootstrapSigner final : public Controller {
 public:
  explicit BootstrapSigner(KeyedHash hash) : hash_(std::move(hash)) {}
  std::string_view name() const override { return "bootstrap-signer-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kSecrets, gvr::kConfigMaps}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  const KeyedHash hash_;
};

}  // namespace coracle::controllers
