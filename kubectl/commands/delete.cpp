#include <algorithm>
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr Duration kPoll = std::chrono::milliseconds(100);
constexpr Duration kPollMax = std::chrono::seconds(1);

struct Deleted {
  Target target;
  std::string uid;
};

class Delete {
 public:
  explicit Delete(Invocation& call)
      : call_(call), session_(call.session), options_(target_options(call.flags, call.args)) {
    ignore_not_found_ = call.flags.is_set("ignore-not-found");
    wait_ = call.flags.get("wait") != "false";
  }

  Status run() {
    if (!call_.flags.get("raw").empty()) return raw();
    RETURN_IF_ERROR(read_flags());
    if (options_.args.empty() && options_.files.empty()) {
      return fail(
          "You must provide one or more resources by argument or filename.\n"
          "Example resource specifications include:\n   '-f rsrc.yaml'\n   "
          "'--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'");
    }
    if (options_.all || !options_.label_selector.empty()) {
      ignore_not_found_ = ignore_not_found_ || !call_.flags.has("ignore-not-found");
    }
    ASSIGN_OR_RETURN(auto targets, find_each_target(session_, options_));
    const bool outside = std::any_of(targets.begin(), targets.end(), [](const Target& target) {
      return target.failure.ok() && !target.resource.namespaced;
    });
    if (outside && session_.has_explicit_namespace()) {
      session_.warn(
          "Warning: deleting cluster-scoped resources, not scoped to the provided namespace");
    }
    if (grace_ == 0 && call_.flags.is_set("force")) {
      session_.warn(
          "Warning: Immediate deletion does not wait for confirmation that the running "
          "resource has been terminated. The resource may continue to run on the "
          "cluster indefinitely.");
    }
    std::vector<Status> failures;
    for (Target& target : targets) {
      if (target.failure.ok()) {
        remove(target, failures);
      } else {
        failures.push_back(target.failure);
      }
    }
    if (wait_ && dry_run_ == DryRun::kNone) {
      for (const Deleted& deleted : deleted_) {
        if (Status status = wait_gone(deleted); !status.ok()) failures.push_back(status);
      }
    }
    if (found_ == 0 && failures.empty() && !call_.flags.has("ignore-not-found") &&
        options_.files.empty()) {
      session_.io.out << "No resources found\n";
    }
    return join_failures(failures);
  }

 private:
  Status raw() {
    auto answer = session_.call({.method = "DELETE", .target = call_.flags.get("raw")});
    if (!answer.ok()) return server_failure(answer.error());
    session_.io.out << answer.value().body;
    return {};
  }

