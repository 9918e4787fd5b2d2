// NodeSelector: the terms of a pod's node affinity, parsed once. Immutable. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/selectors.hpp"
#include "base/json.hpp"

namespace coracle::api {

// What a node is matched by.
struct NodeLabels {
  const json::object* labels;
  std::string_view name;
};

// matchExpressions and matchFields together; an empty term matches no node.
class NodeSelectorTerm {
 public:
  static NodeSelectorTerm parse(const json::value& term);
  bool matches(const NodeLabels& node) const;

 private:
  struct NameRule {
    bool equals = true;
    std::string name;
  };
  std::vector<LabelRequirement> labels_;
  std::vector<NameRule> names_;
  bool valid_ = true;  // false: an operator or field we do not know; matches nothing
};

// The terms of a v1 NodeSelector: one of them must match.
std::vector<NodeSelectorTerm> parse_node_terms(const json::value& selector);

struct PreferredNodes {
  std::int64_t weight = 0;
  NodeSelectorTerm term;
};

// What a pod demands of its node: nodeSelector and the required affinity; both must hold.
class RequiredNodes {
 public:
  static RequiredNodes parse(const json::value& pod);
  bool anywhere() const { return selector_.empty() && !has_terms_; }
  bool matches(const NodeLabels& node) const;

 private:
  std::vector<std::pair<std::string, std::string>> selector_;
  bool has_terms_ = false;
  std::vector<NodeSelectorTerm> terms_;  // one must match
};

std::vector<PreferredNodes> parse_preferred_nodes(const json::array& preferred);

}  // namespace coracle::api
