#include "base/aes.hpp"

#include <catch2/catch.hpp>

#include "base/encoding.hpp"

namespace coracle {
namespace {

std::string bytes(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

TEST_CASE("AES-GCM as the paper that defined it has it") {
  struct Case {
    std::string name, key, nonce, plain, also, sealed;
  };
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 2, 4 and 14.
  const auto c = GENERATE(values<Case>({
      {"one block of zeros", "00000000000000000000000000000000", "000000000000000000000000",
       "00000000000000000000000000000000", "",
       "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
      {"with additional data", "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
       "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
       "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
       "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
       "5bc94fbc3221a5db94fae95ae7121a47"},
      {"a key of 32 bytes", std::string(64, '0'), "000000000000000000000000",
       "00000000000000000000000000000000", "",
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
  }));
  CAPTURE(c.name);
  CHECK(hex_encode(aes_gcm_seal(bytes(c.key), bytes(c.nonce), bytes(c.plain), bytes(c.also))) ==
        c.sealed);
  CHECK(aes_gcm_open(bytes(c.key), bytes(c.nonce), bytes(c.sealed), bytes(c.also)).value() ==
        bytes(c.plain));
}

TEST_CASE("AES-GCM refuses what was changed") {
  const std::string key(24, 'k'), nonce(kGcmNonceBytes, 'n');
  const std::string sealed = aes_gcm_seal(key, nonce, "secret", "/registry/secrets/a/x");
  CHECK(aes_gcm_open(key, nonce, sealed, "/registry/secrets/a/x").value() == "secret");
  CHECK_FALSE(aes_gcm_open(key, nonce, sealed, "/registry/secrets/a/y").ok());
  CHECK_FALSE(aes_gcm_open(std::string(24, 'l'), nonce, sealed, "/registry/secrets/a/x").ok());
  CHECK_FALSE(aes_gcm_open(key, nonce, "short", "").ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string other = sealed;
    other[i] = static_cast<char>(other[i] ^ 1);
    CHECK_FALSE(aes_gcm_open(key, nonce, other, "/registry/secrets/a/x").ok());
  }
}

TEST_CASE("AES-CBC pads to whole blocks") {
  const std::string key(32, 'k'), iv(kAesBlockBytes, 'i');
  for (const std::size_t size : {0, 1, 15, 16, 17, 4096}) {
    const std::string plain(size, 'p');
    const std::string sealed = aes_cbc_seal(key, iv, plain);
    CHECK(sealed.size() == (size / kAesBlockBytes + 1) * kAesBlockBytes);
    CHECK(aes_cbc_open(key, iv, sealed).value() == plain);
  }
  CHECK_FALSE(aes_cbc_open(key, iv, "odd").ok());
  CHECK_FALSE(aes_cbc_open(key, iv, "").ok());
}

}  // namespace
}  // namespace coracle
