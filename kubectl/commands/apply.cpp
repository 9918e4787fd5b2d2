#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "commands/last_applied.hpp"
#include "commands/prune.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr int kConflictRetries = 5;
constexpr Duration kGoneLimit = std::chrono::minutes(5);

constexpr const char* kConflictHelp =
    "\nPlease review the fields above--they currently have other managers. Here\n"
    "are the ways you can resolve this warning:\n"
    "* If you intend to manage all of these fields, please re-run the apply\n"
    "  command with the `--force-conflicts` flag.\n"
    "* If you do not intend to manage all of the fields, please edit your\n"
    "  manifest to remove references to the fields that should keep their\n"
    "  current managers.\n"
    "* You may co-own fields by updating your manifest to match the existing\n"
    "  value; in this case, you'll become the manager if the other manager(s)\n"
    "  stop managing the field (remove it from their configuration).\n"
    "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

class Apply {
 public:
  explicit Apply(Invocation& call) : call_(call), session_(call.session) {}

  Status run() {
    if (!call_.args.empty()) {
      return usage_failure("apply", "Unexpected args: [" + join(call_.args, " ") + "]");
    }
    if (!has_files(call_.flags)) return fail("must specify one of -f and -k");
    ASSIGN_OR_RETURN(report_, WriteReport::make(call_));
    server_side_ = call_.flags.is_set("server-side");
    if (server_side_ && report_.dry_run == DryRun::kClient) {
      return fail(
          "--dry-run=client doesn't work with --server-side (did you mean "
          "--dry-run=server instead?)");
    }
    if (!server_side_ && call_.flags.is_set("force-conflicts")) {
      return fail("--force-conflicts only works with --server-side");
    }
    ASSIGN_OR_RETURN(auto targets, each_file_target(session_, file_options(call_.flags)));
    RETURN_IF_ERROR(check_prune_flags());
    std::vector<Status> failures;
    for (Target& target : targets) {
      Status status = !target.failure.ok() ? target.failure : apply_target(target);
      if (!status.ok()) failures.push_back(std::move(status));
    }
    if (failures.empty() && call_.flags.is_set("prune")) return prune();
    return join_failures(failures);
  }

 private:
  client::QueryList query() const {
    client::QueryList out;
    if (report_.dry_run == DryRun::kServer) out.emplace_back("dryRun", "All");
    const std::string manager = call_.flags.has("field-manager") ? call_.flags.get("field-manager")
                                : server_side_                   ? "kubectl"
                                                                 : "kubectl-client-side-apply";
    out.emplace_back("fieldManager", manager);
    out.emplace_back("fieldValidation", field_validation(call_.flags.get("validate")));
    return out;
  }

  Status apply_target(Target& target) {
    report_.record(target.object);
    return server_side_ ? apply_server_side(target) : apply_one(target);
  }

  // What the server has now, and -o.
  Status done(const Target& target, const json::value& now, const std::string& what) {
    applied_.add(target, now);
    return report_.print(now, what);
  }

  Status check_prune_flags() const {
    if (!call_.flags.is_set("prune")) return {};
    const bool all = call_.flags.is_set("all");
    if (all && !call_.flags.get("selector").empty()) {
      return fail("cannot set --all and --selector at the same time");
    }
    if (!all && call_.flags.get("selector").empty()) {
      return fail(
          "all resources selected for prune without explicitly passing --all. To prune all "
          "resources, pass the --all flag. If you did not mean to prune all resources, "
          "specify a label selector");
    }
    return {};
  }

  Status prune() {
    PruneRequest request{.selector = call_.flags.get("selector"),
                         .allowed = call_.flags.list("prune-allowlist"),
                         .dry_run = report_.dry_run};
    return prune_others(session_, report_, applied_, request);
  }

  Status apply_server_side(Target& target) {
    client::QueryList options = query();
    options.emplace_back("force", call_.flags.is_set("force-conflicts") ? "true" : "false");
    auto answer = session_.patch(target.resource, target.ns, target.name, client::PatchType::kApply,
                                 target.object, options);
    if (answer.ok()) return done(target, answer.value(), "serverside-applied");
    const client::ApiError& error = answer.error();
    if (!error.is_conflict()) return server_failure(error);
    return fail(error.message + kConflictHelp);
  }

