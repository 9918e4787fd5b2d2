// Acknowledged: writes that an apiserver was told of as made, until somebody has looked whether the
// store has them: at its revision, the key is what the write made it.
//
// Bound: what was acknowledged since the last look that found a leader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/store.hpp"
#include "member/member.hpp"

namespace coracle::cluster_sim {

class Acknowledged {
 public:
  // Off: nobody will look, so nothing is noted.
  explicit Acknowledged(bool on) : on_(on) {}
  void note(const client::GuardedWrite& write, const client::GuardedResult& result);
  // Empty, or which write is not there. What the member has not come to yet waits; what was
  // compacted away cannot be looked at.
  std::string look(store::Member& leader);
  std::uint64_t looked_at() const { return looked_at_; }

 private:
  struct Write {
    std::string key;
    std::int64_t revision = 0;
    bool is_put = false;
  };
  const bool on_;
  std::vector<Write> waiting_;
  std::uint64_t looked_at_ = 0;
};

}  // namespace coracle::cluster_sim
