#include "commands/create.hpp"

#include <ostream>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/editing.hpp"
#include "commands/last_applied.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

Status create_one(Invocation& call, WriteReport& report, Target& target) {
  if (call.flags.is_set("edit")) {
    ASSIGN_OR_RETURN(auto edited, edit_object(target.object));
    if (!edited) {
      call.session.io.out << "Edit cancelled, no changes made.\n";
      return {};
    }
    target.object = std::move(*edited);
  }
  report.record(target.object);
  if (call.flags.is_set("save-config")) set_last_applied(target.object);
  if (report.dry_run == DryRun::kClient) return report.print(target.object, "created");
  client::QueryList query = report.query();
  const std::string validate = call.flags.get("validate");
  query.emplace_back("fieldValidation", field_validation(validate));
  auto answer = call.session.create(target.resource, target.ns, target.object, query);
  if (!answer.ok()) return server_failure(answer.error(), "creating", target.source);
  return report.print(answer.value(), "created");
}

Status run_create(Invocation& call) {
  if (!call.flags.get("raw").empty()) {
    if (call.flags.is_set("edit")) return fail("--raw and --edit are mutually exclusive");
    return send_raw(call, "POST");
  }
  if (!call.args.empty()) {
    return usage_failure("create", "Unexpected args: [" + join(call.args, " ") + "]");
  }
  if (!has_files(call.flags)) {
    return fail("must specify one of -f and -k");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(auto targets, each_file_target(call.session, file_options(call.flags)));
  std::vector<Status> failures;
  for (Target& target : targets) {
    Status status = !target.failure.ok() ? target.failure : create_one(call, report, target);
    if (!status.ok()) failures.push_back(std::move(status));
  }
  return join_failures(failures);
}

// What the command line makes is all built in.
bool is_namespaced(const json::value& object) {
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(object);
  return info == nullptr || info->namespaced;
}

// The empty creation times are for people to see; a server need not keep them.
void drop_nulls(json::value& value) {
  if (json::array* array = value.if_array()) {
    for (json::value& item : *array) drop_nulls(item);
  }
  json::object* object = value.if_object();
  if (!object) return;
  std::vector<std::string> nulls;
  for (auto& [key, member] : *object) {
    if (member.is_null()) {
      nulls.emplace_back(key);
    } else {
      drop_nulls(member);
    }
  }
  for (const std::string& key : nulls) erase_key(*object, key);
}

}  // namespace

Status send_raw(Invocation& call, const std::string& method) {
  const auto files = call.flags.list("filename");
  if (files.size() != 1) return fail("--raw can only use a single local file or stdin");
  std::string body;
  if (files[0] == "-") {
    body.assign(std::istreambuf_iterator<char>(call.session.io.in), {});
  } else {
    ASSIGN_OR_RETURN(body, read_file(files[0]));
  }
  client::ApiRequest request{.method = method, .target = call.flags.get("raw"), .body = body};
  auto answer = call.session.call(std::move(request));
  if (!answer.ok()) return server_failure(answer.error());
  call.session.io.out << answer.value().body;
  return {};
}

std::string field_validation(const std::string& validate) {
  if (validate == "false" || validate == "ignore") return "Ignore";
  if (validate == "warn") return "Warn";
  return "Strict";
}

Status create_object(Invocation& call, json::value object, const std::string& failure) {
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  return create_object(call, report, std::move(object), failure);
}

Status create_object(Invocation& call, WriteReport& report, json::value object,
                     const std::string& failure, const std::string& done) {
  report.record(object);
  if (call.flags.is_set("save-config")) set_last_applied(object);
  if (report.dry_run == DryRun::kClient) {
    if (call.session.has_explicit_namespace() && is_namespaced(object)) {
      set_path(object, "metadata.namespace", json::value(call.session.namespace_name()));
    }
    return report.print(object, done);
  }
  ASSIGN_OR_RETURN(const Discovery* discovery, call.session.discovery());
  const Resource* resource =
      discovery->find_kind(api::api_version_of(object), api::kind_of(object));
  if (!resource) {
    return fail("no matches for kind " + quoted(api::kind_of(object)) + " in version " +
                quoted(api::api_version_of(object)));
  }
  const std::string ns = resource->namespaced ? call.session.namespace_name() : "";
  if (!ns.empty()) set_path(object, "metadata.namespace", json::value(ns));
  client::QueryList query = report.query();
  query.emplace_back("fieldValidation", field_validation(call.flags.get("validate")));
  drop_nulls(object);
  auto answer = call.session.create(*resource, ns, object, query);
  if (!answer.ok()) {
    const client::ApiError& error = answer.error();
    if (failure.empty() || error.no_answer()) return server_failure(error);
    return fail(failure + ": " + error.message);
  }
  return report.print(answer.value(), done);
}

json::value new_object(const std::string& api_version, const std::string& kind,
                       const std::string& name) {
  json::object object;
  object["apiVersion"] = api_version;
  object["kind"] = kind;
  json::object metadata;
  metadata["creationTimestamp"] = nullptr;
  metadata["name"] = name;
  object["metadata"] = std::move(metadata);
  return json::value(std::move(object));
}

Result<std::string> exact_name(const Invocation& call) {
  const size_t count = call.flags.dash_args.value_or(call.args.size());
  if (count != 1) {
    return usage_failure(call.command,
                         "exactly one NAME is required, got " + std::to_string(count));
  }
  return call.args[0];
}

std::vector<text::FlagSpec> create_flags(const std::string& field_manager) {
  std::vector<text::FlagSpec> out = write_flags(field_manager);
  out.push_back({"validate", 0, text::FlagType::kString, "strict",
                 "strict, warn or ignore: what unknown fields do", "strict"});
  out.push_back({"save-config", 0, text::FlagType::kBool, "false",
                 "Keep the configuration in the object, for apply"});
  return out;
}

Command create_command() {
  Command command{.name = "create",
                  .usage = "-f FILENAME",
                  .summary = "Create a resource from a file, or by a subcommand",
                  .examples =
                      "  # What the file says\n  kubectl create -f pod.yaml\n\n"
                      "  # What standard input says\n  cat pod.json | kubectl create -f -\n"};
  command.flags = file_flags() + create_flags();
  command.flags.push_back({"raw", 0, text::FlagType::kString, "", "POST the file to this path"});
  command.flags.push_back({"selector", 'l', text::FlagType::kString, "", "Only these objects"});
  command.flags.push_back(
      {"edit", 0, text::FlagType::kBool, "false", "First change each object in your editor"});
  command.flags.push_back(record_flag());
  command.run = run_create;
  return command;
}

}  // namespace coracle::kubectl
