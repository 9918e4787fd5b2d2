// Providers: how the values of some resources are written to the store and read from it, as the
// `providers` list of an EncryptionConfiguration says: the first one writes, all of them read.
//
// A sealed value begins with `k8s:enc:PROVIDER:v1:KEY-NAME:`, then nonce and ciphertext; its key in
// the store is authenticated with it (aesgcm), so that no value can be moved to another object.
// Pure: randomness is an argument. Errors of open() are upstream's sentences.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace coracle::apiserver {

using RandomBytes = std::function<std::string(std::size_t)>;

struct Provider {
  enum class Type { kIdentity, kAesGcm, kAesCbc };
  struct Key {
    std::string name;
    std::string secret;  // 16, 24 or 32 bytes
  };
  Type type = Type::kIdentity;
  std::vector<Key> keys;  // the first one seals; none for kIdentity
};

class Providers {
 public:
  explicit Providers(std::vector<Provider> list) : list_(std::move(list)) {}

  std::string seal(std::string_view plain, std::string_view store_key,
                   const RandomBytes& random) const;

  struct Opened {
    std::string plain;
    bool outdated = false;  // seal() would write it with another provider or key
  };
  // InvalidArgument: none of the providers can read it.
  Result<Opened> open(std::string_view stored, std::string_view store_key) const;

 private:
  std::vector<Provider> list_;  // not empty
};

}  // namespace coracle::apiserver