  Status read_flags() {
    ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call_));
    dry_run_ = report.dry_run;
    name_only_ = call_.flags.get("output") == "name";
    const std::string output = call_.flags.get("output");
    if (!output.empty() && !name_only_) {
      return usage_failure("delete",
                           "unexpected -o output mode: " + output + ". We only support '-o name'");
    }
    grace_ = call_.flags.get_int("grace-period");
    if (call_.flags.is_set("now")) {
      if (call_.flags.has("grace-period")) {
        return fail("--now and --grace-period cannot be specified together");
      }
      grace_ = 1;
    }
    if (call_.flags.is_set("force")) {
      if (grace_ > 0) {
        return fail("--force and --grace-period greater than 0 cannot be specified together");
      }
      grace_ = 0;
      if (!call_.flags.has("wait")) wait_ = false;
    } else if (grace_ == 0) {
      grace_ = 1;  // kubectl: zero needs --force
    }
    const std::string cascade = call_.flags.get("cascade");
    if (cascade == "background" || cascade == "true") {
      policy_ = "Background";
    } else if (cascade == "orphan" || cascade == "false") {
      policy_ = "Orphan";
    } else if (cascade == "foreground") {
      policy_ = "Foreground";
    } else {
      return fail("invalid cascade value (" + cascade +
                  "). Must be \"background\", \"foreground\", or \"orphan\"");
    }
    return {};
  }

  void remove(Target& target, std::vector<Status>& failures) {
    if (!target.name.empty()) {
      keep(delete_one(target), failures);
      return;
    }
    client::QueryList query;
    if (!options_.field_selector.empty()) {
      query.emplace_back("fieldSelector", options_.field_selector);
    }
    if (!options_.label_selector.empty()) {
      query.emplace_back("labelSelector", options_.label_selector);
    }
    auto list = session_.list(target.resource, target.ns, query);
    if (!list.ok()) {
      failures.push_back(server_failure(list.error()));
      return;
    }
    for (const json::value& item : get_array(list.value(), "items")) {
      Target one{target.resource,
                 std::string(api::namespace_of(item)),
                 std::string(api::name_of(item)),
                 {},
                 item};
      keep(delete_one(one), failures);
    }
  }

  static void keep(Status status, std::vector<Status>& failures) {
    if (!status.ok()) failures.push_back(std::move(status));
  }

  Status delete_one(const Target& target) {
    ++found_;
    if (dry_run_ == DryRun::kClient) {
      auto there = session_.get(target.resource, target.ns, target.name);
      if (!there.ok()) return not_deleted(there.error());
      print(target);
      return {};
    }
    json::object body;
    body["kind"] = "DeleteOptions";
    body["apiVersion"] = "v1";
    if (grace_ >= 0) body["gracePeriodSeconds"] = grace_;
    body["propagationPolicy"] = policy_;
    if (dry_run_ == DryRun::kServer) {
      json::array all;
      all.emplace_back("All");
      body["dryRun"] = std::move(all);
    }
    const json::value options(std::move(body));
    auto answer =
        session_.call_json("DELETE", target.resource.path(target.ns, target.name), &options);
    if (!answer.ok()) return not_deleted(answer.error());
    print(target);
    std::string uid(get_string(answer.value(), "metadata.uid"));
    if (uid.empty()) uid = get_string(answer.value(), "details.uid");
    deleted_.push_back({target, std::move(uid)});
    return {};
  }

  Status not_deleted(const client::ApiError& error) {
    if (error.is_not_found() && ignore_not_found_) return {};
    return server_failure(error);
  }

  void print(const Target& target) {
    json::object object;
    std::string kind = to_lower(target.resource.kind);
    if (!target.resource.group.empty()) kind += "." + target.resource.group;
    if (name_only_) {
      session_.io.out << kind << "/" << target.name << "\n" << std::flush;
      return;
    }
    session_.io.out << kind << " " << quoted(target.name)
                    << (grace_ == 0 && call_.flags.is_set("force") ? " force deleted" : " deleted")
                    << (dry_run_ == DryRun::kClient   ? " (dry run)"
                        : dry_run_ == DryRun::kServer ? " (server dry run)"
                                                      : "")
                    << "\n"
                    << std::flush;
  }

  Status wait_gone(const Deleted& deleted) {
    const Duration timeout = call_.flags.get_duration("timeout");
    const TimePoint start = session_.now();
    Duration pause = kPoll;
    for (;;) {
      auto answer = session_.get(deleted.target.resource, deleted.target.ns, deleted.target.name);
      if (!answer.ok()) {
        if (answer.error().is_not_found() || answer.error().is_forbidden()) return {};
        return server_failure(answer.error());
      }
      if (!deleted.uid.empty() && api::uid_of(answer.value()) != deleted.uid) return {};
      if (timeout > Duration::zero() && session_.now() - start > timeout) {
        return fail("timed out waiting for the condition on " + deleted.target.resource.plural +
                    "/" + deleted.target.name);
      }
      session_.pause(pause);
      pause = std::min(pause * 3 / 2, kPollMax);
    }
  }

  Invocation& call_;
  Session& session_;
  TargetOptions options_;
  DryRun dry_run_ = DryRun::kNone;
  bool ignore_not_found_ = false, wait_ = true, name_only_ = false;
  std::int64_t grace_ = -1;
  std::string policy_;
  std::vector<Deleted> deleted_;
  int found_ = 0;
};

}  // namespace

Command delete_command() {
  Command command{.name = "delete",
                  .usage = "(-f FILENAME | TYPE (NAME ... | -l LABEL | --all))",
                  .summary = "Delete resources by file, name, selector, or all of a type",
                  .examples =
                      "  kubectl delete -f web.yaml\n  kubectl delete pod,service web\n"
                      "  kubectl delete pods -l app=web\n"
                      "  kubectl delete pod stuck --force\n"};
  command.flags = file_flags() + selector_flags() + write_flags("");
  command.flags.push_back({"cascade", 0, FlagType::kString, "background",
                           "background, foreground or orphan: what happens to dependents",
                           "background"});
  command.flags.push_back(
      {"grace-period", 0, FlagType::kInt, "-1", "Seconds to end in; negative: the default"});
  command.flags.push_back({"force", 0, FlagType::kBool, "false", "Do not wait for the node"});
  command.flags.push_back({"now", 0, FlagType::kBool, "false", "As --grace-period=1"});
  command.flags.push_back(
      {"ignore-not-found", 0, FlagType::kBool, "false", "What is not there is no failure"});
  command.flags.push_back({"wait", 0, FlagType::kBool, "true", "Return when all are gone"});
  command.flags.push_back(
      {"timeout", 0, FlagType::kDuration, "0s", "How long to wait; 0: for the grace periods"});
  command.flags.push_back({"raw", 0, FlagType::kString, "", "DELETE this path"});
  command.flags.push_back({"interactive", 'i', FlagType::kBool, "false", "Not supported"});
  command.run = [](Invocation& call) { return Delete(call).run(); };
  return command;
}

}  // namespace coracle::kubectl
