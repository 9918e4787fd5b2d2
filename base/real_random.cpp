#include <openssl/rand.h>

#include <cstring>

#include "base/check.hpp"
#include "base/rng.hpp"

namespace coracle {

std::string secure_random_bytes(size_t count) {
  std::string bytes(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

std::uint64_t secure_random_seed() {
  const std::string bytes = secure_random_bytes(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

}  // namespace coracle
