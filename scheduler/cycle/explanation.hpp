// Explanation: what each plugin said of each node in one decision, and how it scored those that
// fit. Kept in tables of small numbers, because many decisions are kept: a node that passed
// everything is a number, and names come from the Roster that decisions share. Value type. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cycle/packed_numbers.hpp"
#include "framework/plugin.hpp"

namespace coracle::scheduler {

class Explanation {
 public:
  static constexpr std::uint16_t kPassed = 0xffff, kNotAsked = 0xfffe;

  // The filters that had a say, in order; each row has one verdict for each of them.
  std::vector<const Plugin*> filters;
  std::vector<const Plugin*> skipped;  // pre_filter: nothing to say about this pod

  // A plugin or an extender, and its weight in the sum.
  struct Scorer {
    std::string name;
    std::int64_t weight = 1;
  };
  std::vector<Scorer> scorers;
  PackedNumbers raw;         // scorer by scorer, scored() each
  PackedNumbers normalized;  // the same; 0..kScoreMax, before the weight
  PackedNumbers totals;      // scored()

  // The nodes that were looked at, in order.
  size_t rows() const { return looked_at_.size(); }
  const NodeFacts& node(size_t row) const { return *roster_->at(looked_at_[row]); }
  // kPassed, kNotAsked, or what text() says.
  std::uint16_t at(size_t row, size_t filter) const;
  const Verdict& text(std::uint16_t number) const { return texts_.at(number); }
  // The nodes that fit, if they were scored: none when only one does.
  size_t scored() const { return scored_.size(); }
  const NodeFacts& scored_node(size_t row) const { return *scored_roster_->at(scored_[row]); }

  // Whose slots the rows are; before any row.
  void set_roster(std::shared_ptr<const Roster> roster) { roster_ = std::move(roster); }
  const Roster& roster() const { return *roster_; }
  // The slots of what was scored, and whose they are: nodes may have come and gone since.
  void set_scored(std::vector<std::uint32_t> slots, std::shared_ptr<const Roster> roster) {
    scored_ = std::move(slots);
    scored_roster_ = std::move(roster);
  }
  const std::vector<std::uint32_t>& scored_slots() const { return scored_; }
  // The number of an equal verdict, noted if it is new.
  std::uint16_t number(const Verdict& verdict);
  void add_passed(std::uint32_t slot) { looked_at_.push_back(slot); }
  // A row of kNotAsked; the verdicts follow with set(), before the next row.
  void add_node(std::uint32_t slot);
  void set(size_t filter, std::uint16_t number) {
    verdicts_[verdicts_.size() - filters.size() + filter] = number;
  }
  // Of any row, when all are there. O(rows) the first time for a row that passed all.
  void change(size_t row, size_t filter, std::uint16_t number);
  void add_scores(Scorer scorer, const std::vector<std::int64_t>& before,
                  const std::vector<std::int64_t>& after);
  void reserve(size_t rows) { looked_at_.reserve(rows); }
  size_t bytes() const;

 private:
  std::shared_ptr<const Roster> roster_, scored_roster_;
  std::vector<std::uint32_t> looked_at_;   // slots
  std::vector<std::uint32_t> other_rows_;  // those that did not pass all, ascending
  std::vector<std::uint16_t> verdicts_;    // of other_rows_, filters.size() each
  std::vector<std::uint32_t> scored_;      // slots
  std::vector<Verdict> texts_;
};

}  // namespace coracle::scheduler
