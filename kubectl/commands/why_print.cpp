#include "commands/why_print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <tuple>

#include "base/strings.hpp"
#include "describe/describe.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kBestShown = 5;  // of a summary

std::vector<std::string> names(const json::value& object, std::string_view path) {
  std::vector<std::string> out;
  for (const json::value& name : get_array(object, std::string(path))) {
    if (name.is_string()) out.emplace_back(name.as_string());
  }
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::string reasons_of(const json::value& no) { return join(names(no, "reasons"), ", "); }

// The predicates that refused any node, in their order; the others would be columns of "ok".
std::vector<std::string> refusing(const json::value& status) {
  std::vector<std::string> all;
  for (const std::string& filter : names(status, "filters")) {
    for (const json::value& verdict : get_array(status, "verdicts")) {
      if (!get_object(verdict, "noes").contains(filter)) continue;
      all.push_back(filter);
      break;
    }
  }
  return all;
}

// Some node was not shown to it.
bool was_skipped(const json::value& status, const std::string& filter) {
  const json::array& verdicts = get_array(status, "verdicts");
  return std::any_of(verdicts.begin(), verdicts.end(), [&](const json::value& verdict) {
    return has(names(verdict, "notAsked"), filter);
  });
}

// Node by predicate: ok, - (not asked), or the number of the reason below.
std::string verdict_table(const json::value& status) {
  const auto filters = refusing(status);
  Rows rows{{"NODE"}};
  rows[0].insert(rows[0].end(), filters.begin(), filters.end());
  // By name: the order they were looked at differs from decision to decision.
  std::map<std::string, const json::value*> refused;
  for (const json::value& verdict : get_array(status, "verdicts")) {
    if (!get_bool(verdict, "fits")) refused.emplace(text_at(verdict, "node"), &verdict);
  }
  std::vector<std::string> reasons;
  for (const auto& [node, verdict_of] : refused) {
    const json::value& verdict = *verdict_of;
    const auto not_asked = names(verdict, "notAsked");
    std::vector<std::string> row{node};
    for (const std::string& filter : filters) {
      const json::value* no = get_object(verdict, "noes").if_contains(filter);
      if (no == nullptr) {
        row.emplace_back(has(not_asked, filter) ? "-" : "ok");
        continue;
      }
      const std::string reason = reasons_of(*no);
      auto at = std::find(reasons.begin(), reasons.end(), reason);
      if (at == reasons.end()) at = reasons.insert(reasons.end(), reason);
      row.push_back(fmt::format("no ({})", at - reasons.begin() + 1));
    }
    rows.push_back(std::move(row));
  }
  if (rows.size() == 1) return {};
  std::string text = aligned_rows(rows);
  for (size_t i = 0; i < reasons.size(); ++i) text += fmt::format("({}) {}\n", i + 1, reasons[i]);
  std::vector<std::string> content, unasked;
  for (const std::string& filter : names(status, "filters")) {
    if (!has(filters, filter)) (was_skipped(status, filter) ? unasked : content).push_back(filter);
  }
  if (!content.empty()) text += "No objection from: " + join(content, ", ") + "\n";
  if (!unasked.empty()) text += "Not asked about every node: " + join(unasked, ", ") + "\n";
  return text;
}

// How many nodes each predicate refused, and why: most first.
std::string verdict_summary(const json::value& status) {
  std::map<std::pair<std::string, std::string>, int> counts;
  int fit = 0;
  for (const json::value& verdict : get_array(status, "verdicts")) {
    fit += get_bool(verdict, "fits") ? 1 : 0;
    for (const auto& [filter, no] : get_object(verdict, "noes")) {
      ++counts[{std::string(filter), reasons_of(no)}];
    }
  }
  std::string text =
      fmt::format("{} of {} nodes looked at fit.\n", fit, get_array(status, "verdicts").size());
  if (counts.empty()) return text;
  std::vector<std::pair<std::pair<std::string, std::string>, int>> sorted(counts.begin(),
                                                                          counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  Rows rows{{"PREDICATE", "NODES", "REASON"}};
  for (const auto& [what, count] : sorted) {
    rows.push_back({what.first, std::to_string(count), what.second});
  }
  return text + aligned_rows(rows);
}

// The best first, of equals the one that was taken; each cell is the score and its weight.
std::string score_table(const json::value& status, size_t most) {
  std::vector<const json::value*> nodes;
  for (const json::value& node : get_array(status, "scores")) nodes.push_back(&node);
  if (nodes.empty()) return {};
  const std::string taken = text_at(status, "nodeName");
  const auto rank = [&](const json::value* node) {
    const std::string name = text_at(*node, "node");
    return std::tuple(-get_int(*node, "total"), name != taken, name);
  };
  std::sort(nodes.begin(), nodes.end(),
            [&](const json::value* a, const json::value* b) { return rank(a) < rank(b); });
  Rows rows{{"NODE", "TOTAL"}};
  for (const json::value& part : get_array(*nodes[0], "scores")) {
    rows[0].push_back(text_at(part, "plugin"));
  }
  for (size_t i = 0; i < nodes.size() && i < most; ++i) {
    std::vector<std::string> row{text_at(*nodes[i], "node"),
                                 std::to_string(get_int(*nodes[i], "total"))};
    for (const json::value& part : get_array(*nodes[i], "scores")) {
      row.push_back(fmt::format("{} x{}", get_int(part, "normalized"), get_int(part, "weight")));
    }
    rows.push_back(std::move(row));
  }
  std::string text = aligned_rows(rows);
  if (nodes.size() > most) text += fmt::format("... and {} more\n", nodes.size() - most);
  return text;
}

void print_placed(const std::string& pod, const json::value& status, const WhyPrint& how,
                  std::ostream& out) {
  const std::string node = text_at(status, "nodeName");
  const size_t scored = get_array(status, "scores").size();
  const char* was = how.would ? "would be" : "was";
  if (scored == 0) {
    out << fmt::format("Pod {} {} placed on node {}: of {} nodes looked at, no other fitted.\n",
                       pod, was, node, get_int(status, "nodesLookedAt"));
  } else {
    out << fmt::format(
        "Pod {} {} placed on node {}: of {} nodes, {} were looked at and {} fitted; this one has "
        "the highest score.\n\n",
        pod, was, node, get_int(status, "nodes"), get_int(status, "nodesLookedAt"), scored);
    out << score_table(status, how.summary ? kBestShown : scored);
    out << "(each score is 0 to 100, times its weight; equals take turns)\n";
  }
  const std::string refused = how.summary ? verdict_summary(status) : verdict_table(status);
  if (!refused.empty()) out << "\n" << (how.summary ? "" : "Nodes that do not fit:\n") << refused;
}

void print_waiting(const std::string& pod, const json::value& status, const WhyPrint& how,
                   std::ostream& out) {
  out << fmt::format("Pod {} {}fits on none of {} nodes.\n\n", pod, how.would ? "then " : "",
                     get_int(status, "nodes"));
  const std::string table = how.summary ? verdict_summary(status) : verdict_table(status);
  if (!table.empty()) out << table << "\n";
  out << text_at(status, "message") << "\n";
  const std::string nominated = text_at(status, "nominatedNodeName");
  if (nominated.empty()) return;
  out << fmt::format("\nIt {} for node {}, which these pods have to leave for it:\n",
                     how.would ? "would wait" : "waits", nominated);
  Rows rows{{"NAMESPACE", "NAME", "PRIORITY"}};
  for (const json::value& victim : get_array(status, "victims")) {
    rows.push_back({text_at(victim, "namespace"), text_at(victim, "name"),
                    std::to_string(get_int(victim, "priority"))});
  }
  out << aligned_rows(rows);
}

}  // namespace

std::string aligned_rows(const Rows& rows) {
  std::string text;
  for (const auto& row : rows) text += join(row, "\t") + "\n";
  return text::align_tabs(text);
}

void print_decision(const std::string& pod, const json::value& status, const WhyPrint& how,
                    std::ostream& out) {
  const std::string result = text_at(status, "result");
  if (result == "Placed") {
    print_placed(pod, status, how, out);
  } else if (result == "Failed") {
    out << fmt::format("Pod {} has no node, because the decision failed: {}\n", pod,
                       text_at(status, "message"));
  } else {
    print_waiting(pod, status, how, out);
  }
  for (const std::string& note : names(status, "notes")) out << "\nNote: " << note << "\n";
}

}  // namespace coracle::kubectl
