// EncryptionConfig: the file of --encryption-provider-config (apiserver.config.k8s.io/v1): which
// resources are kept encrypted, and with what.
//
// Not there: kms (it needs a service beside this one) and secretbox (its cipher, XSalsa20, is not
// in OpenSSL, and ciphers are not written here); both are refused by name. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/at_rest/providers.hpp"

namespace coracle::apiserver {

class EncryptionConfig {
 public:
  // InvalidArgument lists what is wrong, with paths; no secret is in the text.
  static Result<EncryptionConfig> parse(std::string_view yaml);

  // Null: the resource is stored as it is. The resource itself is looked for first, then `*.GROUP`,
  // then `*.*`.
  const Providers* find(std::string_view group, std::string_view plural) const;

 private:
  std::vector<std::pair<std::string, Providers>> by_pattern_;  // "secrets", "*.apps", "*.*"
};

}  // namespace coracle::apiserver
