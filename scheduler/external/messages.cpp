#include "external/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.hpp"

namespace coracle::scheduler {
namespace {

// So much of a bad line is shown.
constexpr size_t kShownMax = 120;
constexpr std::array<std::string_view, 5> kMembers = {"id", "skip", "filter", "score", "error"};

std::string shown(std::string_view line) {
  if (line.size() <= kShownMax) return std::string(line);
  return std::string(line.substr(0, kShownMax)) + "...";
}

Status nonsense(std::string_view line, const std::string& what) {
  return invalid_argument(fmt::format("{}; it said: {}", what, shown(line)));
}

Result<json::object> object_of(std::string_view line) {
  auto parsed = parse_json(line);
  if (!parsed.ok()) return nonsense(line, "its answer is not JSON");
  if (!parsed->is_object()) return nonsense(line, "its answer is not an object");
  return std::move(parsed->as_object());
}

// cpu in thousandths, the others in bytes or pieces, as the scheduler counts them.
json::object amounts(const Resources& r) {
  json::object out{{"cpu", r.cpu_milli}, {"memory", r.memory}};
  if (r.ephemeral_storage != 0) out["ephemeral-storage"] = r.ephemeral_storage;
  for (const auto& [name, amount] : r.scalars) out[name] = amount;
  return out;
}

json::object node_object(const NodeInfo& node, bool with_pods) {
  json::array taints;
  for (const api::Taint& taint : node.facts().taints) {
    taints.push_back(json::object{
        {"key", taint.key}, {"value", taint.value}, {"effect", api::effect_text(taint.effect)}});
  }
  json::object out{{"name", node.name()},
                   {"labels", node.facts().labels},
                   {"taints", std::move(taints)},
                   {"unschedulable", node.facts().unschedulable},
                   {"allocatable", amounts(node.facts().allocatable)},
                   {"requested", amounts(node.used())},
                   {"podsMax", node.facts().pods_max},
                   {"podCount", node.pods().size()}};
  if (!with_pods) return out;
  json::array pods;
  for (const PodPtr& pod : node.pods()) {
    pods.push_back(json::object{{"namespace", pod->ns},
                                {"name", pod->name},
                                {"labels", pod->labels},
                                {"priority", pod->priority},
                                {"requested", amounts(pod->requests)}});
  }
  out["pods"] = std::move(pods);
  return out;
}

std::vector<std::string> points(Wanted wanted) {
  std::vector<std::string> names;
  if (wanted.filter) names.emplace_back("filter");
  if (wanted.score) names.emplace_back("score");
  return names;
}

json::array strings(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

Status read_noes(std::string_view line, const json::value& value,
                 const std::set<std::string>& asked, ProcessAnswer* out) {
  if (!value.is_object()) return nonsense(line, "\"filter\" is not an object of node: reason");
  for (const auto& [node, reason] : value.as_object()) {
    if (!reason.is_string() || reason.as_string().empty()) {
      return nonsense(
          line, fmt::format("\"filter\" gives no reason for node \"{}\"", std::string_view(node)));
    }
    if (!asked.contains(std::string(node))) {
      return nonsense(line,
                      fmt::format("\"filter\" names node \"{}\", which it was not asked about",
                                  std::string_view(node)));
    }
    out->noes.emplace(node, reason.as_string());
  }
  return {};
}

Status read_scores(std::string_view line, const json::value& value,
                   const std::set<std::string>& asked, ProcessAnswer* out) {
  if (!value.is_object()) return nonsense(line, "\"score\" is not an object of node: 0 to 100");
  for (const auto& [node, said] : value.as_object()) {
    const std::string name(node);
    if (!asked.contains(name)) {
      return nonsense(
          line, fmt::format("\"score\" names node \"{}\", which it was not asked about", name));
    }
    if (!said.is_int64() || said.as_int64() < 0 || said.as_int64() > kScoreMax) {
      return nonsense(line, fmt::format("the score of node \"{}\" is not a whole number from 0 to "
                                        "{}: {}",
                                        name, kScoreMax, json::serialize(said)));
    }
    out->scores.emplace(name, said.as_int64());
  }
  for (const std::string& node : asked) {
    if (out->noes.contains(node) || out->scores.contains(node)) continue;
    return nonsense(line, fmt::format("\"score\" is missing for node \"{}\"", node));
  }
  return {};
}

}  // namespace

bool KnownNodes::tell(const NodeInfo& node, bool with_pods, json::array* changed) {
  const auto known = seen_.find(node.name());
  const bool same = known != seen_.end() && known->second.facts == node.facts_ptr() &&
                    known->second.pods.size() == node.pods().size() &&
                    known->second.used == node.used() &&
                    (!with_pods || known->second.pods == node.pods());
  if (same) return false;
  changed->push_back(node_object(node, with_pods));
  seen_.insert_or_assign(node.name(), Seen{node.facts_ptr(), node.used(), node.pods()});
  return true;
}

json::array KnownNodes::forget_gone(const Snapshot& world) {
  json::array gone;
  std::erase_if(seen_, [&](const auto& entry) {
    if (world.nodes.find(entry.first) != nullptr) return false;
    gone.emplace_back(entry.first);
    return true;
  });
  return gone;
}

std::string hello_line(const ProcessSpec& spec) {
  return json::serialize(json::object{
      {"hello",
       json::object{{"protocol", kProcessProtocol}, {"plugin", spec.name}, {"args", spec.args}}}});
}

Status read_hello(std::string_view line, Wanted wanted) {
  ASSIGN_OR_RETURN(const json::value answer, object_of(line));
  const json::value* hello = find(answer, "hello");
  if (hello == nullptr || !hello->is_object()) return nonsense(line, "it did not answer \"hello\"");
  if (get_int(*hello, "protocol") != kProcessProtocol) {
    return nonsense(line, fmt::format("it does not speak protocol {}", kProcessProtocol));
  }
  const json::array& offered = get_array(*hello, "points");
  for (const std::string& point : points(wanted)) {
    const bool has = std::any_of(offered.begin(), offered.end(), [&](const json::value& one) {
      return one.is_string() && one.as_string() == point;
    });
    if (!has) return nonsense(line, fmt::format("it does not offer {}, which is enabled", point));
  }
  return {};
}

std::string question_line(std::uint64_t id, Wanted wanted, const json::value& pod,
                          const std::vector<const NodeInfo*>& nodes, const Snapshot& world,
                          bool with_pods, KnownNodes* known) {
  json::array names, changed;
  for (const NodeInfo* node : nodes) {
    names.emplace_back(node->name());
    known->tell(*node, with_pods, &changed);
  }
  return json::serialize(json::object{{"id", id},
                                      {"want", strings(points(wanted))},
                                      {"pod", pod},
                                      {"nodes", std::move(names)},
                                      {"changed", std::move(changed)},
                                      {"gone", known->forget_gone(world)}});
}

Result<ProcessAnswer> read_process_answer(std::string_view line, std::uint64_t id, Wanted wanted,
                                          const std::set<std::string>& asked) {
  ASSIGN_OR_RETURN(const json::object answer, object_of(line));
  const json::value* number = answer.if_contains("id");
  if (number == nullptr || !number->is_int64() ||
      static_cast<std::uint64_t>(number->as_int64()) != id) {
    return nonsense(line, fmt::format("its answer is not to question {}", id));
  }
  for (const auto& [name, value] : answer) {
    const auto& known = kMembers;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return nonsense(
        line, fmt::format("its answer has a member nobody knows, \"{}\"", std::string_view(name)));
  }
  if (const json::value* error = answer.if_contains("error")) {
    return failed_precondition(error->is_string() ? std::string(error->as_string())
                                                  : json::serialize(*error));
  }
  ProcessAnswer out;
  if (const json::value* skip = answer.if_contains("skip")) {
    if (!skip->is_bool()) return nonsense(line, "\"skip\" is not true or false");
    out.skip = skip->as_bool();
    if (out.skip) return out;
  }
  const json::value* noes = answer.if_contains("filter");
  const json::value* scores = answer.if_contains("score");
  if (wanted.filter && noes == nullptr) return nonsense(line, "\"filter\" is missing");
  if (wanted.score && scores == nullptr) return nonsense(line, "\"score\" is missing");
  if (!wanted.filter && noes != nullptr) {
    return nonsense(line, "it filters, and is not enabled at filter");
  }
  if (noes != nullptr) RETURN_IF_ERROR(read_noes(line, *noes, asked, &out));
  if (wanted.score) RETURN_IF_ERROR(read_scores(line, *scores, asked, &out));
  return out;
}

}  // namespace coracle::scheduler
