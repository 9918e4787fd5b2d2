// TlsFiles: the PEM files a TLS server or client is given by flags, and whether they make sense.
// Pure but for reading the files.
// Errors: InvalidArgument that begins with the flag and the path.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/status.hpp"

namespace coracle {

// Paths; empty means not given. A chain is leaf first; `ca` may hold several certificates.
struct TlsFiles {
  std::string cert, key, ca;

  bool empty() const { return cert.empty() && key.empty() && ca.empty(); }
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// What the flags are called, for the errors.
struct TlsFlagNames {
  std::string cert, key, ca;
};

// Files that cannot be read or hold no PEM, a key that does not belong to the certificate, one of
// the two without the other.
Status check_tls_files(const TlsFiles& files, const TlsFlagNames& flags);

// What is allowed but hardly wanted: certificates that are not valid now. One sentence each.
std::vector<std::string> tls_warnings(const TlsFiles& files, const TlsFlagNames& flags,
                                      WallTime now);

}  // namespace coracle
