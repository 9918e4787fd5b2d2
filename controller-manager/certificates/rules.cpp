// What each kubernetes.io signer demands of a request (upstream: apis/certificates/helpers.go and
// controller/certificates/signer).
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/strings.hpp"
#include "certificates/certificates.hpp"

namespace coracle::controllers {
namespace {

constexpr std::string_view kNodePrefix = "system:node:";

bool are_usages(const std::vector<std::string>& usages, const char* auth) {
  const std::set<std::string> given(usages.begin(), usages.end());
  return given == std::set<std::string>{auth, "digital signature"} ||
         given == std::set<std::string>{auth, "digital signature", "key encipherment"};
}

std::string why_no_node(const RequestFacts& facts) {
  if (facts.common_name.starts_with(kNodePrefix)) return {};
  return "subject common name does not begin with system:node:";
}

std::string why_no_kubelet_client(const RequestFacts& facts,
                                  const std::vector<std::string>& usages) {
  if (!facts.dns_names.empty()) return "DNS subjectAltNames are not allowed";
  if (!facts.emails.empty()) return "Email subjectAltNames are not allowed";
  if (!facts.ip_addresses.empty()) return "IP subjectAltNames are not allowed";
  if (!facts.uris.empty()) return "URI subjectAltNames are not allowed";
  if (std::string why = why_no_node(facts); !why.empty()) return why;
  if (are_usages(usages, "client auth")) return {};
  return "usages did not match [client auth digital signature key encipherment]";
}

std::string why_no_kubelet_server(const RequestFacts& facts,
                                  const std::vector<std::string>& usages) {
  if (facts.dns_names.empty() && facts.ip_addresses.empty()) {
    return "DNS or IP subjectAltName is required";
  }
  if (!facts.emails.empty()) return "Email subjectAltNames are not allowed";
  if (!facts.uris.empty()) return "URI subjectAltNames are not allowed";
  if (!are_usages(usages, "server auth")) {
    return "usages did not match [digital signature key encipherment server auth]";
  }
  return why_no_node(facts);
}

std::string why_no_client(const std::vector<std::string>& usages) {
  for (const std::string& usage : usages) {
    if (usage != "digital signature" && usage != "key encipherment" && usage != "client auth") {
      return "invalid usage for client certificate: " + usage;
    }
  }
  if (std::find(usages.begin(), usages.end(), "client auth") != usages.end()) return {};
  return "missing required usage for client certificate: client auth";
}

}  // namespace

std::string why_not_signed(std::string_view signer, const RequestFacts& facts,
                           const std::vector<std::string>& usages) {
  if (signer == "kubernetes.io/kube-apiserver-client") return why_no_client(usages);
  if (signer == "kubernetes.io/legacy-unknown") return {};
  const bool serving = signer == "kubernetes.io/kubelet-serving";
  if (!serving && signer != "kubernetes.io/kube-apiserver-client-kubelet") {
    return fmt::format("unrecognized signerName: \"{}\"", signer);
  }
  if (facts.organizations != std::vector<std::string>{"system:nodes"}) {
    return "subject organization is not system:nodes";
  }
  return serving ? why_no_kubelet_server(facts, usages) : why_no_kubelet_client(facts, usages);
}

}  // namespace coracle::controllers
