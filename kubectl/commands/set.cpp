// set image, set resources, and what all of set shares
#include <algorithm>

#include "api/catalog.hpp"
#include "api/patch.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/pod_parts.hpp"
#include "commands/pod_specs.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {

std::string pod_spec_path(const json::value& object) {
  if (get_string(object, "kind") == "Pod") return "spec";
  if (get_string(object, "kind") == "CronJob") return "spec.jobTemplate.spec.template.spec";
  return find(object, "spec.template.spec") ? "spec.template.spec" : "";
}

Status edit_pod_specs(Invocation& call, const std::vector<std::string>& args,
                      const std::string& done, const PodSpecEdit& edit) {
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  const TargetOptions options = target_options(call.flags, args);
  if (options.args.empty() && options.files.empty()) {
    return usage_failure(call.command,
                         "one or more resources must be specified as <resource> "
                         "<name> or <resource>/<name>");
  }
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
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
    report.record(changed);
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

Status check_container(const json::object& spec, const std::string& chosen) {
  const json::value* containers = spec.if_contains("containers");
  if (chosen == "*" || containers == nullptr || !containers->is_array()) return {};
  for (const json::value& container : containers->as_array()) {
    if (is_named(container, chosen)) return {};
  }
  return fail("unable to find container named " + chosen);
}

std::vector<text::FlagSpec> set_flags() {
  std::vector<text::FlagSpec> out = write_flags("kubectl-set");
  out.push_back(record_flag());
  out.push_back(local_flag());
  return out;
}

namespace {

using text::FlagType;

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
                          RETURN_IF_ERROR(check_container(spec, chosen));
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
                .flags = file_flags() + selector_flags() + set_flags(),
                .run = set_image};
  Command resources{.name = "set resources",
                    .usage = "(-f FILE | TYPE NAME) --limits=...",
                    .summary = "Change the requests and limits of a pod template",
                    .examples = "  kubectl set resources deployment/web --limits=cpu=200m\n",
                    .flags = file_flags() + selector_flags() + set_flags(),
                    .run = set_resources};
  resources.flags.push_back({"containers", 'c', FlagType::kString, "*", "Which containers"});
  resources.flags.push_back({"limits", 0, FlagType::kList, "", "resource=amount pairs"});
  resources.flags.push_back({"requests", 0, FlagType::kList, "", "resource=amount pairs"});
  return {{.name = "set", .usage = "SUBCOMMAND", .summary = "Change parts of pod templates"},
          image,
          set_env_command(),
          resources};
}

}  // namespace coracle::kubectl
