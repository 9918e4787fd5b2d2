// cordon, uncordon, taint
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/node_edit.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

Result<std::vector<Target>> node_targets(Invocation& call) {
  TargetOptions options;
  options.label_selector = call.flags.get("selector");
  options.args = {"nodes"};
  options.args.insert(options.args.end(), call.args.begin(), call.args.end());
  if (call.args.empty() && options.label_selector.empty()) {
    return usage_failure(call.command, "USAGE: " + call.command + " NODE [flags]");
  }
  return fetch_objects(call.session, options);
}

Status run_cordon(Invocation& call, bool unschedulable) {
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(const auto nodes, node_targets(call));
  std::vector<Status> failures;
  for (const Target& node : nodes) {
    Status status = cordon_node(call, report, node, unschedulable);
    if (!status.ok()) failures.push_back(std::move(status));
  }
  return join_failures(failures);
}

struct Taint {
  std::string key, value, effect;
};

struct TaintChange {
  std::vector<Taint> add, remove;
};

Result<Taint> parse_taint(const std::string& text) {
  Taint out;
  const auto parts = split(text, ':');
  if (parts.empty() || parts.size() > 2 || parts[0].empty()) {
    return fail("invalid taint spec: " + text);
  }
  if (parts.size() == 2) out.effect = parts[1];
  const size_t equals = parts[0].find('=');
  out.key = parts[0].substr(0, equals);
  if (equals != std::string::npos) out.value = parts[0].substr(equals + 1);
  if (!out.effect.empty() && out.effect != "NoSchedule" && out.effect != "PreferNoSchedule" &&
      out.effect != "NoExecute") {
    return usage_failure("taint",
                         "invalid taint effect: " + out.effect + ", unsupported taint effect");
  }
  if (const auto bad = api::check_qualified_name(out.key); !bad.empty()) {
    return fail("invalid taint spec: " + text + ", " + bad.front());
  }
  return out;
}

// Parts `nodes node-1 a=b:NoSchedule c-`
Result<TaintChange> split_taints(std::vector<std::string>& words) {
  TaintChange out;
  std::vector<std::string> objects;
  for (const std::string& word : words) {
    const bool removes = word.size() > 1 && word.back() == '-';
    const bool adds = word.find('=') != word.npos || word.find(':') != word.npos;
    if (!removes && !adds) {
      objects.push_back(word);
      continue;
    }
    ASSIGN_OR_RETURN(Taint taint, parse_taint(removes ? word.substr(0, word.size() - 1) : word));
    if (!removes && taint.effect.empty()) return fail("invalid taint spec: " + word);
    (removes ? out.remove : out.add).push_back(std::move(taint));
  }
  if (out.add.empty() && out.remove.empty()) {
    return fail("at least one taint update is required");
  }
  words = std::move(objects);
  return out;
}

bool same_place(const json::value& have, const Taint& taint) {
  return get_string(have, "key") == std::string_view(taint.key) &&
         (taint.effect.empty() || get_string(have, "effect") == std::string_view(taint.effect));
}

// The node's taints after the change. What is removed must be there; what is added must not,
// unless it may be overwritten.
Result<json::array> changed_taints(const Target& node, const TaintChange& change, bool overwrite) {
  json::array taints = get_array(node.object, "spec.taints");
  for (const Taint& taint : change.remove) {
    json::array kept;
    for (const json::value& have : taints) {
      if (!same_place(have, taint)) kept.push_back(have);
    }
    if (kept.size() == taints.size()) {
      return fail("taint " + quoted(taint.key + (taint.effect.empty() ? "" : ":" + taint.effect)) +
                  " not found");
    }
    taints = std::move(kept);
  }
  for (const Taint& taint : change.add) {
    json::array kept;
    for (const json::value& have : taints) {
      if (!same_place(have, taint)) {
        kept.push_back(have);
      } else if (!overwrite) {
        return fail("node " + node.name + " already has " + taint.key +
                    " taint(s) with same effect(s) and --overwrite is false");
      }
    }
    json::object added;
    added["effect"] = taint.effect;
    added["key"] = taint.key;
    if (!taint.value.empty()) added["value"] = taint.value;
    kept.push_back(std::move(added));
    taints = std::move(kept);
  }
  return taints;
}

