#include "api/node_selector.hpp"

#include <algorithm>
#include <optional>

namespace coracle::api {
namespace {

std::optional<LabelOp> parse_op(std::string_view text) {
  if (text == "In") return LabelOp::kIn;
  if (text == "NotIn") return LabelOp::kNotIn;
  if (text == "Exists") return LabelOp::kExists;
  if (text == "DoesNotExist") return LabelOp::kNotExists;
  if (text == "Gt") return LabelOp::kGreater;
  if (text == "Lt") return LabelOp::kLess;
  return std::nullopt;
}

std::vector<std::string> sorted_values(const json::value& expression) {
  std::vector<std::string> values;
  for (const json::value& value : get_array(expression, "values")) {
    if (value.is_string()) values.emplace_back(value.as_string());
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace

NodeSelectorTerm NodeSelectorTerm::parse(const json::value& term) {
  NodeSelectorTerm parsed;
  for (const json::value& expression : get_array(term, "matchExpressions")) {
    const auto op = parse_op(get_string(expression, "operator"));
    if (!op) parsed.valid_ = false;
    parsed.labels_.push_back({std::string(get_string(expression, "key")),
                              op.value_or(LabelOp::kExists), sorted_values(expression)});
  }
  for (const json::value& field : get_array(term, "matchFields")) {
    const auto op = parse_op(get_string(field, "operator"));
    const auto values = sorted_values(field);
    const bool known = op == LabelOp::kIn || op == LabelOp::kNotIn;
    if (!known || values.size() != 1 || get_string(field, "key") != "metadata.name") {
      parsed.valid_ = false;
      continue;
    }
    parsed.names_.push_back({op == LabelOp::kIn, values.front()});
  }
  if (parsed.labels_.empty() && parsed.names_.empty()) parsed.valid_ = false;
  return parsed;
}

bool NodeSelectorTerm::matches(const NodeLabels& node) const {
  return valid_ &&
         std::all_of(labels_.begin(), labels_.end(),
                     [&](const auto& r) { return r.matches(*node.labels); }) &&
         std::all_of(names_.begin(), names_.end(),
                     [&](const NameRule& r) { return (r.name == node.name) == r.equals; });
}

std::vector<NodeSelectorTerm> parse_node_terms(const json::value& selector) {
  std::vector<NodeSelectorTerm> terms;
  for (const json::value& term : get_array(selector, "nodeSelectorTerms")) {
    terms.push_back(NodeSelectorTerm::parse(term));
  }
  return terms;
}

RequiredNodes RequiredNodes::parse(const json::value& pod) {
  RequiredNodes required;
  for (const auto& [key, value] : get_object(pod, "spec.nodeSelector")) {
    if (value.is_string()) required.selector_.emplace_back(key, value.as_string());
  }
  const json::value* affinity =
      find(pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
  if (affinity != nullptr && affinity->is_object()) {
    required.has_terms_ = true;
    required.terms_ = parse_node_terms(*affinity);
  }
  return required;
}

bool RequiredNodes::matches(const NodeLabels& node) const {
  for (const auto& [key, value] : selector_) {
    const json::value* has = find_member(*node.labels, key);
    if (has == nullptr || !has->is_string() || has->as_string() != value) return false;
  }
  return !has_terms_ || std::any_of(terms_.begin(), terms_.end(),
                                    [&](const auto& term) { return term.matches(node); });
}

std::vector<PreferredNodes> parse_preferred_nodes(const json::array& preferred) {
  std::vector<PreferredNodes> parsed;
  for (const json::value& entry : preferred) {
    const json::value* term = find(entry, "preference");
    if (term == nullptr) continue;
    parsed.push_back({get_int(entry, "weight"), NodeSelectorTerm::parse(*term)});
  }
  return parsed;
}

}  // namespace coracle::api
