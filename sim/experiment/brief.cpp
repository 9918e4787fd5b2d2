#include "experiment/brief.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/strings.hpp"

namespace coracle::sim {
namespace {

using scheduler::Explanation;

// The chosen node first, then the best; equals in the order they were looked at.
std::vector<size_t> best_rows(const scheduler::Decision& decision, size_t count) {
  const Explanation& why = decision.why;
  std::vector<size_t> rows(why.scored());
  std::iota(rows.begin(), rows.end(), size_t(0));
  const auto before = [&](size_t a, size_t b) {
    const bool chosen_a = why.scored_node(a).name == decision.node;
    const bool chosen_b = why.scored_node(b).name == decision.node;
    if (chosen_a != chosen_b) return chosen_a;
    if (why.totals[a] != why.totals[b]) return why.totals[a] > why.totals[b];
    return a < b;
  };
  const size_t kept = std::min(count, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(),
                    before);
  rows.resize(kept);
  return rows;
}

json::array best(const scheduler::Decision& decision, size_t count) {
  const Explanation& why = decision.why;
  json::array out;
  for (const size_t row : best_rows(decision, count)) {
    json::object scores;
    for (size_t s = 0; s < why.scorers.size(); ++s) {
      scores[why.scorers[s].name] = why.normalized[s * why.scored() + row] * why.scorers[s].weight;
    }
    out.push_back(json::object{{"node", why.scored_node(row).name},
                               {"total", why.totals[row]},
                               {"scores", std::move(scores)}});
  }
  return out;
}

json::array noes(const Explanation& why) {
  std::map<std::pair<size_t, std::uint16_t>, std::int64_t> counts;  // by filter and words
  for (size_t row = 0; row < why.rows(); ++row) {
    for (size_t filter = 0; filter < why.filters.size(); ++filter) {
      const std::uint16_t number = why.at(row, filter);
      if (number == Explanation::kPassed) continue;
      if (number == Explanation::kNotAsked) break;
      ++counts[{filter, number}];
    }
  }
  json::array out;
  for (const auto& [at, nodes] : counts) {
    out.push_back(json::object{{"plugin", json::string(why.filters[at.first]->name())},
                               {"reasons", join(why.text(at.second).reasons(), ", ")},
                               {"nodes", nodes}});
  }
  return out;
}

}  // namespace

json::object brief(const scheduler::Decision& decision, size_t nodes) {
  json::object out;
  if (decision.kind == scheduler::Decision::Kind::kPlaced) {
    out["fitting"] = std::max<size_t>(1, decision.why.scored());
    if (decision.why.scored() > 0 && nodes > 0) out["best"] = best(decision, nodes);
  }
  json::array refused = noes(decision.why);
  if (!refused.empty()) out["noes"] = std::move(refused);
  return out;
}

std::string brief_text(const json::object& why) {
  std::string text;
  const json::value tree = why;
  for (const json::value& node : get_array(tree, "best")) {
    std::vector<std::string> scores;
    for (const auto& score : get_object(node, "scores")) {
      scores.push_back(fmt::format("{} {}", std::string_view(score.key()), to_json(score.value())));
    }
    text += fmt::format("{}: {} = {}\n", get_string(node, "node"), get_int(node, "total"),
                        join(scores, " + "));
  }
  if (find(tree, "fitting") != nullptr && find(tree, "best") == nullptr) {
    text += fmt::format("fits {} node{}\n", get_int(tree, "fitting"),
                        get_int(tree, "fitting") == 1 ? "" : "s");
  }
  for (const json::value& no : get_array(tree, "noes")) {
    text +=
        fmt::format("{} refuses {} node{}: {}\n", get_string(no, "plugin"), get_int(no, "nodes"),
                    get_int(no, "nodes") == 1 ? "" : "s", get_string(no, "reasons"));
  }
  return text;
}

}  // namespace coracle::sim
