#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "certificates/certificates.hpp"
#include "certificates/request.hpp"

namespace coracle::controllers {
namespace {

constexpr std::string_view kOurs = "kubernetes.io/";
constexpr Duration kBackdate = std::chrono::minutes(5);  // clocks differ a little
constexpr Duration kShortest = std::chrono::minutes(10);
constexpr Duration kShort = std::chrono::hours(8);

Duration life_of(const json::value& request, Duration most) {
  const json::value* asked = find(request, "spec.expirationSeconds");
  if (asked == nullptr || !asked->is_int64()) return most;
  return std::min(most, std::max(kShortest, Duration(std::chrono::seconds(asked->get_int64()))));
}

}  // namespace

Plan CertificateSigner::reconcile(const World& world, const std::string& key, Instant now) const {
  Plan plan;
  const ObjectPtr request = world.get(gvr::kCertificateSigningRequests, "", key);
  if (!tools_.sign || request == nullptr || csr::is_issued(*request) ||
      !csr::is(*request, "Approved") || csr::is(*request, "Denied") ||
      csr::is(*request, "Failed")) {
    return plan;
  }
  const std::string_view signer = get_string(*request, "spec.signerName");
  if (!signer.starts_with(kOurs)) return plan;
  plan.about = request;
  const std::string pem = csr::pem_of(*request);
  const auto facts = tools_.read(pem);
  if (!facts.ok()) return plan;
  json::value changed = *request;
  const auto usages = csr::usages_of(*request);
  const std::string why = why_not_signed(signer, *facts, usages);
  if (why.starts_with("unrecognized signerName")) return plan;  // somebody else's
  if (!why.empty()) {
    csr::add_verdict(changed, "Failed", "SignerValidationFailure", why, now.wall);
    plan.update_status(gvr::kCertificateSigningRequests, std::move(changed));
    return plan;
  }
  // A short life is not made shorter by the backdating.
  const Duration life = life_of(*request, tools_.duration);
  const WallTime begin = now.wall - kBackdate;
  const auto made = tools_.sign(pem, usages, begin, (life < kShort ? now.wall : begin) + life);
  if (!made.ok()) {
    csr::add_verdict(changed, "Failed", "SignerValidationFailure", made.status().message(),
                     now.wall);
  } else {
    make_object(changed, "status")["certificate"] = base64_encode(*made);
  }
  plan.update_status(gvr::kCertificateSigningRequests, std::move(changed));
  return plan;
}

}  // namespace coracle::controllers
