// why: what the scheduler decided about a pod, node by node and score by score; where it does not
// show its decisions, what the pod and its events say.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "describe/describe.hpp"
#include "kubectl/output.hpp"
#include "kubectl/target.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* kDecisions = "/apis/lab.coracle.dev/v1alpha1/namespaces/";
constexpr int kAsks = 10;  // with several schedulers, one that does not lead may be asked

std::string aligned(const Rows& rows) {
  std::string text;
  for (const auto& row : rows) text += join(row, "\t") + "\n";
  return text::align_tabs(text);
}

std::vector<std::string> names(const json::value& object, std::string_view path) {
  std::vector<std::string> out;
  for (const json::value& name : get_array(object, std::string(path))) {
    if (name.is_string()) out.emplace_back(name.as_string());
  }
  return out;
}

std::string reasons_of(const json::value& no) { return join(names(no, "reasons"), ", "); }

// Node by predicate: ok, - (not asked), or the number of the reason below.
std::string verdict_table(const json::value& status) {
  const auto filters = names(status, "filters");
  Rows rows{{"NODE"}};
  rows[0].insert(rows[0].end(), filters.begin(), filters.end());
  std::vector<std::string> reasons;
  for (const json::value& verdict : get_array(status, "verdicts")) {
    if (get_bool(verdict, "fits")) continue;
    const auto not_asked = names(verdict, "notAsked");
    std::vector<std::string> row{text_at(verdict, "node")};
    for (const std::string& filter : filters) {
      const json::value* no = get_object(verdict, "noes").if_contains(filter);
      if (no == nullptr) {
        const bool asked = std::find(not_asked.begin(), not_asked.end(), filter) == not_asked.end();
        row.emplace_back(asked ? "ok" : "-");
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
  std::string text = aligned(rows);
  for (size_t i = 0; i < reasons.size(); ++i) text += fmt::format("({}) {}\n", i + 1, reasons[i]);
  return text;
}

// How many nodes each predicate refused, and why.
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
  Rows rows{{"PREDICATE", "NODES", "REASON"}};
  for (const auto& [what, count] : counts) {
    rows.push_back({what.first, std::to_string(count), what.second});
  }
  return text + aligned(rows);
}

// The best first; each cell is the score and its weight.
std::string score_table(const json::value& status, size_t most) {
  std::vector<const json::value*> nodes;
  for (const json::value& node : get_array(status, "scores")) nodes.push_back(&node);
  if (nodes.empty()) return {};
  std::stable_sort(nodes.begin(), nodes.end(), [](const json::value* a, const json::value* b) {
    return get_int(*a, "total") > get_int(*b, "total");
  });
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
  return aligned(rows);
}

void print_placed(const json::value& decision, bool summary, std::ostream& out) {
  const json::value& status = decision.at("status");
  const std::string name(api::name_of(decision)), node = text_at(status, "nodeName");
  const size_t scored = get_array(status, "scores").size();
  if (scored == 0) {
    out << fmt::format("Pod {} was placed on node {}: of {} nodes looked at, no other fitted.\n",
                       name, node, get_int(status, "nodesLookedAt"));
  } else {
    out << fmt::format(
        "Pod {} was placed on node {}: of {} nodes, {} were looked at and {} fitted; this one has "
        "the "
        "highest score.\n\n",
        name, node, get_int(status, "nodes"), get_int(status, "nodesLookedAt"), scored);
    out << score_table(status, summary ? 5 : scored);
    out << "(each score is 0 to 100, times its weight; equals take turns)\n";
  }
  const std::string refused = summary ? verdict_summary(status) : verdict_table(status);
  if (!refused.empty()) out << "\n" << (summary ? "" : "Nodes that do not fit:\n") << refused;
}

void print_waiting(const json::value& decision, bool summary, std::ostream& out) {
  const json::value& status = decision.at("status");
  const std::string name(api::name_of(decision));
  if (text_at(status, "result") == "Failed") {
    out << fmt::format("Pod {} has no node, because the decision failed: {}\n", name,
                       text_at(status, "message"));
    return;
  }
  out << fmt::format("Pod {} fits on none of {} nodes.\n\n", name, get_int(status, "nodes"));
  const std::string table = summary ? verdict_summary(status) : verdict_table(status);
  if (!table.empty()) out << table << "\n";
  out << text_at(status, "message") << "\n";
  const std::string nominated = text_at(status, "nominatedNodeName");
  if (nominated.empty()) return;
  out << fmt::format("\nIt waits for node {}, which these pods have to leave for it:\n", nominated);
  Rows rows{{"NAMESPACE", "NAME", "PRIORITY"}};
  for (const json::value& victim : get_array(status, "victims")) {
    rows.push_back({text_at(victim, "namespace"), text_at(victim, "name"),
                    std::to_string(get_int(victim, "priority"))});
  }
  out << aligned(rows);
}

// What the scheduler keeps about the pod; null where it shows nothing, or keeps nothing any more.
json::value decision_about(Session& session, const std::string& ns, const json::value& pod) {
  const std::string path =
      kDecisions + ns + "/schedulingdecisions/" + std::string(api::name_of(pod));
  for (int i = 0; i < kAsks; ++i) {
    auto answer = session.call_json("GET", path);
    if (answer.ok()) {
      const json::value& decision = answer.value();
      return api::uid_of(decision) == api::uid_of(pod) ? decision : json::value();
    }
    if (answer.error().http != 503) return {};
    session.pause(std::chrono::milliseconds(100));
  }
  return {};
}

// Without the decision: what the pod itself says.
void print_pod(const json::value& pod, std::ostream& out) {
  const std::string name(api::name_of(pod)), node = text_at(pod, "spec.nodeName");
  if (!node.empty()) {
    out << "Pod " << name << " is on node " << node << ".\n";
    return;
  }
  for (const json::value& condition : get_array(pod, "status.conditions")) {
    if (text_at(condition, "type") != "PodScheduled") continue;
    out << "Pod " << name << " is waiting for a node: " << text_at(condition, "reason") << ", for "
        << "this reason:\n";
    for (const std::string& part : split(text_at(condition, "message"), ',')) {
      out << "  " << trim(part) << "\n";
    }
    return;
  }
  out << "Pod " << name << " has no node, and no scheduler has looked at it yet (schedulerName: "
      << text_at(pod, "spec.schedulerName") << ").\n";
}

Status print_events(Invocation& call, const std::string& ns, const std::string& name) {
  ASSIGN_OR_RETURN(const Resource* events, call.session.resource("events"));
  TRY_SERVER(const json::value list,
             call.session.list(
                 *events, ns,
                 {{"fieldSelector", "involvedObject.name=" + name + ",involvedObject.kind=Pod"}}));
  std::vector<json::value> told;
  for (const json::value& event : get_array(list, "items")) {
    for (const char* reason : {"Scheduled", "FailedScheduling", "Preempted", "FailedBinding"}) {
      if (text_at(event, "reason") == reason) told.push_back(event);
    }
  }
  if (told.empty()) return {};
  DescribeWriter writer;
  write_events(writer, std::move(told), call.session.wall_now());
  call.session.io.out << "\n" << writer.text();
  return {};
}

Status run_why(Invocation& call) {
  if (call.args.empty()) return usage_failure("why", "the name of a pod is required");
  std::string name = call.args.back();
  if (const size_t slash = name.find('/'); slash != name.npos) name = name.substr(slash + 1);
  ASSIGN_OR_RETURN(const Resource* pods, call.session.resource("pods"));
  const std::string ns = call.session.namespace_name();
  TRY_SERVER(const json::value pod, call.session.get(*pods, ns, name));
  const json::value decision = decision_about(call.session, ns, pod);
  const bool summary = call.flags.is_set("summary");
  std::ostream& out = call.session.io.out;
  const bool placed = !text_at(pod, "spec.nodeName").empty();
  // A decision that the pod has outlived (placed by another, or by hand) does not explain it.
  const std::string decided = text_at(decision, "status.nodeName");
  if (decision.is_null() || (placed && decided != text_at(pod, "spec.nodeName"))) {
    print_pod(pod, out);
  } else if (!decided.empty()) {
    print_placed(decision, summary, out);
  } else {
    print_waiting(decision, summary, out);
  }
  return print_events(call, ns, name);
}

}  // namespace

Command why_command() {
  return {.name = "why",
          .usage = "POD [--summary]",
          .summary = "Say why a pod is where it is, or nowhere",
          .examples = "  kubectl why web\n  kubectl why pod/web --summary\n",
          .flags = {{"summary", 0, FlagType::kBool, "false",
                     "Count nodes by reason instead of listing them: for large clusters"}},
          .run = run_why};
}

}  // namespace coracle::kubectl
