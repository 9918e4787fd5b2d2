// certificate approve, certificate deny
#include <ostream>

#include "api/object.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr int kRetries = 10;

struct Verdict {
  const char *type, *other, *reason, *message, *done;
};

constexpr Verdict kApprove = {"Approved", "Denied", "KubectlApprove",
                              "This CSR was approved by kubectl certificate approve.", "approved"};
constexpr Verdict kDeny = {"Denied", "Approved", "KubectlDeny",
                           "This CSR was denied by kubectl certificate deny.", "denied"};

Status judge(Invocation& call, WriteReport& report, const Target& target, const Verdict& verdict) {
  if (target.resource.kind != "CertificateSigningRequest") {
    return fail("can only handle CertificateSigningRequest.certificates.k8s.io objects, got " +
                target.resource.kind);
  }
  json::value request = target.object;
  for (int attempt = 0;; ++attempt) {
    bool there = false;
    for (const json::value& condition : get_array(request, "status.conditions")) {
      const std::string_view type = get_string(condition, "type");
      if (type == verdict.other) {
        return fail("certificate signing request " + quoted(target.name) + " is already " +
                    std::string(type));
      }
      there = there || type == verdict.type;
    }
    if (there && !call.flags.is_set("force")) break;
    if (!there) {
      json::object condition;
      condition["type"] = verdict.type;
      condition["status"] = "True";
      condition["reason"] = verdict.reason;
      condition["message"] = verdict.message;
      condition["lastUpdateTime"] = format_time(call.session.wall_now());
      json::value& list = make_object(request, "status")["conditions"];
      if (!list.is_array()) list.emplace_array();
      list.as_array().push_back(std::move(condition));
    }
    auto answer =
        call.session.call_json("PUT", target.resource.path("", target.name, "approval"), &request);
    if (answer.ok()) break;
    if (!answer.error().is_conflict() || attempt >= kRetries) return server_failure(answer.error());
    TRY_SERVER(request, call.session.get(target.resource, "", target.name));
  }
  return report.print(target.object, verdict.done);
}

Status run_certificate(Invocation& call, const Verdict& verdict) {
  TargetOptions options = target_options(call.flags, call.args);
  if (options.args.empty() && options.files.empty()) {
    return fail("one or more CSRs must be specified as <name> or -f <filename>");
  }
  if (!options.args.empty()) {
    options.args.insert(options.args.begin(), "certificatesigningrequests.certificates.k8s.io");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options,
                       [&](Target& target) { return judge(call, report, target, verdict); });
}

Command verdict_command(const char* name, const char* summary, const Verdict& verdict) {
  Command out{.name = std::string("certificate ") + name,
              .usage = "(-f FILENAME | NAME)",
              .summary = summary,
              .examples = std::string("  kubectl certificate ") + name + " request-1\n",
              .flags = file_flags() + write_flags(""),
              .run = [&verdict](Invocation& call) { return run_certificate(call, verdict); }};
  out.flags.push_back({"force", 0, FlagType::kBool, "false", "Even if it was done before"});
  return out;
}

}  // namespace

std::vector<Command> certificate_commands() {
  return {
      {.name = "certificate", .usage = "SUBCOMMAND", .summary = "Judge requests for certificates"},
      verdict_command("approve", "Approve a request for a certificate", kApprove),
      verdict_command("deny", "Deny a request for a certificate", kDeny)};
}

}  // namespace coracle::kubectl
