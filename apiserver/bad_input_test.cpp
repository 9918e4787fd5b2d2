// What clients get wrong, and exactly what they hear.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

struct Case {
  std::string name, method, target, type, body;
  int code;
  std::string reason, message;
};

const char* const kFixed = "/api/v1/namespaces/a/configmaps/fixed";
const char* const kStrategic = "application/strategic-merge-patch+json";
const char* const kDeployments = "/apis/apps/v1/namespaces/a/deployments";

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"broken JSON", "POST", kMaps, "application/json", R"({"metadata":)", 400, "BadRequest",
       "*couldn't get version/kind; json parse error:*"},
      {"broken YAML", "POST", kMaps, "application/yaml", "metadata:\n  name: x\n bad", 400,
       "BadRequest", "*yaml: line 3*"},
      {"unknown resource", "GET", "/api/v1/namespaces/a/nosuch", "", "", 404, "NotFound",
       "the server could not find the requested resource"},
      {"what no namespace has", "GET", "/api/v1/namespaces/a/nodes", "", "", 404, "NotFound",
       "the server could not find the requested resource"},
      {"a namespace inside one", "GET", "/api/v1/namespaces/a/namespaces", "", "", 404, "NotFound",
       "the server could not find the requested resource"},
      {"another kind", "POST", kPods, "application/json",
       R"({"kind":"ConfigMap","apiVersion":"v1"})", 400, "BadRequest",
       "*cannot be handled as a Pod*"},
      {"mistyped field", "POST", kDeployments, "application/json",
       R"({"metadata":{"name":"d"},"spec":{"replicas":"three"}})", 400, "BadRequest",
       "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal "
       "string into Go struct field DeploymentSpec.spec.replicas of type int32"},
      {"unknown field, strict", "POST", "/api/v1/namespaces/a/configmaps?fieldValidation=Strict",
       "application/json", R"({"metadata":{"name":"m"},"foo":1,"data":{"a":"1","a":"2"}})", 400,
       "BadRequest",
       "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
       "unknown field \"foo\", duplicate field \"data.a\""},
      {"repeated keys of YAML, strict", "POST",
       "/api/v1/namespaces/a/configmaps?fieldValidation=Strict", "application/yaml",
       "metadata: {name: m}\nfoo: 1\ndata:\n  a: x\n  a: y\ndata: {}\n", 400, "BadRequest",
       "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
       "yaml: unmarshal errors:\n  line 5: key \"a\" already set in map\n  line 6: key \"data\" "
       "already set in map, unknown field \"foo\""},
      {"repeated keys of an apply, strict", "PATCH",
       "/api/v1/namespaces/a/configmaps/m?fieldManager=x&fieldValidation=Strict",
       "application/apply-patch+yaml",
       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  a: x\n  a: y\n", 400,
       "BadRequest",
       "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  "
       "line 6: key \"a\" already set in map"},
      {"invalid name", "POST", kMaps, "application/json", R"({"metadata":{"name":"Bad_Name"}})",
       422, "Invalid",
       "ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": a lowercase "
       "RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
       "must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
       "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
      {"no name", "POST", kMaps, "application/json", "{}", 422, "Invalid",
       "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
       "required"},
      {"missing field", "POST", kPods, "application/json",
       R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}})", 422, "Invalid",
       "Pod \"p\" is invalid: spec.containers[0].image: Required value"},
      {"immutable field", "PUT", "/api/v1/namespaces/a/configmaps/fixed", "application/json",
       R"({"metadata":{"name":"fixed"},"immutable":true,"data":{"a":"2"}})", 422, "Invalid",
       "ConfigMap \"fixed\" is invalid: data: Forbidden: field is immutable when `immutable` is "
       "set"},
      {"stale version", "PUT", "/api/v1/namespaces/a/configmaps/fixed", "application/json",
       R"({"metadata":{"name":"fixed","resourceVersion":"1"}})", 409, "Conflict",
       "Operation cannot be fulfilled on configmaps \"fixed\": the object has been modified; "
       "please "
       "apply your changes to the latest version and try again"},
      {"another uid", "PUT", "/api/v1/namespaces/a/configmaps/fixed", "application/json",
       R"({"metadata":{"name":"fixed","uid":"x"}})", 409, "Conflict",
       "*Precondition failed: UID in precondition: x, UID in object meta: *"},
      {"name clash", "PUT", "/api/v1/namespaces/a/configmaps/fixed", "application/json",
       R"({"metadata":{"name":"other"}})", 400, "BadRequest",
       "the name of the object (other) does not match the name on the URL (fixed)"},
      {"namespace clash", "POST", kMaps, "application/json",
       R"({"metadata":{"name":"m","namespace":"b"}})", 400, "BadRequest",
       "the namespace of the provided object does not match the namespace sent on the request"},
      {"already there", "POST", kMaps, "application/json", R"({"metadata":{"name":"fixed"}})", 409,
       "AlreadyExists", "configmaps \"fixed\" already exists"},
      {"no such namespace", "POST", "/api/v1/namespaces/none/configmaps", "application/json",
       R"({"metadata":{"name":"m"}})", 404, "NotFound", "namespaces \"none\" not found"},
      {"no such object", "GET", "/apis/apps/v1/namespaces/a/deployments/x", "", "", 404, "NotFound",
       "deployments.apps \"x\" not found"},
      {"version on create", "POST", kMaps, "application/json",
       R"({"metadata":{"name":"m","resourceVersion":"5"}})", 500, "",
       "resourceVersion should not be set on objects to be created"},
      {"no service account", "POST", kPods, "application/json",
       R"({"metadata":{"name":"p"},"spec":{"serviceAccountName":"none","containers":[]}})", 403,
       "Forbidden",
       "pods \"p\" is forbidden: error looking up service account a/none: serviceaccount \"none\" "
       "not found"},
      {"no priority class", "POST", kPods, "application/json",
       R"({"metadata":{"name":"p"},"spec":{"priorityClassName":"none","containers":[]}})", 403,
       "Forbidden", "pods \"p\" is forbidden: no PriorityClass with name none was found"},
      {"bad label selector", "GET", "/api/v1/pods?labelSelector=a%20b", "", "", 400, "BadRequest",
       "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"bad field selector", "GET", "/api/v1/pods?fieldSelector=x", "", "", 400, "BadRequest",
       "invalid selector: 'x'; can't understand 'x'"},
      {"unknown selectable field", "GET", "/api/v1/pods?fieldSelector=x%3Dy", "", "", 400,
       "BadRequest", "field label not supported: x"},
      {"no number in limit", "GET", "/api/v1/pods?limit=x", "", "", 400, "BadRequest",
       "strconv.ParseInt: parsing \"x\": invalid syntax"},
      {"garbage continue", "GET", "/api/v1/pods?limit=1&continue=xyz", "", "", 400, "BadRequest",
       "continue key is not valid"},
      {"exact of any", "GET", "/api/v1/pods?resourceVersion=0&resourceVersionMatch=Exact", "", "",
       422, "Invalid", "*resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""},
      {"future version", "GET", "/api/v1/pods?resourceVersion=100000", "", "", 504, "Timeout",
       "*Too large resource version: 100000, current: *"},
      {"a text for a map", "PATCH", kFixed, kStrategic, R"({"metadata":{"labels":"x"}})", 422,
       "Invalid",
       "*Invalid value: \"map[metadata:map[labels:x]]\": cannot restore map from string"},
      {"a list for a struct", "PATCH", kFixed, kStrategic, R"({"metadata":[1]})", 422, "Invalid",
       "*: cannot restore struct from: slice"},
      {"a map for a list", "PATCH", kFixed, kStrategic, R"({"metadata":{"finalizers":{}}})", 422,
       "Invalid", "*: cannot restore slice from map"},
      {"a number for a text", "PATCH", kFixed, kStrategic, R"({"data":{"a":5}})", 422, "Invalid",
       "*: cannot convert int64 to string"},
      {"a text for a flag", "PATCH", kFixed, kStrategic, R"({"immutable":"x"})", 422, "Invalid",
       "*: unrecognized type: bool"},
      {"a number for a time", "PATCH", kFixed, kStrategic,
       R"({"metadata":{"creationTimestamp":5}})", 422, "Invalid",
       "*: json: cannot unmarshal number into Go value of type string"},
      {"media type", "POST", kMaps, "text/csv", "a,b", 415, "UnsupportedMediaType",
       "the body of the request was in an unknown format - accepted media types include: "
       "application/json, application/yaml, application/vnd.kubernetes.protobuf"},
      {"PUT on a collection", "PUT", kMaps, "application/json", "{}", 405, "MethodNotAllowed",
       "the server does not allow this method on the requested resource"},
      {"HEAD", "HEAD", kMaps, "", "", 405, "MethodNotAllowed",
       "the server does not allow this method on the requested resource"},
      {"dryRun of what", "POST", "/api/v1/namespaces/a/configmaps?dryRun=Some", "application/json",
       "{}", 422, "Invalid", "*dryRun: Unsupported value: \"Some\"*"},
      {"the default namespace", "DELETE", "/api/v1/namespaces/default", "", "", 403, "Forbidden",
       "namespaces \"default\" is forbidden: this namespace may not be deleted"},
      {"exec in no pod", "GET", "/api/v1/namespaces/a/pods/p/exec", "", "", 404, "NotFound",
       "pods \"p\" not found"},
  };
  return all;
}

