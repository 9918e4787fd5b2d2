#include "apiserver/rbac/certificate_guard.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/csr.hpp"

namespace coracle::apiserver::rbac {

namespace {

constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";
constexpr std::string_view kMastersGroup = "system:masters";

bool may(const Access& access, const Context& c, const char* verb, const std::string& name) {
  RequestInfo asked;
  asked.is_resource = true;
  asked.verb = verb;
  asked.group = "certificates.k8s.io";
  asked.version = "*";
  asked.resource = "signers";
  asked.name = name;
  return access.decide(c.user, asked).allowed;
}

// On the signer itself, or on all of its domain.
bool may_for_signer(const Access& access, const Context& c, const char* verb,
                    const std::string& signer) {
  if (may(access, c, verb, signer)) return true;
  return may(access, c, verb, signer.substr(0, signer.find('/')) + "/*");
}

bool asks_for_masters(const json::value& request) {
  if (get_string(request, "spec.signerName") != kClientSigner) return false;
  const auto pem = base64_decode(get_string(request, "spec.request"));
  const auto info = pem.ok() ? net::inspect_csr(*pem) : Result<net::CsrInfo>(pem.status());
  if (!info.ok()) return false;  // no request at all: validation says so
  const auto& groups = info->organizations;
  return std::find(groups.begin(), groups.end(), kMastersGroup) != groups.end();
}

bool same_at(const json::value& a, const json::value& b, std::string_view path) {
  const json::value* x = find(a, path);
  const json::value* y = find(b, path);
  return (x == nullptr || y == nullptr) ? x == y : *x == *y;
}

}  // namespace

std::string certificate_write_refusal(const Access& access, const Context& c,
                                      const json::value& next, const json::value* old) {
  if (c.storage->kind != "CertificateSigningRequest") return {};
  const std::string& sub = c.info.subresource;
  if (old == nullptr) {
    if (!sub.empty() || !asks_for_masters(next)) return {};
    return "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not "
           "allowed";
  }
  const std::string signer(get_string(*old, "spec.signerName"));
  if (sub == "approval" && !may_for_signer(access, c, "approve", signer)) {
    return "user not permitted to approve requests with signerName " + quoted(signer);
  }
  const bool signs = sub == "status" && (!same_at(next, *old, "status.certificate") ||
                                         !same_at(next, *old, "status.conditions"));
  if (signs && !may_for_signer(access, c, "sign", signer)) {
    return "user not permitted to sign requests with signerName " + quoted(signer);
  }
  return {};
}

}  // namespace coracle::apiserver::rbac
