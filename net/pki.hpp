// X.509 for a small cluster: a CA, certificates it issues, and looking into certificates. P-256
// keys, ECDSA with SHA-256, random 127-bit serials. Everything is PEM text. Pure but for the
// random source inside OpenSSL and write_private_file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle::net {

struct KeyPair {  // a certificate and the key that belongs to it
  std::string cert_pem;
  std::string key_pem;
};

struct Validity {
  WallTime not_before;
  WallTime not_after;
  // From five minutes ago (clocks differ a little) for so many days.
  static Validity days(WallTime now, int days);
};

struct CertRequest {
  std::string common_name;
  std::vector<std::string> organizations;  // Kubernetes: the groups of a user
  std::vector<std::string> dns_names;      // SANs
  std::vector<std::string> ip_addresses;   // SANs: "127.0.0.1", "::1"
  bool server = false;                     // extended key usages
  bool client = false;
};

Result<KeyPair> make_ca(std::string_view common_name, const Validity& validity);
// InvalidArgument: a CA that is none or whose key does not fit, a bad address.
Result<KeyPair> issue(const KeyPair& ca, const CertRequest& request, const Validity& validity);

struct CertInfo {
  std::string common_name;
  std::vector<std::string> organizations;
  std::string issuer_common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::string serial_hex;
  WallTime not_before;
  WallTime not_after;
  bool is_ca = false;
};
// The first certificate of the text.
Result<CertInfo> inspect_certificate(std::string_view pem);
// Does the key belong to the (first) certificate?
Status check_key_pair(const KeyPair& pair);

// Writes a temporary file of mode 0600 beside it, then renames: readers see all or nothing.
Status write_private_file(const std::string& path, std::string_view content);

// True if equal; takes the same time wherever they differ. For tokens.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace coracle::net
