// The works of the store's benchmark, by name. Each says what it needs in the store beforehand and
// what its clients ask.
#pragma once

#include <string>
#include <vector>

#include "bench_store/load.hpp"

namespace coracle::bench {

struct WorkSpec {
  std::string name;
  std::string help;
  int clients = 64;
  int keys_before = 0;  // of value_bytes, under kPrefix
  size_t value_bytes = 1024;
  int watchers = 0;  // on all of kPrefix
  MakeWork make;
};

inline constexpr std::string_view kPrefix = "/registry/configmaps/bench/";
std::string key_of(std::uint64_t number);
// Bytes nobody can compress, a different part each time.
std::string_view value_bytes(Rng& rng, size_t size);

const std::vector<WorkSpec>& all_works();
// Writes keys first..last-1, each once (the last ones perhaps more often).
struct Filling {
  MakeWork make;
  std::function<bool()> done;
};
Filling fill_work(std::uint64_t first, std::uint64_t last, size_t value_bytes);

}  // namespace coracle::bench
