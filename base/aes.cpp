#include "base/aes.hpp"

#include <openssl/evp.h>

#include <memory>

namespace coracle {

namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::string& bytes, std::size_t at = 0) {
  return reinterpret_cast<unsigned char*>(bytes.data()) + at;
}

const EVP_CIPHER* gcm_of(std::size_t key_bytes) {
  CHECK(is_aes_key_size(key_bytes));
  return key_bytes == 16   ? EVP_aes_128_gcm()
         : key_bytes == 24 ? EVP_aes_192_gcm()
                           : EVP_aes_256_gcm();
}

const EVP_CIPHER* cbc_of(std::size_t key_bytes) {
  CHECK(is_aes_key_size(key_bytes));
  return key_bytes == 16   ? EVP_aes_128_cbc()
         : key_bytes == 24 ? EVP_aes_192_cbc()
                           : EVP_aes_256_cbc();
}

// Seals or opens, as the context was set up: `also` first, then `in`. What is left for the end
// (a block of padding, the check of a tag) says whether it was good.
bool run(EVP_CIPHER_CTX* context, std::string_view also, std::string_view in, std::string* out) {
  int length = 0;
  if (!also.empty()) {
    CHECK(EVP_CipherUpdate(context, nullptr, &length, raw(also), static_cast<int>(also.size())));
  }
  out->resize(in.size() + kAesBlockBytes);
  int total = 0;
  CHECK(EVP_CipherUpdate(context, raw(*out), &total, raw(in), static_cast<int>(in.size())));
  const bool good =
      EVP_CipherFinal_ex(context, raw(*out, static_cast<std::size_t>(total)), &length) == 1;
  out->resize(static_cast<std::size_t>(total + (good ? length : 0)));
  return good;
}

ContextPtr context_for(const EVP_CIPHER* cipher, std::string_view key, std::string_view nonce,
                       bool seal) {
  ContextPtr context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context.get(), cipher, nullptr, raw(key), raw(nonce), seal ? 1 : 0) == 1);
  return context;
}

}  // namespace

bool is_aes_key_size(std::size_t bytes) { return bytes == 16 || bytes == 24 || bytes == 32; }

std::string aes_gcm_seal(std::string_view key, std::string_view nonce, std::string_view plain,
                         std::string_view also_authenticated) {
  CHECK(nonce.size() == kGcmNonceBytes);
  const ContextPtr context = context_for(gcm_of(key.size()), key, nonce, true);
  std::string out;
  CHECK(run(context.get(), also_authenticated, plain, &out));
  std::string tag(kGcmTagBytes, '\0');
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagBytes, raw(tag)) == 1);
  return out + tag;
}

Result<std::string> aes_gcm_open(std::string_view key, std::string_view nonce,
                                 std::string_view sealed, std::string_view also_authenticated) {
  CHECK(nonce.size() == kGcmNonceBytes);
  const Status refused = invalid_argument("cipher: message authentication failed");
  if (sealed.size() < kGcmTagBytes) return refused;
  std::string tag(sealed.substr(sealed.size() - kGcmTagBytes));
  sealed.remove_suffix(kGcmTagBytes);
  const ContextPtr context = context_for(gcm_of(key.size()), key, nonce, false);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagBytes, raw(tag)) == 1);
  std::string out;
  if (!run(context.get(), also_authenticated, sealed, &out)) return refused;
  return out;
}

std::string aes_cbc_seal(std::string_view key, std::string_view iv, std::string_view plain) {
  CHECK(iv.size() == kAesBlockBytes);
  const ContextPtr context = context_for(cbc_of(key.size()), key, iv, true);
  std::string out;
  CHECK(run(context.get(), {}, plain, &out));
  return out;
}

Result<std::string> aes_cbc_open(std::string_view key, std::string_view iv,
                                 std::string_view sealed) {
  CHECK(iv.size() == kAesBlockBytes);
  if (sealed.size() % kAesBlockBytes != 0) {
    return invalid_argument("the stored data is not a multiple of the block size");
  }
  const ContextPtr context = context_for(cbc_of(key.size()), key, iv, false);
  std::string out;
  if (!run(context.get(), {}, sealed, &out)) return invalid_argument("invalid padding on input");
  return out;
}

}  // namespace coracle
