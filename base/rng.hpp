// Chance as an argument: a small seeded generator (xoshiro256**, Blackman and Vigna) whose numbers
// are the same on every machine and build. Not for secrets: those come from secure_random_bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coracle {

class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high], both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high);
  double unit();  // [0, 1)
  bool chance(double probability) { return unit() < probability; }
  // `length` characters of the alphabet generateName uses (no vowels, nothing that looks alike).
  std::string name_suffix(size_t length);
  // A random (version 4) UUID drawn from this generator.
  std::string uuid();
  // An independent generator, for a part that must not disturb the numbers of the others.
  Rng split() { return Rng(next()); }

 private:
  std::uint64_t state_[4];
};

inline constexpr std::string_view kNameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

// From the operating system; for keys, tokens and the seed of a live Rng. Thread-safe.
std::string secure_random_bytes(size_t count);
std::uint64_t secure_random_seed();

}  // namespace coracle