// `*` at either end stands for any text.
bool fits(std::string_view pattern, std::string_view text) {
  const bool open_end = pattern.ends_with('*'), open_start = pattern.starts_with('*');
  if (open_end) pattern.remove_suffix(1);
  if (open_start) pattern.remove_prefix(1);
  if (open_start && open_end) return text.find(pattern) != std::string_view::npos;
  if (open_start) return text.ends_with(pattern);
  return open_end ? text.starts_with(pattern) : text == pattern;
}

TEST_CASE("bad input is answered with a Status that says what is wrong") {
  ApiWorld w;
  REQUIRE(
      w.call("POST", kMaps, R"({"metadata":{"name":"fixed"},"immutable":true,"data":{"a":"1"}})")
          ->status == 201);
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto answer =
        w.call(c.method, c.target, c.body,
               c.type.empty() ? net::Headers() : net::Headers{{"Content-Type", c.type}});
    const json::value status = w.tree(answer);
    CAPTURE(answer->body);
    CHECK(answer->status == c.code);
    CHECK(get_int(status, "code") == c.code);
    CHECK(get_string(status, "kind") == "Status");
    CHECK(get_string(status, "status") == "Failure");
    CHECK(get_string(status, "reason") == c.reason);
    CHECK(fits(c.message, get_string(status, "message")));
  }
}

