// CertificateSigningRequests: who is approved without a person, what the four kubernetes.io signers
// sign, and when old requests go. Pure but for the cryptography, which is handed in (upstream:
// pkg/controller/certificates: approver, signer, cleaner).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

struct RequestFacts {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names, ip_addresses, emails, uris;
};

struct CertificateTools {
  // From the PEM text of spec.request.
  std::function<Result<RequestFacts>(const std::string& pem)> read;
  // A certificate, PEM. Empty: there is no CA, nothing is signed.
  std::function<Result<std::string>(const std::string& pem, const std::vector<std::string>& usages,
                                    WallTime not_before, WallTime not_after)>
      sign;
  // Of the first certificate of a PEM text.
  std::function<Result<WallTime>(const std::string& pem)> not_after;
  Duration duration = std::chrono::hours(24 * 365);  // the longest life, and that of who asks none
};

// Why this request is none a signer signs, in upstream's words; "" when it is one.
std::string why_not_signed(std::string_view signer, const RequestFacts& facts,
                           const std::vector<std::string>& usages);

// What the three have in common: a request is looked at whenever it came or changed.
class CertificateController : public Controller {
 public:
  explicit CertificateController(CertificateTools tools) : tools_(std::move(tools)) {}
  std::vector<client::Gvr> watched() const override { return {gvr::kCertificateSigningRequests}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;

 protected:
  const CertificateTools tools_;
};

// Kubelets' client certificates: approved when the requestor may create the subresource nodeclient
// (selfnodeclient, for his own name) of certificatesigningrequests.
class CertificateApprover final : public CertificateController {
 public:
  using CertificateController::CertificateController;
  std::string_view name() const override { return "certificatesigningrequest-approving"; }
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

class CertificateSigner final : public CertificateController {
 public:
  using CertificateController::CertificateController;
  std::string_view name() const override { return "certificatesigningrequest-signing"; }
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

// Decided and failed ones go after an hour, undecided ones after a day, and those whose certificate
// has run out.
class CertificateCleaner final : public CertificateController {
 public:
  using CertificateController::CertificateController;
  std::string_view name() const override { return "certificatesigningrequest-cleaner"; }
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;
};

}  // namespace coracle::controllers
