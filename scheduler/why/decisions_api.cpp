#include "why/decisions_api.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "why/decision_object.hpp"

namespace coracle::scheduler {
namespace {

DecisionsAnswer failure(int code, std::string_view reason, const std::string& message) {
  return {code, json::object{{"kind", "Status"},
                             {"apiVersion", "v1"},
                             {"metadata", json::object()},
                             {"status", "Failure"},
                             {"message", message},
                             {"reason", reason},
                             {"code", code}}};
}

DecisionsAnswer resources() {
  const json::object decisions{{"name", "schedulingdecisions"},
                               {"singularName", "schedulingdecision"},
                               {"namespaced", true},
                               {"kind", "SchedulingDecision"},
                               {"verbs", json::array{"get", "list"}},
                               {"shortNames", json::array{"why"}}};
  const json::object reviews{{"name", "schedulingreviews"},
                             {"singularName", "schedulingreview"},
                             {"namespaced", true},
                             {"kind", "SchedulingReview"},
                             {"verbs", json::array{"create"}}};
  return {200, json::object{{"kind", "APIResourceList"},
                            {"apiVersion", "v1"},
                            {"groupVersion", kDecisionVersion},
                            {"resources", json::array{decisions, reviews}}}};
}

DecisionsAnswer list(std::string_view ns, const DecisionLog& log) {
  json::array items;
  std::uint64_t newest = 0;
  for (const DecisionLog::Ptr& kept : log.all()) {
    newest = kept->number;
    if (ns.empty() || kept->decision.pod->ns == ns) items.push_back(decision_object(*kept, false));
  }
  return {200, json::object{{"kind", "SchedulingDecisionList"},
                            {"apiVersion", kDecisionVersion},
                            {"metadata", json::object{{"resourceVersion", std::to_string(newest)}}},
                            {"items", std::move(items)}}};
}

}  // namespace

DecisionsAnswer bad_request(const std::string& message) {
  return failure(400, "BadRequest", message);
}

DecisionsAnswer not_leading() {
  return failure(503, "ServiceUnavailable",
                 "this scheduler does not lead: it has decided nothing; ask again");
}

DecisionsAnswer answer_decisions(std::string_view method, std::string_view path, bool selects,
                                 const DecisionLog& log, bool leads) {
  const std::string root = std::string("/apis/") + kDecisionVersion;
  const DecisionsAnswer unknown =
      failure(404, "NotFound", "the server could not find the requested resource");
  if (path != root && !path.starts_with(root + "/")) return unknown;
  if (method != "GET") {
    return failure(405, "MethodNotAllowed",
                   "the server does not allow this method on the requested resource");
  }
  if (path == root) return resources();
  const auto parts = split(std::string(path.substr(root.size() + 1)), '/');
  const bool everywhere = parts.size() == 1 && parts[0] == "schedulingdecisions";
  const bool in_namespace = parts.size() >= 3 && parts.size() <= 4 && parts[0] == "namespaces" &&
                            parts[2] == "schedulingdecisions";
  if (!everywhere && !in_namespace) return unknown;
  if (!leads) {
    return not_leading();
  }
  if (selects) {
    return bad_request("schedulingdecisions are not selected by label or field");
  }
  if (parts.size() < 4) return list(everywhere ? "" : parts[1], log);
  const DecisionLog::Ptr kept = log.find(parts[1] + "/" + parts[3]);
  if (kept != nullptr) return {200, decision_object(*kept, true)};
  return failure(404, "NotFound",
                 fmt::format("schedulingdecisions.{} \"{}\" not found", kDecisionGroup, parts[3]));
}

}  // namespace coracle::scheduler
