#include "cycle/cycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/strings.hpp"
#include "framework/fit_error.hpp"

namespace coracle::scheduler {

size_t enough_nodes(size_t nodes, int percentage) {
  if (nodes < kSampleFrom) return nodes;
  if (percentage == 0) {
    percentage = std::max(5, 50 - static_cast<int>(nodes / 125));
  }
  return std::min(nodes, std::max(kSampleFrom, nodes * static_cast<size_t>(percentage) / 100));
}

Cycle::Cycle(const Profile& profile, PodPtr pod, const Snapshot& world, Rotation& rotation)
    : profile_(profile), world_(world), rotation_(rotation) {
  decision_.pod = std::move(pod);
}

void Cycle::note_rejection(const Plugin* plugin) {
  auto& seen = decision_.rejected_by;
  if (plugin != nullptr && std::find(seen.begin(), seen.end(), plugin) == seen.end()) {
    seen.push_back(plugin);
  }
}

void Cycle::fail(std::string message) {
  decision_.kind = Decision::Kind::kBroken;
  decision_.message = std::move(message);
  decision_.clear_nomination = true;
  fitting_.clear();
}

void Cycle::filter() {
  decision_.nodes = static_cast<int>(world_.nodes.size());
  if (world_.nodes.empty()) {
    decision_.clear_nomination = true;
    return;
  }
  Filters filters(profile_, *decision_.pod, world_);
  for (const Filters::Active& one : filters.active()) decision_.why.filters.push_back(one.plugin);
  decision_.why.skipped = filters.skipped();
  if (!filters.verdict().is_yes()) {
    if (filters.verdict().kind() == Verdict::Kind::kBroken) {
      return fail(fmt::format("running PreFilter plugin \"{}\": {}", filters.by()->name(),
                              join(filters.verdict().reasons(), ", ")));
    }
    all_nodes_ = filters.verdict();
    return note_rejection(filters.by());
  }
  if (!world_.nominations.empty() && try_nominated(filters)) return;
  if (filters.only()) {
    const auto& by = filters.narrowed_by();
    absent_ =
        fmt::format("node(s) didn't satisfy plugin(s) [{}]", join({by.begin(), by.end()}, " "));
    for (const Plugin* plugin : decision_.why.filters) {
      if (by.contains(std::string(plugin->name()))) note_rejection(plugin);
    }
  }
  const size_t count = world_.nodes.size();
  const size_t enough =
      profile_.scorers.empty() ? 1 : enough_nodes(count, profile_.percentage_of_nodes);
  const size_t start = rotation_.next_start % count;
  size_t passed = 0;
  while (passed < count && fitting_.size() < enough && !broken()) {
    const size_t index = (start + passed++) % count;
    if (filters.only() && !filters.only()->contains(world_.nodes[index].name())) continue;
    look_at(filters, static_cast<std::uint32_t>(index));
  }
  rotation_.next_start = (start + passed) % count;
}

// The node the pod waits for is likely the only one that does: if so, no other is looked at.
bool Cycle::try_nominated(Filters& filters) {
  const std::string name = world_.nominations.node_of(decision_.pod->uid);
  if (name.empty()) return false;
  for (size_t i = 0; i < world_.nodes.size(); ++i) {
    if (world_.nodes[i].name() != name) continue;
    size_t column = 0;
    if (!filters.look(world_.nodes[i], &column).is_yes()) return false;
    look_at(filters, static_cast<std::uint32_t>(i));
    return true;
  }
  return false;
}

void Cycle::look_at(Filters& filters, std::uint32_t index) {
  const NodeInfo& node = world_.nodes[index];
  Explanation& why = decision_.why;
  const size_t row = why.add_node(node.facts_ptr());
  ++decision_.looked_at;
  size_t column = 0;
  const Verdict first = filters.look(node, &column);
  if (first.kind() == Verdict::Kind::kBroken) {
    return fail(fmt::format("running \"{}\" filter plugin: {}",
                            filters.active()[column].plugin->name(), join(first.reasons(), ", ")));
  }
  const bool fits = first.is_yes();
  if (fits) fitting_.push_back(index);
  for (size_t i = 0; i < filters.active().size(); ++i) {
    if (fits || i < column) why.set(row, i, Explanation::kPassed);
  }
  if (fits) return;
  const std::uint16_t number = why.number(first);
  why.set(row, column, number);
  noes_.emplace_back(node.name(), number);
  note_rejection(filters.active()[column].plugin);
  if (row >= kFullyAskedMax) return;
  for (size_t i = column + 1; i < filters.active().size(); ++i) {
    const Filters::Active& one = filters.active()[i];
    const Verdict verdict = one.plugin->filter(*decision_.pod, node, one.state.get());
    why.set(row, i, verdict.is_yes() ? Explanation::kPassed : why.number(verdict));
  }
}

std::vector<std::string> Cycle::fitting_names() const {
  std::vector<std::string> names;
  names.reserve(fitting_.size());
  for (const std::uint32_t index : fitting_) names.push_back(world_.nodes[index].name());
  return names;
}

void Cycle::keep(const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (size_t i = 0; i < world_.nodes.size(); ++i) {
    places.emplace(world_.nodes[i].name(), static_cast<std::uint32_t>(i));
  }
  fitting_.clear();
  for (const std::string& name : names) {
    const auto place = places.find(name);
    if (place != places.end()) fitting_.push_back(place->second);
  }
}

void Cycle::reject(const std::string& node, Verdict verdict, const Plugin* by) {
  noes_.emplace_back(node, decision_.why.number(verdict));
  note_rejection(by);
}

std::vector<Candidate> Cycle::post_filter() {
  if (broken()) return {};
  if (world_.nodes.empty()) {
    decision_.message = "no nodes available to schedule pods";
    return {};
  }
  std::vector<std::pair<std::uint32_t, const Verdict*>> noes;
  std::unordered_map<std::string_view, std::uint16_t> by_name;
  for (const auto& [node, number] : noes_) by_name.insert_or_assign(node, number);
  for (size_t i = 0; i < world_.nodes.size(); ++i) {
    const auto said = by_name.find(world_.nodes[i].name());
    if (said != by_name.end()) {
      noes.emplace_back(i, &decision_.why.text(said->second));
    } else if (!all_nodes_.is_yes()) {
      noes.emplace_back(i, &all_nodes_);
    }
  }
  Filters filters(profile_, *decision_.pod, world_);
  std::vector<std::string> messages;
  decision_.clear_nomination = profile_.at(Point::kPostFilter).empty();
  for (const Plugin* plugin : profile_.at(Point::kPostFilter)) {
    PostFiltered result =
        plugin->post_filter({*decision_.pod, world_, noes, filters, rotation_.chance});
    if (result.verdict.is_yes()) {
      post_by_ = plugin;
      return std::move(result.candidates);
    }
    for (const std::string& reason : result.verdict.reasons()) messages.push_back(reason);
    decision_.clear_nomination = decision_.clear_nomination || result.clear_nomination;
    if (result.verdict.kind() != Verdict::Kind::kNotNow && !result.verdict.is_skip()) break;
  }
  post_message_ = join(messages, ", ");
  decision_.message = filter_message();
  return {};
}

void Cycle::nominate(const std::vector<Candidate>& candidates) {
  if (candidates.empty()) {
    return end_preemption("preemption: no candidate node for preemption");
  }
  const Candidate& best = candidates.at(post_by_->pick(candidates));
  decision_.nominated = best.node;
  decision_.victims = best.victims;
  decision_.message = filter_message();
}

void Cycle::end_preemption(std::string message) {
  post_message_ = std::move(message);
  decision_.message = filter_message();
}

std::string Cycle::filter_message() const {
  FitError error;
  error.nodes = decision_.nodes;
  error.pre_filter = join(all_nodes_.reasons(), ", ");
  std::map<std::uint16_t, int> counts;
  for (const auto& [node, number] : noes_) ++counts[number];
  for (const auto& [number, count] : counts) error.add(decision_.why.text(number), count);
  if (!absent_.empty()) {
    const int absent = decision_.nodes - static_cast<int>(noes_.size());
    if (absent > 0) error.reasons[absent_] += absent;
  }
  error.post_filter = post_message_;
  return error.text();
}

void Cycle::score() {
  totals_.assign(fitting_.size(), 0);
  if (fitting_.size() < 2) return;
  for (const std::uint32_t index : fitting_) {
    decision_.why.scored.push_back(world_.nodes[index].facts_ptr());
  }
  for (const auto& [plugin, weight] : profile_.scorers) {
    StatePtr state;
    if (profile_.runs(Point::kPreScore, plugin)) {
      const Verdict before = plugin->pre_score(*decision_.pod, world_, fitting_, &state);
      if (before.is_skip()) continue;
      if (!before.is_yes()) {
        return fail(fmt::format("running PreScore plugin \"{}\": {}", plugin->name(),
                                join(before.reasons(), ", ")));
      }
    }
    std::vector<std::int64_t> scores;
    scores.reserve(fitting_.size());
    for (const std::uint32_t index : fitting_) {
      scores.push_back(plugin->score(*decision_.pod, world_.nodes[index], state.get()));
    }
    const std::vector<std::int64_t> raw = scores;
    plugin->normalize(state.get(), scores);
    for (size_t i = 0; i < scores.size(); ++i) totals_[i] += scores[i] * weight;
    decision_.why.add_scores({std::string(plugin->name()), weight}, raw, scores);
  }
}

// An extender's 0..10 counts like a plugin's 0..100.
void Cycle::add_extender_scores(const std::string& name, std::int64_t weight,
                                const std::map<std::string, std::int64_t>& scores) {
  std::vector<std::int64_t> raw, scaled;
  for (size_t i = 0; i < fitting_.size(); ++i) {
    const auto score = scores.find(world_.nodes[fitting_[i]].name());
    raw.push_back(score == scores.end() ? 0 : score->second);
    scaled.push_back(raw.back() * (kScoreMax / kExtenderScoreMax));
    totals_[i] += scaled.back() * weight;
  }
  if (decision_.why.scored.size() == raw.size()) {
    decision_.why.add_scores({name, weight}, raw, scaled);
  }
}

// Ties are told apart by the order of nodes, not by where the search began.
void Cycle::choose() {
  decision_.kind = Decision::Kind::kPlaced;
  decision_.why.totals = totals_;
  Indexes ties;
  const std::int64_t best = *std::max_element(totals_.begin(), totals_.end());
  for (size_t i = 0; i < fitting_.size(); ++i) {
    if (totals_[i] == best) ties.push_back(fitting_[i]);
  }
  std::sort(ties.begin(), ties.end());
  const size_t turn = fitting_.size() > 1 ? rotation_.ties++ % ties.size() : 0;
  decision_.node = world_.nodes[ties[turn]].name();
}

Decision decide(const Profile& profile, const PodPtr& pod, const Snapshot& world,
                Rotation& rotation) {
  Cycle cycle(profile, pod, world, rotation);
  cycle.filter();
  if (cycle.fitting().empty()) {
    const auto candidates = cycle.post_filter();
    if (!candidates.empty()) cycle.nominate(candidates);
  } else {
    cycle.score();
    if (!cycle.broken()) cycle.choose();
  }
  return cycle.take();
}

}  // namespace coracle::scheduler
