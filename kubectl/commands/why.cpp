// why: what the scheduler decided about a pod, node by node and score by score; where it does not
// show its decisions, what the pod and its events say.
#include <fmt/format.h>

#include <ostream>

#include "api/device_claims.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/what_if.hpp"
#include "commands/why_print.hpp"
#include "describe/describe.hpp"
#include "kubectl/output.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;
constexpr const char* kDecisions = "/apis/lab.coracle.dev/v1alpha1/namespaces/";
constexpr int kAsks = 10;  // with several schedulers, one that does not lead may be asked

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

// Claims to devices that are not there keep a pod out of the scheduler's queue: nothing was
// decided.
void print_missing_claims(Invocation& call, const std::string& ns, const json::value& pod) {
  const auto claims = call.session.resource("resourceclaims");
  if (!claims.ok()) return;
  std::ostream& out = call.session.io.out;
  for (const json::value& entry : get_array(pod, "spec.resourceClaims")) {
    const std::string claim(api::device_claim_of(pod, entry));
    if (claim.empty()) {
      out << "It waits for a resourceclaim to be made from the template "
          << text_at(entry, "resourceClaimTemplateName") << ".\n";
      continue;
    }
    const auto found = call.session.get(**claims, ns, claim);
    if (!found.ok() && found.error().http == 404) {
      out << "It waits for resourceclaim " << claim << ", which is not there.\n";
    }
  }
}

Status print_events(Invocation& call, const std::string& ns, const std::string& name) {
  ASSIGN_OR_RETURN(const Resource* events, call.session.resource("events"));
  TRY_SERVER(const json::value list,
             call.session.list(
                 *events, ns,
                 {{"fieldSelector", "involvedObject.name=" + name + ",involvedObject.kind=Pod"}}));
  std::vector<json::value> told;
  for (const json::value& event : get_array(list, "items")) {
    for (const char* reason : {"Scheduled", "FailedScheduling", "Preempted", "FailedBinding",
                               "FailedResourceClaimCreation"}) {
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
  if (is_what_if(call)) return run_what_if(call);
  if (call.args.empty()) return usage_failure("why", "the name of a pod is required");
  const std::string name = pod_name(call.args.back());
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
    if (!placed) print_missing_claims(call, ns, pod);
  } else {
    print_decision(name, decision.at("status"), {.summary = summary}, out);
    if (text_at(decision, "status.result") == "FitsNowhere") {
      out << fmt::format("\n(kubectl why {} --what-if: what would make it fit)\n", name);
    }
  }
  return print_events(call, ns, name);
}

}  // namespace

Command why_command() {
  std::vector<text::FlagSpec> flags = what_if_flags();
  flags.insert(flags.begin(),
               {"summary", 0, FlagType::kBool, "false",
                "Count nodes by reason instead of listing them: for large clusters"});
  return {.name = "why",
          .usage = "(POD | -f FILENAME) [--summary] [--what-if] [CHANGES]",
          .summary = "Say why a pod is where it is, or nowhere, and what would change that",
          .examples =
              "  kubectl why web\n  kubectl why pod/web --summary\n"
              "  # What would make it fit?\n  kubectl why web --what-if\n"
              "  # Where would it go under other weights, with less, without a taint?\n"
              "  kubectl why web --weights=NodeResourcesFit=5,ImageLocality=0\n"
              "  kubectl why web --set requests.cpu=500m\n"
              "  kubectl why web --node node-2 --remove-taint only\n"
              "  # Where would the pods of a manifest go that is not applied?\n"
              "  kubectl why -f deployment.yaml\n",
          .flags = std::move(flags),
          .run = run_why};
}

}  // namespace coracle::kubectl
