// Explanation: what each plugin said of each node in one decision, and how it scored those that
// fit. Kept in tables of small numbers, because many decisions are kept. Value type. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

class Explanation {
 public:
  using NodePtr = std::shared_ptr<const NodeFacts>;
  static constexpr std::uint16_t kPassed = 0xffff, kNotAsked = 0xfffe;

  // The filters that had a say, in order; each row has one verdict for each of them.
  std::vector<const Plugin*> filters;
  std::vector<const Plugin*> skipped;  // pre_filter: nothing to say about this pod
  std::vector<NodePtr> nodes;
  std::vector<std::uint16_t> verdicts;  // nodes.size() x filters.size(); index of text()

  // A plugin or an extender, and its weight in the sum.
  struct Scorer {
    std::string name;
    std::int64_t weight = 1;
  };
  std::vector<Scorer> scorers;
  std::vector<NodePtr> scored;           // empty when only one node fits
  std::vector<std::int64_t> raw;         // scorer by scorer, scored.size() each
  std::vector<std::int64_t> normalized;  // the same; 0..kScoreMax, before the weight
  std::vector<std::int64_t> totals;      // scored.size()

  // The number of an equal verdict, noted if it is new.
  std::uint16_t number(const Verdict& verdict);
  const Verdict& text(std::uint16_t number) const { return texts_.at(number); }
  // A row of kNotAsked; the verdicts follow with set().
  size_t add_node(NodePtr node);
  void set(size_t row, size_t filter, std::uint16_t number) {
    verdicts[row * filters.size() + filter] = number;
  }
  std::uint16_t at(size_t row, size_t filter) const {
    return verdicts[row * filters.size() + filter];
  }
  void add_scores(Scorer scorer, const std::vector<std::int64_t>& before,
                  const std::vector<std::int64_t>& after);
  size_t bytes() const;

 private:
  std::vector<Verdict> texts_;
};

}  // namespace coracle::scheduler
