#include "cycle/cycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

using Indexes = std::vector<std::uint32_t>;
using Histogram = std::map<std::string, int>;

struct Search {
  Indexes fitting;
  Histogram reasons;
  int hopeless = 0;  // nodes that no preemption would help
  std::string pre_filter_message;
};

void note_plugin(Decision& decision, const Plugin* plugin) {
  auto& seen = decision.rejected_by;
  if (std::find(seen.begin(), seen.end(), plugin) == seen.end()) seen.push_back(plugin);
}

std::string sorted_text(const Histogram& reasons) {
  std::vector<std::string> texts;
  for (const auto& [reason, count] : reasons) texts.push_back(fmt::format("{} {}", count, reason));
  std::sort(texts.begin(), texts.end());
  return join(texts, ", ");
}

std::string preemption_text(const PodInfo& pod, int nodes, int hopeless) {
  if (!pod.preempts) return "preemption: not eligible due to preemptionPolicy=Never.";
  Histogram reasons;
  if (hopeless > 0) reasons["Preemption is not helpful for scheduling"] = hopeless;
  if (nodes > hopeless) reasons["No preemption victims found for incoming pod"] = nodes - hopeless;
  return fmt::format("preemption: 0/{} nodes are available: {}.", nodes, sorted_text(reasons));
}

std::string no_fit_message(const PodInfo& pod, int nodes, const Search& search) {
  if (nodes == 0) return "no nodes available to schedule pods";
  const std::string why =
      search.pre_filter_message.empty() ? sorted_text(search.reasons) : search.pre_filter_message;
  return fmt::format("0/{} nodes are available: {}. {}", nodes, why,
                     preemption_text(pod, nodes, search.hopeless));
}

// False: the pod is out already; `search` or `decision` say why.
bool pre_filter(const Profile& profile, const PodInfo& pod, const Snapshot& world,
                std::vector<std::pair<const Plugin*, StatePtr>>& active, Search& search,
                Decision& decision) {
  for (const Plugin* plugin : profile.filters) {
    StatePtr state;
    const Verdict verdict = plugin->pre_filter(pod, world, &state);
    if (verdict.is_skip()) continue;
    if (verdict.is_yes()) {
      active.emplace_back(plugin, std::move(state));
      continue;
    }
    if (verdict.kind() == Verdict::Kind::kBroken) {
      decision.kind = Decision::Kind::kBroken;
      decision.message = join(verdict.reasons(), ", ");
    }
    note_plugin(decision, plugin);
    search.pre_filter_message = join(verdict.reasons(), ", ");
    search.hopeless = verdict.kind() == Verdict::Kind::kNever ? world.known_nodes : 0;
    return false;
  }
  return true;
}

void note_no(const NodeInfo& node, const Plugin* plugin, Verdict verdict, Search& search,
             Decision& decision) {
  for (const std::string& reason : verdict.reasons()) ++search.reasons[reason];
  if (verdict.kind() == Verdict::Kind::kNever) ++search.hopeless;
  note_plugin(decision, plugin);
  if (decision.noes.size() >= kNotedNodesMax) return;
  decision.noes.push_back({node.name(), std::string(plugin->name()), std::move(verdict)});
}

void find_fitting(const Profile& profile, const PodInfo& pod, const Snapshot& world,
                  Rotation& rotation, Search& search, Decision& decision) {
  std::vector<std::pair<const Plugin*, StatePtr>> active;
  if (!pre_filter(profile, pod, world, active, search, decision)) return;
  const size_t count = world.nodes.size();
  const size_t enough = enough_nodes(count, profile.percentage_of_nodes);
  const size_t start = count == 0 ? 0 : rotation.next_start % count;
  size_t looked_at = 0;
  while (looked_at < count && search.fitting.size() < enough) {
    const size_t index = (start + looked_at++) % count;
    const NodeInfo& node = world.nodes[index];
    bool fits = true;
    for (const auto& [plugin, state] : active) {
      Verdict verdict = plugin->filter(pod, node, state.get());
      if (verdict.is_yes()) continue;
      fits = false;
      if (verdict.kind() == Verdict::Kind::kBroken) {
        decision.kind = Decision::Kind::kBroken;
        decision.message = join(verdict.reasons(), ", ");
        return;
      }
      note_no(node, plugin, std::move(verdict), search, decision);
      break;
    }
    if (fits) search.fitting.push_back(static_cast<std::uint32_t>(index));
  }
  rotation.next_start = count == 0 ? 0 : (start + looked_at) % count;
}

std::vector<std::int64_t> score_all(const Profile& profile, const PodInfo& pod,
                                    const Snapshot& world, const Indexes& fitting,
                                    Decision& decision) {
  std::vector<std::int64_t> totals(fitting.size(), 0);
  const size_t noted = std::min(fitting.size(), kNotedNodesMax);
  for (size_t i = 0; i < noted; ++i) {
    decision.scores.push_back({world.nodes[fitting[i]].name(), 0, {}});
  }
  for (const auto& [plugin, weight] : profile.scorers) {
    StatePtr state;
    if (plugin->pre_score(pod, world, fitting, &state).is_skip()) continue;
    std::vector<std::int64_t> scores;
    scores.reserve(fitting.size());
    for (const std::uint32_t index : fitting) {
      scores.push_back(plugin->score(pod, world.nodes[index], state.get()));
    }
    plugin->normalize(state.get(), scores);
    for (size_t i = 0; i < fitting.size(); ++i) {
      totals[i] += scores[i] * weight;
      if (i >= noted) continue;
      decision.scores[i].parts.emplace_back(plugin->name(), scores[i] * weight);
      decision.scores[i].total = totals[i];
    }
  }
  return totals;
}

// Ties are told apart by the order of nodes, not by where the search began.
std::uint32_t choose(const Indexes& fitting, const std::vector<std::int64_t>& totals,
                     Rotation& rotation) {
  const std::int64_t best = *std::max_element(totals.begin(), totals.end());
  Indexes ties;
  for (size_t i = 0; i < fitting.size(); ++i) {
    if (totals[i] == best) ties.push_back(fitting[i]);
  }
  std::sort(ties.begin(), ties.end());
  return ties[rotation.ties++ % ties.size()];
}

}  // namespace

size_t enough_nodes(size_t nodes, int percentage) {
  if (nodes < kSampleFrom) return nodes;
  if (percentage == 0) {
    percentage = std::max(5, 50 - static_cast<int>(nodes / 125));
  }
  return std::min(nodes, std::max(kSampleFrom, nodes * static_cast<size_t>(percentage) / 100));
}

Decision decide(const Profile& profile, const PodInfo& pod, const Snapshot& world,
                Rotation& rotation) {
  Decision decision;
  decision.pod = pod.key;
  Search search;
  find_fitting(profile, pod, world, rotation, search, decision);
  if (decision.kind == Decision::Kind::kBroken) return decision;
  if (search.fitting.empty()) {
    decision.message = no_fit_message(pod, world.known_nodes, search);
    return decision;
  }
  decision.kind = Decision::Kind::kPlaced;
  std::uint32_t chosen = search.fitting.front();
  if (search.fitting.size() > 1) {
    chosen =
        choose(search.fitting, score_all(profile, pod, world, search.fitting, decision), rotation);
  }
  decision.node = world.nodes[chosen].name();
  return decision;
}

}  // namespace coracle::scheduler
