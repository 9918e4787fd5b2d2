// Certificate signing requests (PKCS#10): making them, looking into them, and signing them as the
// Kubernetes signers do. Everything is PEM text. Pure but for the random source inside OpenSSL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/pki.hpp"

namespace coracle::net {

struct CsrInfo {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names, ip_addresses, emails, uris;
};
// InvalidArgument: no request, or its signature is not by its own key.
Result<CsrInfo> inspect_csr(std::string_view pem);

struct CsrAndKey {
  std::string csr_pem, key_pem;
};
// With a new P-256 key. Of the request: names, organizations, addresses; usages are the signer's.
Result<CsrAndKey> make_csr(const CertRequest& request);

// Of the first certificate's public key (its DER form), in hex: what kubeadm calls the CA's hash.
Result<std::string> public_key_sha256(std::string_view cert_pem);

// The certificate: subject and alternative names as asked for, no CA, the usages by the names of
// certificates.k8s.io/v1 ("client auth"). It does not outlive the CA. InvalidArgument: a request
// that inspect_csr refuses, a usage nobody knows, a CA that is none.
Result<std::string> sign_csr(const KeyPair& ca, std::string_view csr_pem,
                             const std::vector<std::string>& usages, const Validity& validity);

}  // namespace coracle::net
