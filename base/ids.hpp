// Strong identities: numbers that must not mix. Ordered, hashable, explicit.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>

namespace coracle {

template <class Tag, class Raw>
struct Strong {
  Raw value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Raw v) : value(v) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
  constexpr Strong next() const { return Strong(value + 1); }
  constexpr Strong prev() const { return Strong(value - 1); }
  constexpr Strong plus(Raw n) const { return Strong(value + n); }
  friend std::ostream& operator<<(std::ostream& out, const Strong& s) { return out << s.value; }
};

using Term = Strong<struct TermTag, std::uint64_t>;    // a Raft term; 0 = before the first election
using Index = Strong<struct IndexTag, std::uint64_t>;  // a Raft log position; the first entry is 1
using NodeId = Strong<struct NodeIdTag, std::uint64_t>;  // a store member; 0 = nobody
using Revision =
    Strong<struct RevisionTag, std::int64_t>;  // an MVCC revision; an empty store is at 1
using LeaseId = Strong<struct LeaseIdTag, std::int64_t>;  // an etcd lease; 0 = none

}  // namespace coracle

template <class Tag, class Raw>
struct std::hash<coracle::Strong<Tag, Raw>> {
  std::size_t operator()(const coracle::Strong<Tag, Raw>& s) const noexcept {
    return std::hash<Raw>()(s.value);
  }
};
