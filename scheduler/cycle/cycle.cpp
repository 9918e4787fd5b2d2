#include "cycle/cycle.hpp"

#include <fmt/format.h>

#include <algorithm>
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

std::vector<std::string> Cycle::fitting_names() const {
  std::vector<std::string> names;
  names.reserve(fitting_.size());
  for (const std::uint32_t index : fitting_) names.push_back(world_.nodes[index].name());
  return names;
}

void Cycle::keep(const std::vector<std::string>& names) {
  fitting_.clear();
  for (const std::string& name : names) {
    if (const auto index = world_.nodes.index_of(name)) fitting_.push_back(*index);
  }
}

void Cycle::reject(const std::string& node, Verdict verdict, const Plugin* by) {
  told_.emplace_back(node, decision_.why.number(verdict));
  note_rejection(by);
}

// Extenders may have been asked since the filters: nodes may have gone, and others have their
// index.
Cycle::Noes Cycle::all_noes() const {
  const NodeTable& nodes = world_.nodes;
  std::vector<const Verdict*> said(nodes.size(), all_nodes_.is_yes() ? nullptr : &all_nodes_);
  for (const No& no : noes_) {
    std::optional<std::uint32_t> index = no.index;
    if (layout_ != nodes.layout()) {
      index = nodes.index_of(decision_.why.roster().at(no.slot)->name);
    }
    if (index) said[*index] = &decision_.why.text(no.number);
  }
  for (const auto& [node, number] : told_) {
    if (const auto index = nodes.index_of(node)) said[*index] = &decision_.why.text(number);
  }
  Noes noes;
  noes.reserve(noes_.size() + told_.size());
  for (size_t i = 0; i < said.size(); ++i) {
    if (said[i] != nullptr) noes.emplace_back(static_cast<std::uint32_t>(i), said[i]);
  }
  return noes;
}

Candidates Cycle::post_filter() {
  if (broken()) return {};
  if (world_.nodes.empty()) {
    decision_.message = "no nodes available to schedule pods";
    return {};
  }
  const Noes noes = all_noes();
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
    // One that says never has the last word, and the only one.
    if (result.verdict.kind() == Verdict::Kind::kNever) messages.clear();
    for (const std::string& reason : result.verdict.reasons()) messages.push_back(reason);
    for (PreBindWrite& write : result.writes) decision_.writes.push_back(std::move(write));
    decision_.clear_nomination = decision_.clear_nomination || result.clear_nomination;
    if (result.verdict.kind() != Verdict::Kind::kNotNow && !result.verdict.is_skip()) break;
  }
  post_message_ = join(messages, ", ");
  decision_.message = filter_message();
  return {};
}

void Cycle::nominate(const Candidates& candidates) {
  if (candidates.empty()) {
    return end_preemption("preemption: no candidate node for preemption");
  }
  const Candidate& best = *candidates.at(post_by_->pick(candidates));
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
  for (const No& no : noes_) ++counts[no.number];
  for (const auto& [node, number] : told_) ++counts[number];
  for (const auto& [number, count] : counts) error.add(decision_.why.text(number), count);
  if (!absent_.empty()) {
    const int absent = decision_.nodes - static_cast<int>(noes_.size() + told_.size());
    if (absent > 0) error.reasons[absent_] += absent;
  }
  error.post_filter = post_message_;
  return error.text();
}

void Cycle::score() {
  totals_.assign(fitting_.size(), 0);
  if (fitting_.size() < 2) return;
  Explanation& why = decision_.why;
  Indexes slots;
  slots.reserve(fitting_.size());
  for (const std::uint32_t index : fitting_) slots.push_back(world_.nodes.slot(index));
  why.set_scored(std::move(slots), world_.nodes.roster());
  std::vector<std::int64_t> raw, scores;
  for (const auto& [plugin, weight] : profile_.scorers) {
    if (!score_one(*plugin, &raw, &scores)) {
      if (broken()) return;
      continue;
    }
    for (size_t i = 0; i < scores.size(); ++i) totals_[i] += scores[i] * weight;
    why.add_scores({std::string(plugin->name()), weight}, raw, scores);
  }
}

bool Cycle::score_one(const Plugin& plugin, std::vector<std::int64_t>* raw,
                      std::vector<std::int64_t>* scores) {
  if (std::find(left_out_.begin(), left_out_.end(), &plugin) != left_out_.end()) return false;
  if (const auto said = said_.find(&plugin); said != said_.end()) {
    scores->clear();
    for (const std::uint32_t index : fitting_) {
      const auto score = said->second.find(world_.nodes[index].name());
      scores->push_back(score == said->second.end() ? 0 : score->second);
    }
    *raw = *scores;
    return true;
  }
  StatePtr state;
  if (profile_.runs(Point::kPreScore, &plugin)) {
    const Verdict before = plugin.pre_score(*decision_.pod, world_, fitting_, &state);
    if (before.is_skip()) return false;
    if (!before.is_yes()) {
      fail(fmt::format("running PreScore plugin \"{}\": {}", plugin.name(),
                       join(before.reasons(), ", ")));
      return false;
    }
  }
  ask_scores(profile_, plugin, *decision_.pod, state.get(), world_,
             {fitting_, decision_.why.scored_slots()}, shares_, *raw);
  *scores = *raw;
  plugin.normalize(state.get(), *scores);
  return true;
}

// An extender's 0..10 counts like a plugin's 0..100.
void Cycle::add_extender_scores(const std::string& name, std::int64_t weight,
                                const std::map<std::string, std::int64_t>& scores) {
  constexpr std::int64_t kSaidMax = 10'000'000;  // far beyond 10; sums stay numbers
  std::vector<std::int64_t> raw, scaled;
  for (size_t i = 0; i < fitting_.size(); ++i) {
    const auto score = scores.find(world_.nodes[fitting_[i]].name());
    raw.push_back(score == scores.end() ? 0 : std::clamp(score->second, -kSaidMax, kSaidMax));
    scaled.push_back(raw.back() * (kScoreMax / kExtenderScoreMax));
    totals_[i] += scaled.back() * weight;
  }
  if (decision_.why.scored() == raw.size()) {
    decision_.why.add_scores({name, weight}, raw, scaled);
  }
}

namespace {

// The nth in order. Mostly indexes ascend but for one place, where the search went round.
std::uint32_t nth_in_order(Cycle::Indexes& indexes, size_t nth) {
  const auto turn = std::is_sorted_until(indexes.begin(), indexes.end());
  const bool once = turn == indexes.end() ||
                    (std::is_sorted(turn, indexes.end()) && indexes.back() < indexes.front());
  if (!once) std::sort(indexes.begin(), indexes.end());
  const size_t first = once ? static_cast<size_t>(turn - indexes.begin()) : 0;
  return indexes[(first + nth) % indexes.size()];
}

}  // namespace

// Ties are told apart by the order of nodes, not by where the search began.
void Cycle::choose() {
  decision_.kind = Decision::Kind::kPlaced;
  decision_.why.totals.add(totals_);
  Indexes ties;
  ties.reserve(fitting_.size());
  const std::int64_t best = *std::max_element(totals_.begin(), totals_.end());
  for (size_t i = 0; i < fitting_.size(); ++i) {
    if (totals_[i] == best) ties.push_back(fitting_[i]);
  }
  const size_t turn = fitting_.size() > 1 ? rotation_.ties++ % ties.size() : 0;
  decision_.node = world_.nodes[nth_in_order(ties, turn)].name();
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
