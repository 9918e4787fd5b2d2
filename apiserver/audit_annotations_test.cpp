// What admission notes in the audit log.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"
#include "apiserver/testing/fake_remote.hpp"

namespace coracle::apiserver {
namespace {

struct World {
  ManualExecutor* clock = nullptr;
  FakeRemote remote{[this] { return clock; }};
  ApiWorld api{nullptr, &remote};
  std::vector<std::string> lines;

  World() {
    clock = &api.executor;
    api.audit = std::make_shared<const AuditLog>(
        AuditPolicy::metadata(), [this](const std::string& line) { lines.push_back(line); });
    api.restart();
  }
  void make(const std::string& target, const std::string& body) {
    const auto made = api.call("POST", target, body);
    INFO(made->body);
    REQUIRE(made->status == 201);
    api.settle();
  }
  // The annotations of the last event, but for who allowed it.
  std::string annotations() const {
    const json::value event = *parse_json(lines.back());
    json::object notes = get_object(event, "annotations");
    CHECK(notes.contains("authorization.k8s.io/decision"));
    erase_key(notes, "authorization.k8s.io/decision");
    erase_key(notes, "authorization.k8s.io/reason");
    return to_json(json::value(std::move(notes)));
  }
};

constexpr const char* kGroup = "/apis/admissionregistration.k8s.io/v1/";

}  // namespace

TEST_CASE("audit: policies that audit, and what they add", "[audit]") {
  World w;
  w.make(std::string(kGroup) + "validatingadmissionpolicies",
         R"x({"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[
    {"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["configmaps"]}]},
    "validations":[{"expression":"true"},{"expression":"object.data.size() < 2",
      "message":"too much"}],
    "auditAnnotations":[{"key":"size","valueExpression":"string(object.data.size()) + ' entries'"},
      {"key":"none","valueExpression":"null"}]}})x");
  w.make(std::string(kGroup) + "validatingadmissionpolicybindings",
         R"({"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["Audit"]}})");
  w.make(kMaps, a_config_map("m", R"({"a":"1","b":"2"})"));
  CHECK(w.annotations() ==
        R"({"p/size":"2 entries","validation.policy.admission.k8s.io/validation_failure":)"
        R"("[{\"message\":\"too much\",\"policy\":\"p\",\"binding\":\"b\",\"expressionIndex\":1,)"
        R"(\"validationActions\":[\"Audit\"]}]"})");
  w.make(kMaps, a_config_map("n", R"({"a":"1"})"));
  CHECK(w.annotations() == R"({"p/size":"1 entries"})");
}

TEST_CASE("audit: pod security", "[audit]") {
  World w;
  REQUIRE(w.api
              .patch("merge-patch+json", "/api/v1/namespaces/a", R"({"metadata":{"labels":{
    "pod-security.kubernetes.io/audit":"baseline"}}})")
              ->status == 200);
  w.api.settle();
  w.make(kPods, R"({"metadata":{"name":"p"},"spec":{"hostNetwork":true,
    "containers":[{"name":"c","image":"i"}]}})");
  const json::value notes = *parse_json(w.annotations());
  CHECK(notes.at("pod-security.kubernetes.io/audit-violations").as_string() ==
        "would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)");
  CHECK(notes.at("pod-security.kubernetes.io/enforce-policy").as_string() == "privileged:latest");
}

TEST_CASE("audit: webhooks", "[audit]") {
  World w;
  const std::string rest =
      R"("clientConfig":{"url":"https://h/x"},"sideEffects":"None","failurePolicy":"Ignore",
    "admissionReviewVersions":["v1"],"rules":[{"apiGroups":[""],"apiVersions":["v1"],
    "operations":["CREATE"],"resources":["configmaps"]}])";
  w.make(std::string(kGroup) + "mutatingwebhookconfigurations",
         R"({"metadata":{"name":"c"},"webhooks":[{"name":"x.example.com",)" + rest + "}]}");
  w.make(kMaps, a_config_map("m"));
  CHECK(w.annotations() ==
        R"({"failed-open.mutating.webhook.admission.k8s.io/round_0_index_0":"x.example.com",)"
        R"("mutation.webhook.admission.k8s.io/round_0_index_0":)"
        R"("{\"configuration\":\"c\",\"webhook\":\"x.example.com\",\"mutated\":false}"})");
  w.remote.servers["h"] =
      [](const net::ClientRequest& request) -> std::optional<Result<net::Response>> {
    const json::value asked = *parse_json(request.body);
    return net::make_response(
        200,
        R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":")" +
            std::string(get_string(asked, "request.uid")) +
            R"(","allowed":true,"auditAnnotations":{"why":"because"}}})",
        "application/json");
  };
  w.make(kMaps, a_config_map("n"));
  CHECK(w.annotations() ==
        R"({"mutation.webhook.admission.k8s.io/round_0_index_0":)"
        R"("{\"configuration\":\"c\",\"webhook\":\"x.example.com\",\"mutated\":false}",)"
        R"("x.example.com/why":"because"})");
}

}  // namespace coracle::apiserver
