#include "why/decision_object.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

std::string_view result_of(const Decision& decision) {
  switch (decision.kind) {
    case Decision::Kind::kPlaced:
      return "Placed";
    case Decision::Kind::kFitsNowhere:
      return "FitsNowhere";
    case Decision::Kind::kBroken:
      return "Failed";
  }
  return "";
}

json::array names(const std::vector<const Plugin*>& plugins) {
  json::array list;
  for (const Plugin* plugin : plugins) list.emplace_back(plugin->name());
  return list;
}

json::object verdict_object(const Verdict& verdict) {
  json::array reasons;
  for (const std::string& reason : verdict.reasons()) reasons.emplace_back(reason);
  const bool never = verdict.kind() == Verdict::Kind::kNever;
  return {{"verdict", never ? "Never" : "NotNow"}, {"reasons", std::move(reasons)}};
}

// What passed is not listed: a filter with a say that is neither under `noes` nor `notAsked`.
json::object node_row(const Explanation& why, size_t row) {
  json::object noes;
  json::array not_asked;
  for (size_t i = 0; i < why.filters.size(); ++i) {
    const std::uint16_t number = why.at(row, i);
    if (number == Explanation::kNotAsked) not_asked.emplace_back(why.filters[i]->name());
    if (number == Explanation::kNotAsked || number == Explanation::kPassed) continue;
    noes[why.filters[i]->name()] = verdict_object(why.text(number));
  }
  json::object out{{"node", why.node(row).name}, {"fits", noes.empty()}};
  if (!noes.empty()) out["noes"] = std::move(noes);
  if (!not_asked.empty()) out["notAsked"] = std::move(not_asked);
  return out;
}

json::object score_row(const Explanation& why, size_t row) {
  json::array parts;
  for (size_t i = 0; i < why.scorers.size(); ++i) {
    const size_t at = i * why.scored() + row;
    parts.push_back(json::object{{"plugin", why.scorers[i].name},
                                 {"raw", why.raw[at]},
                                 {"normalized", why.normalized[at]},
                                 {"weight", why.scorers[i].weight},
                                 {"weighted", why.normalized[at] * why.scorers[i].weight}});
  }
  return {{"node", why.scored_node(row).name},
          {"total", why.totals[row]},
          {"scores", std::move(parts)}};
}

// Those that refused, in the order they are asked in: the order they came up in says only which
// node was looked at first. What is no filter (a Permit plugin) stays behind them.
std::vector<const Plugin*> in_order_of(const std::vector<const Plugin*>& filters,
                                       std::vector<const Plugin*> refusing) {
  std::stable_sort(refusing.begin(), refusing.end(), [&](const Plugin* a, const Plugin* b) {
    return std::find(filters.begin(), filters.end(), a) <
           std::find(filters.begin(), filters.end(), b);
  });
  return refusing;
}

}  // namespace

json::value decision_object(const KeptDecision& kept, bool whole) {
  const Decision& decision = kept.decision;
  const Explanation& why = decision.why;
  json::object status{{"result", result_of(decision)},
                      {"message", decision.message},
                      {"nodes", decision.nodes},
                      {"nodesLookedAt", decision.looked_at},
                      {"filters", names(why.filters)},
                      {"filtersSkipped", names(why.skipped)},
                      {"rejectedBy", names(in_order_of(why.filters, decision.rejected_by))}};
  if (!decision.notes.empty()) {
    status["notes"] = json::array(decision.notes.begin(), decision.notes.end());
  }
  if (!decision.node.empty()) status["nodeName"] = decision.node;
  if (!decision.nominated.empty()) status["nominatedNodeName"] = decision.nominated;
  json::array victims;
  for (const PodPtr& victim : decision.victims) {
    victims.push_back(json::object{{"namespace", victim->ns},
                                   {"name", victim->name},
                                   {"uid", victim->uid},
                                   {"priority", victim->priority}});
  }
  if (!victims.empty()) status["victims"] = std::move(victims);
  if (whole) {
    json::array rows, scores;
    for (size_t row = 0; row < why.rows(); ++row) rows.push_back(node_row(why, row));
    for (size_t row = 0; row < why.totals.size() && row < why.scored(); ++row) {
      scores.push_back(score_row(why, row));
    }
    status["verdicts"] = std::move(rows);
    status["scores"] = std::move(scores);
  }
  return json::object{{"apiVersion", kDecisionVersion},
                      {"kind", "SchedulingDecision"},
                      {"metadata", json::object{{"name", decision.pod->name},
                                                {"namespace", decision.pod->ns},
                                                {"uid", decision.pod->uid},
                                                {"resourceVersion", std::to_string(kept.number)},
                                                {"creationTimestamp", format_time(kept.at)}}},
                      {"spec", json::object{{"podUID", decision.pod->uid},
                                            {"schedulerName", decision.pod->scheduler_name},
                                            {"priority", decision.pod->priority}}},
                      {"status", std::move(status)}};
}

}  // namespace coracle::scheduler
