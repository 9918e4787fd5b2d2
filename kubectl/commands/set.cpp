// set image, set env, set resources
#include <algorithm>

#include "api/catalog.hpp"
#include "api/patch.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_parts.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// Where a kind keeps its pod spec; "" when it has none.
std::string pod_spec_path(const json::value& object) {
  if (get_string(object, "kind") == "Pod") return "spec";
  if (get_string(object, "kind") == "CronJob") return "spec.jobTemplate.spec.template.spec";
  return find(object, "spec.template.spec") ? "spec.template.spec" : "";
}

using Edit = std::function<Status(json::object& pod_spec)>;

// Applies `edit` to the pod spec of each object and sends what it changed as a strategic patch.
Status edit_pod_specs(Invocation& call, const std::vector<std::string>& args,
                      const std::string& done, const Edit& edit) {
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, args);
  if (options.args.empty() && options.files.filenames.empty()) {
    return usage_failure(call.command,
                         "one or more resources must be specified as <resource> "
                         "<name> or <resource>/<name>");
  }
  ASSIGN_OR_RETURN(const auto targets, find_targets(call.session, options));
  return visit_objects(call.session, targets, options, [&](Target& target) -> Status {
    const std::string path = pod_spec_path(target.object);
    if (path.empty()) {
      return fail(target.resource.plural + "/" + target.name +
                  " the object is not a pod or does "
                  "not have a pod template");
    }
    json::value changed = target.object;
    RETURN_IF_ERROR(edit(make_object(changed, path)));
    if (changed == target.object) return {};
    if (report.dry_run == DryRun::kClient) return report.print(changed, done);
    const api::ResourceInfo* info = api::Catalog::builtin().find_for(target.object);
    auto patch =
        api::create_two_way_merge_patch(target.object, changed, info ? info->schema : nullptr);
    if (!patch.ok()) return fail(patch.status().message());
    auto answer = call.session.patch(target.resource, target.ns, target.name,
                                     client::PatchType::kStrategic, *patch, report.query());
    if (!answer.ok()) {
      if (answer.error().no_answer()) return server_failure(answer.error());
      return fail("failed to patch " + done.substr(0, done.find(' ')) +
                  " update to pod template: " + answer.error().message);
    }
    return report.print(answer.value(), done);
  });
}

// Splits words into objects and name=value pairs.
void split_pairs(const std::vector<std::string>& words, std::vector<std::string>* objects,
                 std::vector<std::string>* pairs) {
  for (const std::string& word : words) {
    const bool is_pair = word.find('=') != word.npos || (word.size() > 1 && word.back() == '-');
    (is_pair ? pairs : objects)->push_back(word);
  }
}

bool is_named(const json::value& container, const std::string& pattern) {
  return pattern == "*" || get_string(container, "name") == std::string_view(pattern);
}

Status set_image(Invocation& call) {
  std::vector<std::string> objects, pairs;
  split_pairs(call.args, &objects, &pairs);
  if (pairs.empty()) return fail("at least one image update is required");
  return edit_pod_specs(call, objects, "image updated", [&](json::object& spec) -> Status {
    for (const std::string& pair : pairs) {
      const size_t equals = pair.find('=');
      if (equals == pair.npos) return fail("invalid image spec: " + pair);
      const std::string name = pair.substr(0, equals), image = pair.substr(equals + 1);
      bool found = false;
      for (const char* list : {"initContainers", "containers"}) {
        json::value* containers = spec.if_contains(list);
        if (!containers || !containers->is_array()) continue;
        for (json::value& container : containers->as_array()) {
          if (!container.is_object() || !is_named(container, name)) continue;
          container.as_object()["image"] = image;
          found = true;
        }
      }
      if (!found && name != "*") {
        return fail("unable to find container named " + quoted(name));
      }
    }
    return {};
  });
}

void put_variable(json::array& env, const json::object& variable) {
  for (json::value& one : env) {
    if (get_string(one, "name") == std::string_view(variable.at("name").as_string())) {
      one = variable;
      return;
    }
  }
  env.push_back(variable);
}

