// The filter step of a Cycle: which nodes are looked at, in which order, and what is noted of them.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "cycle/cycle.hpp"

namespace coracle::scheduler {

void Cycle::filter(bool judged) {
  decision_.nodes = static_cast<int>(world_.nodes.size());
  layout_ = world_.nodes.layout();
  decision_.why.set_roster(world_.nodes.roster());
  if (world_.nodes.empty()) {
    decision_.clear_nomination = true;
    return;
  }
  Filters filters(profile_, *decision_.pod, world_);
  for (const Filters::Active& one : filters.active()) decision_.why.filters.push_back(one.plugin);
  decision_.why.skipped = filters.skipped();
  if (!ready(filters)) return;
  shares_ = world_.shared().shares(*decision_.pod);
  FilterAsking asking(profile_, *decision_.pod, world_, shares_, filters, decision_.why);
  if (!world_.nominations.empty() && try_nominated(filters, asking)) return;
  const size_t count = world_.nodes.size();
  look_at_all(
      asking, filters,
      profile_.scorers.empty() && !judged ? 1 : enough_nodes(count, profile_.percentage_of_nodes));
}

// False: a no for all nodes, or a failure.
bool Cycle::ready(const Filters& filters) {
  if (filters.verdict().is_yes()) return true;
  if (filters.verdict().kind() == Verdict::Kind::kBroken) {
    fail(fmt::format("running PreFilter plugin \"{}\": {}", filters.by()->name(),
                     join(filters.verdict().reasons(), ", ")));
    return false;
  }
  all_nodes_ = filters.verdict();
  note_rejection(filters.by());
  return false;
}

// The node the pod waits for is likely the only one that does: if so, no other is looked at.
bool Cycle::try_nominated(Filters& filters, FilterAsking& asking) {
  const std::string name = world_.nominations.node_of(decision_.pod->uid);
  const auto index = name.empty() ? std::nullopt : world_.nodes.index_of(name);
  size_t column = 0;
  if (!index || !filters.look(world_.nodes[*index], &column).is_yes()) return false;
  look_at(asking, *index);
  return true;
}

void Cycle::look_at_all(FilterAsking& asking, const Filters& filters, size_t enough) {
  const NodeTable& nodes = world_.nodes;
  const size_t count = nodes.size();
  const size_t start = rotation_.next_start % count;
  size_t passed = 0;
  if (const auto some = only(filters, start)) {
    const auto& by = filters.narrowed_by();
    absent_ =
        fmt::format("node(s) didn't satisfy plugin(s) [{}]", join({by.begin(), by.end()}, " "));
    for (const Plugin* plugin : decision_.why.filters) {
      if (by.contains(std::string(plugin->name()))) note_rejection(plugin);
    }
    passed = count;
    for (const std::uint32_t index : *some) {
      look_at(asking, index);
      if (fitting_.size() < enough && !broken()) continue;
      passed = (index + count - start) % count + 1;
      break;
    }
  } else {
    decision_.why.reserve(enough);
    fitting_.reserve(enough);
    size_t index = start;
    while (passed < count && fitting_.size() < enough && !broken()) {
      const size_t most = std::min({enough - fitting_.size(), count - index, count - passed});
      const size_t known = asking.known_to_fit(index, most);
      known > 0 ? take_known(index, known) : look_at(asking, static_cast<std::uint32_t>(index));
      passed += std::max<size_t>(known, 1);
      index += std::max<size_t>(known, 1);
      if (index == count) index = 0;
    }
  }
  rotation_.next_start = (start + passed) % count;
}

std::optional<Cycle::Indexes> Cycle::only(const Filters& filters, size_t start) const {
  if (!filters.only()) return std::nullopt;
  Indexes indexes;
  for (const std::string& name : *filters.only()) {
    if (const auto index = world_.nodes.index_of(name)) indexes.push_back(*index);
  }
  std::sort(indexes.begin(), indexes.end());
  std::rotate(indexes.begin(), std::lower_bound(indexes.begin(), indexes.end(), start),
              indexes.end());
  return indexes;
}

void Cycle::take_known(size_t index, size_t count) {
  decision_.looked_at += static_cast<int>(count);
  for (size_t i = index; i < index + count; ++i) {
    decision_.why.add_passed(world_.nodes.slot(i));
    fitting_.push_back(static_cast<std::uint32_t>(i));
  }
}

void Cycle::look_at(FilterAsking& asking, std::uint32_t index) {
  Explanation& why = decision_.why;
  const std::uint32_t slot = world_.nodes.slot(index);
  ++decision_.looked_at;
  const NodeInfo& node = world_.nodes[index];
  if (asking.known_to_fit(node, slot)) {
    why.add_passed(slot);
    return fitting_.push_back(index);
  }
  size_t column = 0;
  const Verdict first = asking.look(node, &column);
  if (first.is_yes()) {
    why.add_passed(slot);
    return fitting_.push_back(index);
  }
  const size_t row = why.rows();
  why.add_node(slot);
  if (first.kind() == Verdict::Kind::kBroken) {
    return fail(fmt::format("running \"{}\" filter plugin: {}", why.filters[column]->name(),
                            join(first.reasons(), ", ")));
  }
  for (size_t i = 0; i < column; ++i) why.set(i, Explanation::kPassed);
  const std::uint16_t number = why.number(first);
  why.set(column, number);
  noes_.push_back({index, slot, number});
  note_rejection(why.filters[column]);
  if (row >= kFullyAskedMax) return;
  for (size_t i = column + 1; i < why.filters.size(); ++i) why.set(i, asking.ask(node, i));
}

}  // namespace coracle::scheduler
