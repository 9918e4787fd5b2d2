// Situation: where the search is: the model, what was taken, and what the answers say about the
// revisions to come (search.hpp has the reasons).
#pragma once

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "linearize/model.hpp"

namespace coracle::linearize {

class Situation {
 public:
  enum class Outcome { kMisfit, kTaken, kChanged };  // kChanged: there may be another way

  // Before the search, by time of call: each operation whose answer counts, each of unknown
  // outcome.
  void expect(std::size_t op, const Operation& operation);
  void expect_unknown(std::size_t op, const Operation& operation);

  Outcome take_known(std::size_t op, const Operation& operation);
  Outcome take_unknown(std::size_t op, const Operation& operation);
  void take_back(std::size_t op, bool changed);
  std::int64_t revision() const { return model_.revision(); }

 private:
  struct Hash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& p) const {
      return static_cast<std::size_t>(p.first ^ p.second * 31);
    }
  };

  Outcome look_back(const Operation& operation) const;
  // After an apply that changed something, from revision `before`: takes it back if it may not be.
  Outcome settle(std::size_t op, std::int64_t before);
  bool fits(std::size_t op, bool made_revision);
  void mark(std::size_t op, bool taken);
  void note(const Answer& answer);
  void note(const SeenKv& kv);

  struct Rank {
    std::size_t kind, place;
  };

  Model model_;
  std::map<std::string, std::size_t> kinds_;     // equal requests of unknown outcome
  std::unordered_map<std::size_t, Rank> ranks_;  // by operation
  std::vector<std::size_t> known_, used_;        // by kind: how many there are, how many taken
  std::uint64_t taken_ = 0;                      // hash of the set
  std::unordered_map<std::int64_t, std::size_t> owners_;  // revision -> the operation it belongs to
  std::unordered_map<std::size_t, std::int64_t> claims_;  // and back
  // Answers that name their revision and are not explained yet: beyond the least of them is no way.
  std::map<std::int64_t, std::size_t> pinned_;
  std::unordered_map<std::size_t, std::int64_t> pins_;          // by operation
  std::unordered_map<std::int64_t, std::vector<SeenKv>> seen_;  // by mod revision
  std::unordered_set<std::pair<std::uint64_t, std::uint64_t>, Hash> visited_;
};

}  // namespace coracle::linearize
