#include "describe/describe.hpp"

#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

Status print_one(Invocation& call, Target& target, bool* first) {
  const bool events = call.flags.get("show-events") != "false";
  ASSIGN_OR_RETURN(const std::string text, describe_object(call.session, target, events));
  call.session.io.out << (std::exchange(*first, false) ? "" : "\n\n") << text;
  return {};
}

// `describe pod web` also means every pod whose name begins so, if there is none called so.
Status describe_by_prefix(Invocation& call, const Target& target, const Status& missing,
                          bool* first) {
  auto list = call.session.list(target.resource, target.ns);
  if (!list.ok()) return missing;
  bool any = false;
  for (const json::value& item : get_array(list.value(), "items")) {
    if (!api::name_of(item).starts_with(target.name)) continue;
    Target one = target;
    one.name = api::name_of(item);
    one.object = item;
    any = true;
    RETURN_IF_ERROR(print_one(call, one, first));
  }
  return any ? Status() : missing;
}

Status run_describe(Invocation& call) {
  TargetOptions options = target_options(call.flags, call.args);
  options.need_names = false;
  if (options.args.empty() && options.files.empty()) {
    return fail(
        "You must specify the type of resource to describe. Use \"kubectl api-resources\" "
        "for a complete list of supported resources.");
  }
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  bool first = true;
  std::vector<Status> failures;
  for (const Target& target : targets) {
    Status status = visit_objects(call.session, {target}, options,
                                  [&](Target& one) { return print_one(call, one, &first); });
    if (status.code() == Code::kNotFound && !target.name.empty() && target.source.empty()) {
      status = describe_by_prefix(call, target, status, &first);
    }
    if (!status.ok()) failures.push_back(std::move(status));
  }
  if (first && failures.empty()) {
    const bool namespaced = !options.all_namespaces && targets.front().resource.namespaced;
    call.session.warn(namespaced
                          ? "No resources found in " + call.session.namespace_name() + " namespace."
                          : "No resources found");
  }
  return join_failures(failures);
}

}  // namespace

Command describe_command() {
  Command command{.name = "describe",
                  .usage = "(-f FILE | TYPE [NAME | -l LABEL] | TYPE/NAME)",
                  .summary = "Print an object and what belongs to it, for people",
                  .examples =
                      "  kubectl describe pod web\n  kubectl describe nodes\n"
                      "  kubectl describe pods -l app=web\n",
                  .flags = file_flags() + selector_flags(),
                  .run = run_describe};
  command.flags.push_back(
      {"show-events", 0, text::FlagType::kBool, "true", "With the object's events"});
  command.flags.push_back({"chunk-size", 0, text::FlagType::kInt, "500", "Accepted, not used"});
  return command;
}

}  // namespace coracle::kubectl
