// The audit log.
#include <catch2/catch.hpp>

#include "apiserver/chain/audit.hpp"

namespace coracle::apiserver {
namespace {

UserInfo a_user(const std::string& name, std::vector<std::string> groups = {}) {
  UserInfo user;
  user.name = name;
  user.groups = std::move(groups);
  return user;
}

net::Request a_request(const std::string& method, const std::string& target) {
  net::Request request;
  request.method = method;
  request.target = target;
  request.path = target.substr(0, target.find('?'));
  request.peer.address = "127.0.0.1";
  return request;
}

const char* const kPolicy = R"(
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, users: ["system:kube-proxy"], verbs: [watch], resources: [{group: "", resources: [services, "pods/*"]}]}
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: RequestResponse, namespaces: [a], verbs: [create]}
- {level: Request, userGroups: [ops]}
- {level: Metadata, nonResourceURLs: ["/healthz*"]}
)";

TEST_CASE("the first rule that fits says how much is logged") {
  const auto policy = AuditPolicy::parse(kPolicy);
  REQUIRE(policy.ok());
  struct Case {
    std::string user, method, target;
    AuditLevel want;
  };
  const auto c = GENERATE(values<Case>({
      {"system:kube-proxy", "GET", "/api/v1/services?watch=1", AuditLevel::kNone},
      {"kit", "GET", "/api/v1/namespaces/a/secrets/s", AuditLevel::kMetadata},
      {"kit", "POST", "/api/v1/namespaces/a/secrets", AuditLevel::kMetadata},
      {"kit", "POST", "/api/v1/namespaces/a/pods", AuditLevel::kRequestResponse},
      {"kit", "POST", "/api/v1/namespaces/b/pods", AuditLevel::kRequest},
      {"eve", "POST", "/api/v1/namespaces/b/pods", AuditLevel::kNone},
      {"eve", "GET", "/healthz/ping", AuditLevel::kMetadata},
      {"eve", "GET", "/version", AuditLevel::kNone},
  }));
  CAPTURE(c.user, c.target);
  net::Request request = a_request(c.method, c.target);
  request.query =
      net::Query::parse(c.target.substr(std::min(c.target.size(), c.target.find('?') + 1)));
  const RequestInfo info = parse_request_info(request);
  const UserInfo user = a_user(
      c.user, c.user == "kit" ? std::vector<std::string>{"ops"} : std::vector<std::string>());
  CHECK(policy->decide(user, info).level == c.want);
}

TEST_CASE("a policy that is none is refused with the reason") {
  CHECK(AuditPolicy::parse("kind: Pod").status().message() == "not a Policy of audit.k8s.io/v1");
  CHECK(AuditPolicy::parse("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: All}]}")
            .status()
            .message() ==
        "rules: level \"All\": supported values: \"None\", \"Metadata\", \"Request\", "
        "\"RequestResponse\"");
  CHECK_FALSE(AuditPolicy::parse("{apiVersion: audit.k8s.io/v1, kind: Policy}").ok());
}

TEST_CASE("a stage is one line") {
  std::vector<std::string> lines;
  const AuditLog log(*AuditPolicy::parse(kPolicy),
                     [&](const std::string& line) { lines.push_back(line); });
  net::Request request = a_request("POST", "/api/v1/namespaces/a/pods");
  request.body = R"({"metadata":{"name":"p"}})";
  const RequestInfo info = parse_request_info(request);
  const UserInfo user = a_user("kit", {"ops"});
  const json::value answer = *parse_json(R"({"kind":"Pod"})");
  AuditRecord record{"id-1", request, info, user, WallTime{}, WallTime{std::chrono::seconds(1)}};
  record.code = 201;
  record.response = &answer;
  log.record(record);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        R"({"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":)"
        R"("id-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods","verb":)"
        R"("create","user":{"username":"kit","groups":["ops"]},"sourceIPs":["127.0.0.1"],)"
        R"("objectRef":{"resource":"pods","namespace":"a","apiVersion":"v1"},)"
        R"("requestReceivedTimestamp":"1970-01-01T00:00:00.000000Z","stageTimestamp":)"
        R"("1970-01-01T00:00:01.000000Z","responseStatus":{"metadata":{},"code":201},)"
        R"("requestObject":{"metadata":{"name":"p"}},"responseObject":{"kind":"Pod"}})"
        "\n");
}

}  // namespace
}  // namespace coracle::apiserver
