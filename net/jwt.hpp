// JSON Web Tokens signed with RS256, as service account tokens are. Pure; keys are PEM text.
// Only the signature is looked at here: the caller checks exp, nbf, iss, aud of the claims.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::net {

// A new 2048-bit RSA private key, PKCS#8 PEM. Takes some tens of milliseconds.
Result<std::string> make_rsa_key();

class JwtKey {
 public:
  // A private key signs and verifies, a public key ("PUBLIC KEY") only verifies.
  static Result<JwtKey> from_pem(std::string_view pem);

  // kid of the tokens: base64url of the SHA-256 of the DER public key, as upstream makes it.
  const std::string& key_id() const;
  std::string public_pem() const;
  // The key as an entry of a JWK set (/openid/v1/jwks).
  json::value jwk() const;

  Result<std::string> sign(const json::value& claims) const;
  // The claims, if the token is well formed, says RS256 and this key signed it. Unauthenticated
  // otherwise.
  Result<json::value> verify(std::string_view token) const;

 private:
  struct Impl;
  explicit JwtKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// The keyed hash of HS256: 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

// The claims without any check: to find out whose token it says it is.
Result<json::value> decode_jwt_unverified(std::string_view token);

}  // namespace coracle::net
