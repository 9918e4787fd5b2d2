// Tables as etcdctl prints them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace coracle::store {

// Headers are centred; cells are aligned to the right when they are numbers, else to the left.
std::string render_table(const std::vector<std::string>& headers,
                         const std::vector<std::vector<std::string>>& rows);
// "544 B", "25 kB", "2.1 MB": powers of 1000.
std::string human_bytes(std::uint64_t bytes);

}  // namespace coracle::store
