#include <optional>

#include "api/object.hpp"
#include "certificates/certificates.hpp"
#include "certificates/request.hpp"

namespace coracle::controllers {
namespace {

constexpr Duration kDecided = std::chrono::hours(1);
constexpr Duration kPending = std::chrono::hours(24);

std::optional<WallTime> decided_at(const json::value& request, const char* verdict) {
  if (!csr::is(request, verdict)) return std::nullopt;
  const auto time = parse_time(get_string(*condition(request, verdict), "lastUpdateTime"));
  if (!time.ok()) return std::nullopt;
  return *time;
}

}  // namespace

Plan CertificateCleaner::reconcile(const World& world, const std::string& key, Instant now) const {
  Plan plan;
  const ObjectPtr request = world.get(gvr::kCertificateSigningRequests, "", key);
  if (request == nullptr || is_deleting(*request)) return plan;
  std::optional<WallTime> due;
  const auto at = [&](WallTime time) {
    if (!due || time < *due) due = time;
  };
  bool undecided = true;
  for (const char* verdict : {"Approved", "Denied", "Failed"}) {
    const auto time = decided_at(*request, verdict);
    undecided = undecided && !csr::is(*request, verdict);
    // An approved one that nobody signed yet waits for its signer.
    if (time && (verdict[0] != 'A' || csr::is_issued(*request))) at(*time + kDecided);
  }
  if (undecided) {
    const auto made = parse_time(api::creation_timestamp_of(*request));
    if (made.ok()) at(*made + kPending);
  }
  if (csr::is_issued(*request)) {
    const auto ends = tools_.not_after(csr::certificate_of(*request));
    if (ends.ok()) at(*ends);
  }
  if (!due) return plan;
  if (*due <= now.wall)
    plan.remove(gvr::kCertificateSigningRequests, *request);
  else
    plan.look_again(*due - now.wall);
  return plan;
}

}  // namespace coracle::controllers
