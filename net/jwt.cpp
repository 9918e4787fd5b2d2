#include "net/jwt.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net/openssl_util.hpp"

namespace coracle::net {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, OpensslDeleter<EVP_MD_CTX_free>>;

Status malformed() { return {Code::kUnauthenticated, "malformed token"}; }

std::string number_parameter(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

struct TokenParts {
  std::string_view signed_part;
  json::value header;
  json::value claims;
  std::string signature;
};

Result<TokenParts> take_apart(std::string_view token) {
  std::size_t first = token.find('.');
  std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return malformed();
  auto header = base64url_decode(token.substr(0, first));
  auto claims = base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(token.substr(second + 1));
  if (!header.ok() || !claims.ok() || !signature.ok()) return malformed();
  auto header_json = parse_json(*header);
  auto claims_json = parse_json(*claims);
  if (!header_json.ok() || !claims_json.ok()) return malformed();
  if (!header_json->is_object() || !claims_json->is_object()) return malformed();
  return TokenParts{token.substr(0, second), std::move(*header_json), std::move(*claims_json),
                    std::move(*signature)};
}

}  // namespace

struct JwtKey::Impl {
  PkeyPtr key;
  bool can_sign = false;
  std::string key_id;
};

Result<std::string> make_rsa_key() {
  PkeyPtr key(EVP_RSA_gen(2048));
  if (!key) return internal_error("cannot make an RSA key: " + openssl_error());
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return bio_text(bio.get());
}

Result<JwtKey> JwtKey::from_pem(std::string_view pem) {
  auto impl = std::make_shared<Impl>();
  if (auto secret = read_private_key(pem); secret.ok()) {
    impl->key = std::move(secret).value();
    impl->can_sign = true;
  } else {
    BioPtr bio = read_bio(pem);
    impl->key.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
  }
  if (!impl->key || EVP_PKEY_base_id(impl->key.get()) != EVP_PKEY_RSA) {
    return invalid_argument("data does not contain a valid RSA key");
  }
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(impl->key.get(), &der);
  if (size <= 0) return internal_error("cannot encode the public key: " + openssl_error());
  impl->key_id = base64url_encode(
      sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
  return JwtKey(std::move(impl));
}

const std::string& JwtKey::key_id() const { return impl_->key_id; }

std::string JwtKey::public_pem() const {
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), impl_->key.get());
  return bio_text(bio.get());
}

json::value JwtKey::jwk() const {
  json::object key;
  key["use"] = "sig";
  key["kty"] = "RSA";
  key["kid"] = impl_->key_id;
  key["alg"] = "RS256";
  key["n"] = base64url_encode(number_parameter(impl_->key.get(), OSSL_PKEY_PARAM_RSA_N));
  key["e"] = base64url_encode(number_parameter(impl_->key.get(), OSSL_PKEY_PARAM_RSA_E));
  return key;
}

Result<std::string> JwtKey::sign(const json::value& claims) const {
  if (!impl_->can_sign) return failed_precondition("a public key cannot sign");
  json::object header;
  header["alg"] = "RS256";
  header["kid"] = impl_->key_id;
  std::string token = base64url_encode(to_json(header)) + '.' + base64url_encode(to_json(claims));
  DigestContext context(EVP_MD_CTX_new());
  const auto* data = reinterpret_cast<const unsigned char*>(token.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, token.size()) != 1) {
    return internal_error("cannot sign: " + openssl_error());
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                     token.size()) != 1) {
    return internal_error("cannot sign: " + openssl_error());
  }
  signature.resize(size);
  return token + '.' + base64url_encode(signature);
}

Result<json::value> JwtKey::verify(std::string_view token) const {
  ASSIGN_OR_RETURN(TokenParts parts, take_apart(token));
  if (get_string(parts.header, "alg") != "RS256") return malformed();
  DigestContext context(EVP_MD_CTX_new());
  bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1 &&
      EVP_DigestVerify(
          context.get(), reinterpret_cast<const unsigned char*>(parts.signature.data()),
          parts.signature.size(), reinterpret_cast<const unsigned char*>(parts.signed_part.data()),
          parts.signed_part.size()) == 1;
  ERR_clear_error();
  if (!good) return Status(Code::kUnauthenticated, "token signature is invalid");
  return std::move(parts.claims);
}

Result<json::value> decode_jwt_unverified(std::string_view token) {
  ASSIGN_OR_RETURN(TokenParts parts, take_apart(token));
  return std::move(parts.claims);
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace coracle::net
