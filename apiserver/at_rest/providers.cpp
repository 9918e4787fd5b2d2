#include "apiserver/at_rest/providers.hpp"

#include "base/aes.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kSealed = "k8s:enc:";

std::string_view prefix_of(Provider::Type type) {
  switch (type) {
    case Provider::Type::kAesGcm:
      return "k8s:enc:aesgcm:v1:";
    case Provider::Type::kAesCbc:
      return "k8s:enc:aescbc:v1:";
    case Provider::Type::kIdentity:
      return "";
  }
  CHECK(false);
}

Result<std::string> open_with(Provider::Type type, const std::string& secret, std::string_view data,
                              std::string_view store_key) {
  const bool gcm = type == Provider::Type::kAesGcm;
  const std::size_t nonce = gcm ? kGcmNonceBytes : kAesBlockBytes;
  if (data.size() < nonce) {
    return invalid_argument("the stored data was shorter than the required size");
  }
  const std::string_view rest = data.substr(nonce);
  return gcm ? aes_gcm_open(secret, data.substr(0, nonce), rest, store_key)
             : aes_cbc_open(secret, data.substr(0, nonce), rest);
}

// The first error stands for all: they differ only where keys or providers share a name.
void keep_first(Status* kept, Status error) {
  if (kept->ok()) *kept = std::move(error);
}

}  // namespace

std::string Providers::seal(std::string_view plain, std::string_view store_key,
                            const RandomBytes& random) const {
  const Provider& provider = list_.front();
  if (provider.type == Provider::Type::kIdentity) return std::string(plain);
  const Provider::Key& key = provider.keys.front();
  const bool gcm = provider.type == Provider::Type::kAesGcm;
  const std::string nonce = random(gcm ? kGcmNonceBytes : kAesBlockBytes);
  std::string out(prefix_of(provider.type));
  out.append(key.name).append(":").append(nonce);
  out += gcm ? aes_gcm_seal(key.secret, nonce, plain, store_key)
             : aes_cbc_seal(key.secret, nonce, plain);
  return out;
}

Result<Providers::Opened> Providers::open(std::string_view stored,
                                          std::string_view store_key) const {
  Status refused;
  for (std::size_t i = 0; i < list_.size(); ++i) {
    const Provider& provider = list_[i];
    if (provider.type == Provider::Type::kIdentity) {
      // Above another provider it lets encryption be taken back: what is sealed is not for it.
      if (!stored.starts_with(kSealed)) return Opened{std::string(stored), i != 0};
      continue;
    }
    const std::string_view prefix = prefix_of(provider.type);
    if (!stored.starts_with(prefix)) continue;
    const std::string_view named = stored.substr(prefix.size());
    Status of_keys;
    for (std::size_t k = 0; k < provider.keys.size(); ++k) {
      const Provider::Key& key = provider.keys[k];
      const std::size_t end = key.name.size();
      if (!named.starts_with(key.name) || named.size() <= end || named[end] != ':') continue;
      auto plain = open_with(provider.type, key.secret, named.substr(end + 1), store_key);
      if (plain.ok()) return Opened{*std::move(plain), i != 0 || k != 0};
      keep_first(&of_keys, plain.status());
    }
    keep_first(&refused, of_keys.ok()
                             ? invalid_argument("no matching key was found for the provided AES "
                                                "transformer")
                             : of_keys);
  }
  return refused.ok() ? invalid_argument("no matching prefix found") : refused;
}

}  // namespace coracle::apiserver