  Status apply_one(Target& target) {
    if (target.name.empty()) {
      const Resource& r = target.resource;
      return fail("error when retrieving current configuration of:\nResource: " +
                  quoted(r.group + "/" + r.version + ", Resource=" + r.plural) +
                  ", GroupVersionKind: " + quoted(r.group + "/" + r.version + ", Kind=" + r.kind) +
                  "\nName: \"\", Namespace: " + quoted(target.ns) + "\nfrom server for: " +
                  quoted(target.source) + ": resource name may not be empty");
    }
    auto there = session_.get(target.resource, target.ns, target.name);
    if (!there.ok() && !there.error().is_not_found()) {
      return server_failure(there.error(), "retrieving current configuration of", target.source);
    }
    if (!there.ok()) return create(target);
    json::value current = std::move(there.value());
    if (report_.dry_run != DryRun::kClient && !get_last_applied(current)) {
      session_.warn(
          "Warning: resource " + target.resource.plural + "/" + target.name + " is missing the " +
          kLastApplied +
          " annotation which is required by kubectl apply. kubectl apply should only be used on "
          "resources created declaratively by either kubectl create --save-config or kubectl "
          "apply. The missing annotation will be patched automatically.");
    }
    if (report_.dry_run == DryRun::kClient) return done(target, current, "configured");
    return patch(target, std::move(current));
  }

  Status create(Target& target) {
    json::value object = target.object;
    set_last_applied(object);
    if (report_.dry_run == DryRun::kClient) return done(target, object, "created");
    auto answer = session_.create(target.resource, target.ns, object, query());
    if (!answer.ok()) return server_failure(answer.error(), "creating", target.source);
    return done(target, answer.value(), "created");
  }

  Status patch(Target& target, json::value current) {
    for (int attempt = 0;; ++attempt) {
      ASSIGN_OR_RETURN(ApplyPatch plan, plan_apply(target.object, current));
      if (plan.patch.is_object() && plan.patch.as_object().empty()) {
        return done(target, current, "unchanged");
      }
      auto answer =
          session_.patch(target.resource, target.ns, target.name, plan.type, plan.patch, query());
      if (answer.ok()) return done(target, answer.value(), "configured");
      const client::ApiError& error = answer.error();
      if (error.is_conflict() && attempt < kConflictRetries) {
        TRY_SERVER(current, session_.get(target.resource, target.ns, target.name));
        continue;
      }
      if ((error.is_conflict() || error.is_invalid()) && call_.flags.is_set("force")) {
        return recreate(target, current);
      }
      return patch_failure(error, plan, target);
    }
  }

  static Status patch_failure(const client::ApiError& error, const ApplyPatch& plan,
                              const Target& target) {
    if (error.is_invalid() || target.source.empty()) return server_failure(error);
    return server_failure(error,
                          "applying patch:\n" + to_json(plan.patch) + "\nto:\nResource: " +
                              quoted(target.resource.group_resource()) + "\nfor:",
                          target.source);
  }

  // --force: what cannot be patched is deleted and made anew.
  // If that fails, what was there is put back.
  Status recreate(Target& target, const json::value& before) {
    json::object options{{"propagationPolicy", "Background"}};
    const std::int64_t grace = call_.flags.get_int("grace-period");
    if (grace >= 0) options["gracePeriodSeconds"] = grace;
    const json::value body(std::move(options));
    TRY_SERVER([[maybe_unused]] const json::value gone,
               session_.call_json("DELETE", target.resource.path(target.ns, target.name), &body));
    const Duration limit = call_.flags.get_duration("timeout");
    const TimePoint end = session_.now() + (limit == Duration::zero() ? kGoneLimit : limit);
    while (session_.get(target.resource, target.ns, target.name).ok()) {
      if (session_.now() > end) return fail("timed out waiting for the condition");
      session_.pause(std::chrono::milliseconds(200));
    }
    Status made = create(target);
    if (made.ok()) return made;
    auto restored = session_.create(target.resource, target.ns, before);
    if (restored.ok()) return made;
    return fail(
        "An error occurred force-replacing the existing object with the newly provided "
        "one:\n\n" +
        made.message() +
        "\n\nAdditionally, an error occurred attempting to restore the original "
        "object:\n\n" +
        restored.error().message);
  }

  Invocation& call_;
  Session& session_;
  WriteReport report_;
  Applied applied_;
  bool server_side_ = false;
};

}  // namespace

