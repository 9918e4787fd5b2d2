// The audit log.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

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
  const json::value object = *parse_json(request.body);
  record.object = &object;
  log.record(record);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        R"({"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":)"
        R"("id-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods","verb":)"
        R"("create","user":{"username":"kit","groups":["ops"]},"sourceIPs":["127.0.0.1"],)"
        R"("objectRef":{"resource":"pods","namespace":"a","apiVersion":"v1","name":"p"},)"
        R"("requestReceivedTimestamp":"1970-01-01T00:00:00.000000Z","stageTimestamp":)"
        R"("1970-01-01T00:00:01.000000Z","responseStatus":{"metadata":{},"code":201},)"
        R"("requestObject":{"metadata":{"name":"p"}},"responseObject":{"kind":"Pod"}})"
        "\n");
}

TEST_CASE("a rule for pods/* is for pods too") {
  const auto policy = AuditPolicy::parse(
      "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Request, resources: [{group: "
      "'', "
      "resources: ['pods/*']}]}]}");
  REQUIRE(policy.ok());
  for (const auto& [target, level] :
       {std::pair{"/api/v1/namespaces/a/pods/x", AuditLevel::kRequest},
        {"/api/v1/namespaces/a/pods/x/log", AuditLevel::kRequest},
        {"/api/v1/namespaces/a/services/x", AuditLevel::kNone}}) {
    const RequestInfo info = parse_request_info(a_request("GET", target));
    CHECK(policy->decide(a_user("kit"), info).level == level);
  }
}

// A whole server that keeps a log.
struct AuditedWorld {
  std::vector<json::value> lines;
  ApiWorld w;

  explicit AuditedWorld(const std::string& policy) {
    w.audit = std::make_shared<const AuditLog>(
        *AuditPolicy::parse(policy),
        [this](const std::string& line) { lines.push_back(*parse_json(line)); });
    w.restart();
    lines.clear();
  }
  std::string stages() const {
    std::string out;
    for (const json::value& line : lines) out += std::string(get_string(line, "stage")) + " ";
    return out;
  }
};

const char* const kAll =
    "{apiVersion: audit.k8s.io/v1, kind: Policy, omitManagedFields: true, rules: [{level: "
    "RequestResponse}]}";

TEST_CASE("who asked and as whom, what and what came of it") {
  AuditedWorld a(kAll);
  const auto made =
      a.w.call("POST", kMaps, a_config_map("x", R"({"k":"v"})"),
               {{"Impersonate-User", "kit"}, {"Impersonate-Group", "system:masters"}});
  REQUIRE(made->status == 201);
  REQUIRE(a.stages() == "RequestReceived ResponseComplete ");
  const json::value& line = a.lines[1];
  CHECK(get_string(line, "user.username") == "admin");
  CHECK(get_string(line, "impersonatedUser.username") == "kit");
  CHECK(get_string(line, "objectRef.name") == "x");
  CHECK(get_string(line, "requestObject.data.k") == "v");
  CHECK(get_string(line, "responseObject.metadata.name") == "x");
  CHECK(find(line, "responseObject.metadata.managedFields") == nullptr);
  CHECK(find(a.w.tree(made), "metadata.managedFields") != nullptr);
  CHECK(get_object(line, "annotations").at("authorization.k8s.io/decision") == "allow");
  CHECK(get_int(line, "responseStatus.code") == 201);
}

TEST_CASE("a refused request is in the log, with the reason") {
  AuditedWorld a(kAll);
  CHECK(a.w.call("GET", kMaps, "", {{"Impersonate-User", "nobody"}})->status == 403);
  REQUIRE(a.lines.size() == 2);
  CHECK(get_object(a.lines[1], "annotations").at("authorization.k8s.io/decision") == "forbid");
  CHECK(get_string(a.lines[1], "responseStatus.reason") == "Forbidden");
}

TEST_CASE("a watch starts, and later ends") {
  AuditedWorld a(kAll);
  auto watch = a.w.call("GET", std::string(kMaps) + "?watch=1&timeoutSeconds=30");
  CHECK(a.stages() == "RequestReceived ResponseStarted ");
  a.w.executor.advance(std::chrono::seconds(31));
  CHECK(watch->ended);
  CHECK(a.stages() == "RequestReceived ResponseStarted ResponseComplete ");
  CHECK(get_string(a.lines[0], "auditID") == get_string(a.lines[2], "auditID"));
  CHECK(get_string(a.lines[0], "stageTimestamp") != get_string(a.lines[2], "stageTimestamp"));
}

}  // namespace
}  // namespace coracle::apiserver