Status taint_node(Invocation& call, WriteReport& report, Target& node, const TaintChange& change) {
  ASSIGN_OR_RETURN(json::array taints,
                   changed_taints(node, change, call.flags.is_set("overwrite")));
  const std::string done = change.add.empty()      ? "untainted"
                           : change.remove.empty() ? "tainted"
                                                   : "modified";
  if (report.dry_run == DryRun::kClient) return report.print(node.object, done);
  json::value patch = json::object();
  set_path(patch, "spec.taints", taints.empty() ? json::value() : json::value(std::move(taints)));
  set_path(patch, "metadata.resourceVersion", json::value(api::resource_version_of(node.object)));
  // Taints have no merge key on the wire that names one of them: the list is replaced whole.
  auto answer = call.session.patch(node.resource, "", node.name, client::PatchType::kMerge, patch,
                                   report.query());
  if (!answer.ok()) return server_failure(answer.error());
  return report.print(answer.value(), done);
}

Status run_taint(Invocation& call) {
  std::vector<std::string> words = call.args;
  ASSIGN_OR_RETURN(const TaintChange change, split_taints(words));
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, words);
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  for (const Target& target : targets) {
    if (target.resource.kind != "Node") {
      return fail("invalid resource type " + target.resource.plural +
                  ", only node types are supported");
    }
  }
  return visit_objects(call.session, targets, options,
                       [&](Target& node) { return taint_node(call, report, node, change); });
}

}  // namespace

Status cordon_node(Invocation& call, WriteReport& report, const Target& node, bool unschedulable) {
  const std::string done = unschedulable ? "cordoned" : "uncordoned";
  if (get_bool(node.object, "spec.unschedulable") == unschedulable) {
    return report.print(node.object, "already " + done);
  }
  if (report.dry_run != DryRun::kClient) {
    json::value patch = json::object();
    set_path(patch, "spec.unschedulable", unschedulable ? json::value(true) : json::value());
    auto answer = call.session.patch(node.resource, "", node.name, client::PatchType::kStrategic,
                                     patch, report.query());
    if (!answer.ok()) return server_failure(answer.error());
  }
  return report.print(node.object, done);
}

std::vector<Command> cordon_commands() {
  Command cordon{.name = "cordon",
                 .usage = "NODE",
                 .summary = "Keep new pods off a node",
                 .examples = "  kubectl cordon node-1\n",
                 .flags = write_flags("kubectl-cordon"),
                 .run = [](Invocation& call) { return run_cordon(call, true); }};
  cordon.flags.push_back({"selector", 'l', FlagType::kString, "", "Nodes by their labels"});
  Command uncordon = cordon;
  uncordon.name = "uncordon";
  uncordon.summary = "Let pods onto a node again";
  uncordon.examples = "  kubectl uncordon node-1\n";
  uncordon.run = [](Invocation& call) { return run_cordon(call, false); };
  return {cordon, uncordon};
}

Command taint_command() {
  Command command{.name = "taint",
                  .usage = "nodes NAME KEY=VALUE:EFFECT ... KEY[:EFFECT]- ...",
                  .summary = "Put taints on nodes and take them off",
                  .examples =
                      "  kubectl taint nodes node-1 team=a:NoSchedule\n"
                      "  kubectl taint nodes node-1 team-\n",
                  .flags = selector_flags() + write_flags("kubectl-taint"),
                  .run = run_taint};
  command.flags.push_back({"overwrite", 0, FlagType::kBool, "false", "Replace one that is there"});
  return command;
}

}  // namespace coracle::kubectl
