// splice: joins two upgraded connections: what comes from one goes to the other, until one ends.
// Strand only. Bound: while kSpliceBacklogMax bytes are unsent on one side, nothing is read from
// the other.
#pragma once

#include <cstddef>
#include <memory>

#include "net/server.hpp"

namespace coracle::net {

inline constexpr std::size_t kSpliceBacklogMax = 256u << 10;

void splice(const std::shared_ptr<ByteStream>& a, const std::shared_ptr<ByteStream>& b);

}  // namespace coracle::net
