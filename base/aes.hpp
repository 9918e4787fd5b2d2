// AES as storage encryption uses it: sealed with a tag (GCM) or in chained blocks (CBC, PKCS#7).
// Keys are 16, 24 or 32 bytes; other sizes are a CHECK. Pure and thread-safe: nonces are arguments.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle {

inline constexpr std::size_t kGcmNonceBytes = 12, kGcmTagBytes = 16, kAesBlockBytes = 16;

bool is_aes_key_size(std::size_t bytes);

// Ciphertext and tag. A nonce must never be used twice with a key.
std::string aes_gcm_seal(std::string_view key, std::string_view nonce, std::string_view plain,
                         std::string_view also_authenticated);
// InvalidArgument when it is not what was sealed with this key and these additional bytes.
Result<std::string> aes_gcm_open(std::string_view key, std::string_view nonce,
                                 std::string_view sealed, std::string_view also_authenticated);

// Not authenticated: whoever can write the ciphertext can change the plain text.
std::string aes_cbc_seal(std::string_view key, std::string_view iv, std::string_view plain);
Result<std::string> aes_cbc_open(std::string_view key, std::string_view iv,
                                 std::string_view sealed);

}  // namespace coracle