Command apply_command() {
  Command command{
      .name = "apply",
      .usage = "-f FILENAME",
      .summary = "Make the cluster as the files say: create what is missing, patch the rest",
      .examples =
          "  # A file, a directory, standard input\n  kubectl apply -f web.yaml\n"
          "  kubectl apply -f manifests/\n  cat web.yaml | kubectl apply -f -\n\n"
          "  # Ask the server what would happen\n"
          "  kubectl apply -f web.yaml --dry-run=server\n"};
  command.flags = file_flags() + write_flags("");
  command.flags.push_back({"server-side", 0, FlagType::kBool, "false",
                           "Let the server merge, by the owners of the fields"});
  command.flags.push_back({"force-conflicts", 0, FlagType::kBool, "false",
                           "Take over fields that others own (with --server-side)"});
  command.flags.push_back(
      {"force", 0, FlagType::kBool, "false", "Delete and create anew what cannot be patched"});
  command.flags.push_back({"validate", 0, FlagType::kString, "strict",
                           "strict, warn or ignore: what unknown fields do", "strict"});
  command.flags.push_back(
      {"overwrite", 0, FlagType::kBool, "true", "Accepted; changes of others are overwritten"});
  command.flags.push_back({"selector", 'l', FlagType::kString, "", "Only these objects"});
  command.flags.push_back({"grace-period", 0, FlagType::kInt, "-1", "With --force: as delete"});
  command.flags.push_back(
      {"timeout", 0, FlagType::kDuration, "0s", "With --force: how long to wait for its end"});
  command.flags.push_back({"prune", 0, FlagType::kBool, "false",
                           "Delete what was applied once and is not in the files now"});
  command.flags.push_back({"all", 0, FlagType::kBool, "false", "With --prune: without a selector"});
  command.flags.push_back({"prune-allowlist", 0, FlagType::kArray, "",
                           "With --prune: only GROUP/VERSION/KIND; may be repeated"});
  command.flags.push_back(record_flag());
  command.run = [](Invocation& call) { return Apply(call).run(); };
  return command;
}

namespace {

Status set_last_applied_of(Invocation& call, WriteReport& report, const Target& target) {
  TRY_SERVER(const json::value live, call.session.get(target.resource, target.ns, target.name));
  const auto had = get_last_applied(live);
  if (!had && !call.flags.is_set("create-annotation")) {
    return fail("no last-applied-configuration annotation found on resource: " + target.name +
                ", to create the annotation, run the command with --create-annotation");
  }
  const std::string text = last_applied_text(target.object);
  if (had && *had == text && call.flags.get("output").empty()) {
    call.session.io.out << "set-last-applied " << target.name << ": no changes required.\n";
    return {};
  }
  json::value patch = json::object();
  api::set_annotation(patch, kLastApplied, text);
  if (report.dry_run == DryRun::kClient) {
    json::value changed = live;
    api::set_annotation(changed, kLastApplied, text);
    return report.print(changed, "configured");
  }
  TRY_SERVER(const json::value now,
             call.session.patch(target.resource, target.ns, target.name, client::PatchType::kMerge,
                                patch, report.query()));
  return report.print(now, "configured");
}

Status run_set_last_applied(Invocation& call) {
  if (!has_files(call.flags)) return fail("must specify one of -f and -k");
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(const auto targets, file_targets(call.session, file_options(call.flags)));
  for (const Target& target : targets) {
    RETURN_IF_ERROR(set_last_applied_of(call, report, target));
  }
  return {};
}

}  // namespace

std::vector<Command> apply_more_commands() {
  Command view{.name = "apply view-last-applied",
               .usage = "(TYPE NAME | TYPE/NAME | -f FILENAME)",
               .summary = "Print what was applied last",
               .examples = "  kubectl apply view-last-applied deployment/web -o json\n"};
  view.flags = file_flags() + selector_flags();
  view.flags.push_back({"output", 'o', FlagType::kString, "yaml", "yaml or json"});
  view.run = [](Invocation& call) -> Status {
    OutputFormat format{.name = call.flags.get("output")};
    if (format.name != "yaml" && format.name != "json") {
      return usage_failure(call.command, "Unexpected -o output mode: " + format.name +
                                             ", the flag 'output' must be one of yaml|json");
    }
    ASSIGN_OR_RETURN(auto printer, make_printer(format));
    ASSIGN_OR_RETURN(auto objects,
                     fetch_objects(call.session, target_options(call.flags, call.args)));
    for (const Target& target : objects) {
      const auto text = get_last_applied(target.object);
      if (!text) return {};  // kubectl says nothing either
      const auto parsed = parse_json(*text);
      if (!parsed.ok()) return fail(parsed.status().message());
      ASSIGN_OR_RETURN(const std::string printed, printer->print(*parsed));
      call.session.io.out << printed;
    }
    return {};
  };
  Command keep{.name = "apply set-last-applied",
               .usage = "-f FILENAME",
               .summary = "Write down that the file was applied last, and change nothing else",
               .examples = "  kubectl apply set-last-applied -f web.yaml\n",
               .flags = file_flags() + write_flags("kubectl-last-applied"),
               .run = run_set_last_applied};
  keep.flags.push_back(
      {"create-annotation", 0, FlagType::kBool, "false", "Also of what was never applied"});
  return {view, keep};
}

}  // namespace coracle::kubectl
