// What plugins that are programs said of a pod, taken into its decision.
#include <algorithm>

#include "cycle/cycle.hpp"

namespace coracle::scheduler {

void Cycle::take_answer(const Plugin& plugin, const std::map<std::string, Verdict>& noes,
                        std::map<std::string, std::int64_t> scores) {
  Explanation& why = decision_.why;
  const auto column = std::find(why.filters.begin(), why.filters.end(), &plugin);
  for (size_t row = 0; row < why.rows() && column != why.filters.end(); ++row) {
    const auto no = noes.find(why.node(row).name);
    if (no == noes.end()) continue;
    why.change(row, static_cast<size_t>(column - why.filters.begin()), why.number(no->second));
  }
  std::erase_if(fitting_, [&](std::uint32_t index) {
    const auto no = noes.find(world_.nodes[index].name());
    if (no == noes.end()) return false;
    reject(no->first, no->second, &plugin);
    return true;
  });
  said_.insert_or_assign(&plugin, std::move(scores));
}

void Cycle::leave_out(const Plugin& plugin, std::string note) {
  Explanation& why = decision_.why;
  const auto column = std::find(why.filters.begin(), why.filters.end(), &plugin);
  for (size_t row = 0; row < why.rows() && column != why.filters.end(); ++row) {
    const auto at = static_cast<size_t>(column - why.filters.begin());
    if (why.at(row, at) == Explanation::kPassed) why.change(row, at, Explanation::kNotAsked);
  }
  left_out_.push_back(&plugin);
  if (!note.empty()) decision_.notes.push_back(std::move(note));
}

}  // namespace coracle::scheduler