TEST_CASE("unknown paths and versions are plain 404 pages") {
  ApiWorld w;
  for (const char* target : {"/nosuch", "/api/v2/pods", "/apis/none/v1/x", "/api//v1/pods"}) {
    CAPTURE(target);
    const auto answer = w.call("GET", target);
    CHECK(answer->status == 404);
    CHECK(answer->body == "404 page not found\n");
  }
}

TEST_CASE("unknown fields are warned of by default") {
  ApiWorld w;
  const auto made = w.call("POST", kMaps, R"({"metadata":{"name":"m"},"foo":1})");
  CHECK(made->status == 201);
  CHECK(made->headers.get("Warning") == "299 - \"unknown field \\\"foo\\\"\"");
  CHECK(find(w.tree(made), "foo") == nullptr);
}

struct Caller {
  std::string name;
  bool has_cert, trusted;
  std::string token;
  std::string target;
  int code;
};

TEST_CASE("who may ask what") {
  ApiWorld w;
  const auto c = GENERATE(values<Caller>({
      {"certificate", true, true, "", "/api/v1/pods", 200},
      {"token", false, false, "Bearer good", "/api/v1/pods", 200},
      {"wrong token", false, false, "Bearer bad", "/api/v1/pods", 401},
      {"wrong token even where anyone may ask", false, false, "Bearer bad", "/healthz", 401},
      {"foreign certificate", true, false, "", "/api/v1/pods", 401},
      {"foreign certificate, good token", true, false, "Bearer good", "/api/v1/pods", 200},
      {"certificate beside a wrong token", true, true, "Bearer bad", "/api/v1/pods", 200},
      {"nobody", false, false, "", "/api/v1/pods", 403},
      {"nobody, discovery", false, false, "", "/api", 403},
      {"nobody, health", false, false, "", "/readyz", 200},
      {"nobody, version", false, false, "", "/version", 200},
  }));
  CAPTURE(c.name);
  net::Request request = w.request("GET", c.target);
  request.peer.has_cert = c.has_cert;
  request.peer.cert_trusted = c.trusted;
  if (!c.token.empty()) request.headers.add("Authorization", c.token);
  const auto exchange = w.begin(std::move(request));
  REQUIRE(w.executor.run_until([&] { return exchange->answered(); }));
  CHECK(exchange->status == c.code);
}

TEST_CASE("the 403 names who, what and where") {
  ApiWorld w;
  net::Request request = w.request("GET", "/api/v1/namespaces/a/pods/x/log");
  request.peer = {};
  const auto exchange = w.begin(std::move(request));
  REQUIRE(w.executor.run_until([&] { return exchange->answered(); }));
  CHECK(w.tree(exchange) ==
        *parse_json(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
                    R"("message":"pods \"x\" is forbidden: User \"system:anonymous\" cannot get )"
                    R"(resource \"pods/log\" in API group \"\" in the namespace \"a\"",)"
                    R"("reason":"Forbidden","details":{"name":"x","kind":"pods"},"code":403})"));
}

}  // namespace
}  // namespace coracle::apiserver
