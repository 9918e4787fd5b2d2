#include "extender/messages.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

// A member under any case; the exact name wins. Null: it is not there, or null.
const json::value* member(const json::value& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const json::value* found = object.as_object().if_contains(name);
  for (const auto& [key, value] : object.as_object()) {
    if (found == nullptr && same_but_for_case(key, name)) found = &value;
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t number(const json::value* value) {
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

const json::array& elements(const json::value* value) {
  static const json::array kNone;
  return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

Result<json::value> answer_of(std::string_view body) {
  auto parsed = parse_json(body);
  if (!parsed.ok()) return parsed.status().with_context("answer of the extender");
  return parsed;
}

std::map<std::string, std::string> reasons(const json::value* map) {
  std::map<std::string, std::string> found;
  if (map == nullptr || !map->is_object()) return found;
  for (const auto& [node, why] : map->as_object()) found.emplace(node, text(&why));
  return found;
}

json::object victims_of(const Candidate& candidate,
                        const std::function<json::value(const PodInfo&)>& each) {
  json::array pods;
  for (const PodPtr& victim : candidate.victims) pods.push_back(each(*victim));
  return {{"Pods", std::move(pods)}, {"NumPDBViolations", candidate.violations}};
}

}  // namespace

std::string extender_url(const ExtenderConfig& extender, const std::string& verb) {
  std::string_view prefix = extender.url_prefix;
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return std::string(prefix) + "/" + verb;
}

json::value extender_args(const ExtenderConfig& extender, const json::value& pod,
                          const std::vector<std::string>& names, const json::array& nodes) {
  json::object args{{"Pod", pod}, {"Nodes", nullptr}, {"NodeNames", nullptr}};
  if (extender.node_cache_capable) {
    json::array list;
    for (const std::string& name : names) list.emplace_back(name);
    args["NodeNames"] = std::move(list);
  } else {
    args["Nodes"] = json::object{{"metadata", json::object()}, {"items", nodes}};
  }
  return args;
}

Result<FilterAnswer> read_filter_answer(const ExtenderConfig& extender, std::string_view body,
                                        const std::vector<std::string>& asked) {
  ASSIGN_OR_RETURN(const json::value answer, answer_of(body));
  const std::string error = text(member(answer, "Error"));
  if (!error.empty()) return Status(Code::kUnknown, error);
  FilterAnswer out;
  const json::value* names = member(answer, "NodeNames");
  const json::value* nodes = member(answer, "Nodes");
  if (extender.node_cache_capable && names != nullptr) {
    for (const json::value& name : elements(names)) out.kept.push_back(text(&name));
  } else if (nodes != nullptr) {
    for (const json::value& node : elements(member(*nodes, "items"))) {
      out.kept.emplace_back(api::name_of(node));
    }
  }
  for (const std::string& name : out.kept) {
    if (std::find(asked.begin(), asked.end(), name) != asked.end()) continue;
    return Status(Code::kUnknown,
                  fmt::format("extender \"{}\" claims a filtered node \"{}\" which is not found in "
                              "the input node list",
                              extender.url_prefix, name));
  }
  out.failed = reasons(member(answer, "FailedNodes"));
  out.unresolvable = reasons(member(answer, "FailedAndUnresolvableNodes"));
  return out;
}

Result<std::map<std::string, std::int64_t>> read_priorities(std::string_view body) {
  ASSIGN_OR_RETURN(const json::value answer, answer_of(body));
  if (!answer.is_array()) return invalid_argument("answer of the extender: want a list");
  std::map<std::string, std::int64_t> scores;
  for (const json::value& one : answer.as_array()) {
    scores[text(member(one, "Host"))] += number(member(one, "Score"));
  }
  return scores;
}

json::value preemption_args(const ExtenderConfig& extender, const json::value& pod,
                            const Candidates& candidates, const ObjectOf& object_of) {
  json::object victims;
  for (const CandidatePtr& candidate : candidates) {
    victims[candidate->node] =
        extender.node_cache_capable
            ? victims_of(*candidate,
                         [](const PodInfo& victim) {
                           return json::value(json::object{{"UID", victim.uid}});
                         })
            : victims_of(*candidate, object_of);
  }
  json::object args{
      {"Pod", pod}, {"NodeNameToVictims", nullptr}, {"NodeNameToMetaVictims", nullptr}};
  args[extender.node_cache_capable ? "NodeNameToMetaVictims" : "NodeNameToVictims"] =
      std::move(victims);
  return args;
}

Result<Candidates> read_preemption_answer(const ExtenderConfig& extender, std::string_view body,
                                          const Snapshot& world) {
  ASSIGN_OR_RETURN(const json::value answer, answer_of(body));
  const json::value* victims = member(answer, "NodeNameToMetaVictims");
  std::map<std::string, CandidatePtr> by_node;
  if (victims == nullptr || !victims->is_object()) return Candidates();
  for (const auto& [name, said] : victims->as_object()) {
    const std::string node_name(name);
    const NodeInfo* node = world.nodes.find(node_name);
    if (node == nullptr) {
      return not_found(fmt::format("nodeinfo not found for node name \"{}\"", node_name));
    }
    std::vector<PodPtr> leaving;
    for (const json::value& pod : elements(member(said, "Pods"))) {
      const std::string uid = text(member(pod, "UID"));
      const auto there = std::find_if(node->pods().begin(), node->pods().end(),
                                      [&](const PodPtr& p) { return p->uid == uid; });
      if (there == node->pods().end()) {
        return not_found(
            fmt::format("extender: {} claims to preempt pod (UID: {}) on node: {}, but "
                        "the pod is not found on that node",
                        extender.url_prefix, uid, node_name));
      }
      leaving.push_back(*there);
    }
    if (leaving.empty()) {
      if (extender.ignorable) continue;
      return internal_error(
          fmt::format("expected at least one victim pod on node \"{}\"", node_name));
    }
    by_node.emplace(node_name,
                    std::make_shared<const Candidate>(node_name, std::move(leaving),
                                                      number(member(said, "NumPDBViolations"))));
  }
  Candidates candidates;
  for (auto& [name, candidate] : by_node) candidates.push_back(std::move(candidate));
  return candidates;
}

json::value binding_args(const PodInfo& pod, const std::string& node) {
  return json::object{
      {"PodName", pod.name}, {"PodNamespace", pod.ns}, {"PodUID", pod.uid}, {"Node", node}};
}

Status read_binding_answer(std::string_view body) {
  ASSIGN_OR_RETURN(const json::value answer, answer_of(body));
  const std::string error = text(member(answer, "Error"));
  return error.empty() ? Status() : Status(Code::kUnknown, error);
}

}  // namespace coracle::scheduler
