// Small encodings. All pure and thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace coracle {

std::string base64_encode(std::string_view bytes);
std::string base64url_encode(std::string_view bytes);  // no padding
// Standard alphabet with padding; newlines are ignored. InvalidArgument otherwise.
Result<std::string> base64_decode(std::string_view text);
Result<std::string> base64url_decode(std::string_view text);
std::string hex_encode(std::string_view bytes);
std::string sha256(std::string_view bytes);  // 32 raw bytes
// The same of bytes that come in parts. One owner.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::string_view bytes);
  std::string finish();  // 32 raw bytes; once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
// FNV-1a, 32 bit: the hash behind pod-template-hash.
std::uint32_t fnv32a(std::string_view bytes);
std::string percent_encode(std::string_view text);  // everything but unreserved characters
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace coracle