Status set_env(Invocation& call) {
  std::vector<std::string> objects, pairs;
  split_pairs(call.args, &objects, &pairs);
  for (const std::string& pair : call.flags.list("env")) pairs.push_back(pair);
  if (pairs.empty()) return fail("at least one environment variable must be provided");
  std::vector<std::string> sets, removes;
  for (const std::string& pair : pairs) {
    if (pair.find('=') == pair.npos) {
      removes.push_back(pair.substr(0, pair.size() - 1));
    } else {
      sets.push_back(pair);
    }
  }
  ASSIGN_OR_RETURN(const json::array variables, parse_env(sets));
  const std::string chosen = call.flags.get("containers");
  return edit_pod_specs(call, objects, "env updated", [&](json::object& spec) -> Status {
    for (json::value& container : spec["containers"].as_array()) {
      if (!container.is_object() || !is_named(container, chosen)) continue;
      json::value& env = container.as_object()["env"];
      if (!env.is_array()) env.emplace_array();
      for (const json::value& one : variables) put_variable(env.as_array(), one.as_object());
      json::array kept;
      for (const json::value& one : env.as_array()) {
        const std::string name(get_string(one, "name"));
        if (std::find(removes.begin(), removes.end(), name) == removes.end()) kept.push_back(one);
      }
      if (kept.empty()) {
        erase_key(container.as_object(), "env");
      } else {
        env = std::move(kept);
      }
    }
    return {};
  });
}

Status set_resources(Invocation& call) {
  const auto limits = call.flags.list("limits"), requests = call.flags.list("requests");
  if (limits.empty() && requests.empty()) {
    return fail(
        "you must specify an update to requests or limits (in the form of "
        "--requests/--limits)");
  }
  ASSIGN_OR_RETURN(const json::object limit_map, parse_labels(limits));
  ASSIGN_OR_RETURN(const json::object request_map, parse_labels(requests));
  const std::string chosen = call.flags.get("containers");
  return edit_pod_specs(call, call.args, "resource requirements updated",
                        [&](json::object& spec) -> Status {
                          for (json::value& container : spec["containers"].as_array()) {
                            if (!container.is_object() || !is_named(container, chosen)) continue;
                            for (const auto& [name, amount] : limit_map) {
                              make_object(container, "resources.limits")[name] = amount;
                            }
                            for (const auto& [name, amount] : request_map) {
                              make_object(container, "resources.requests")[name] = amount;
                            }
                          }
                          return {};
                        });
}

}  // namespace

std::vector<Command> set_commands() {
  Command image{.name = "set image",
                .usage = "(-f FILE | TYPE NAME) CONTAINER=IMAGE ...",
                .summary = "Change the images of a pod template",
                .examples = "  kubectl set image deployment/web nginx=nginx:1.26\n",
                .flags = file_flags() + selector_flags() + write_flags("kubectl-set"),
                .run = set_image};
  Command env{.name = "set env",
              .usage = "(-f FILE | TYPE NAME) KEY=VALUE ... KEY- ...",
              .summary = "Change the environment of a pod template",
              .examples = "  kubectl set env deployment/web MODE=test\n",
              .flags = file_flags() + selector_flags() + write_flags("kubectl-set"),
              .run = set_env};
  env.flags.push_back({"containers", 'c', FlagType::kString, "*", "Which containers"});
  env.flags.push_back({"env", 'e', FlagType::kArray, "", "KEY=VALUE"});
  Command resources{.name = "set resources",
                    .usage = "(-f FILE | TYPE NAME) --limits=...",
                    .summary = "Change the requests and limits of a pod template",
                    .examples = "  kubectl set resources deployment/web --limits=cpu=200m\n",
                    .flags = file_flags() + selector_flags() + write_flags("kubectl-set"),
                    .run = set_resources};
  resources.flags.push_back({"containers", 'c', FlagType::kString, "*", "Which containers"});
  resources.flags.push_back({"limits", 0, FlagType::kList, "", "resource=amount pairs"});
  resources.flags.push_back({"requests", 0, FlagType::kList, "", "resource=amount pairs"});
  return {{.name = "set", .usage = "SUBCOMMAND", .summary = "Change parts of pod templates"},
          image,
          env,
          resources};
}

}  // namespace coracle::kubectl
