#include "api/devices/validation.hpp"

#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::devices {
namespace {

using validation::Case;
using validation::object_of;
using validation::run;
using validation::texts_of;

// A claim with these members of spec.devices.
std::string claim(const std::string& devices) {
  return R"({"metadata":{"name":"c"},"spec":{"devices":{)" + devices + "}}}";
}
std::string request(const std::string& members) {
  return R"("requests":[{"name":"gpu","exactly":{)" + members + "}}]";
}

TEST_CASE("resource claims") {
  const std::string good = claim(request(R"("deviceClassName":"gpu.example.com")"));
  const std::string two = claim(request(R"("deviceClassName":"gpu.example.com","count":2)"));
  const std::string nothing = claim(R"("requests":[{"name":"gpu"}])");
  const std::string both = claim(R"("requests":[{"name":"gpu","exactly":{"deviceClassName":"a"},
      "firstAvailable":[{"name":"x","deviceClassName":"a"}]}])");
  const std::string many = claim(request(R"("deviceClassName":"a","allocationMode":"All",
      "count":2)"));
  const std::string some = claim(request(R"("deviceClassName":"A","allocationMode":"Some")"));
  const std::string few = claim(request(R"("deviceClassName":"a","count":-1)"));
  const std::string twice = claim(R"("requests":[{"name":"gpu","exactly":{"deviceClassName":"a"}},
      {"name":"gpu","exactly":{"deviceClassName":"a"}}])");
  const std::string cel = claim(request(R"("deviceClassName":"a","selectors":[{"cel":{
      "expression":"1"}},{}])"));
  const std::string admin = claim(request(R"("deviceClassName":"a","adminAccess":true)"));
  const std::string part = claim(request(R"("deviceClassName":"a","capacity":{"requests":{
      "memory":"1Gi","d.example.com/slots":"2"}})"));
  const std::string bad_part = claim(request(R"("deviceClassName":"a","capacity":{"requests":{
      "memory":"-1","a/b/c":"1"}})"));
  const std::string constraints =
      claim(request(R"("deviceClassName":"a")") +
            R"(,"constraints":[{"requests":["other"],"matchAttribute":"model"},{}])");
  const std::string tolerated = claim(request(R"("deviceClassName":"a","tolerations":[
      {"operator":"Exists","value":"x"},{"key":"k","operator":"Is"}])"));
  const std::string config = claim(request(R"("deviceClassName":"a")") +
                                   R"(,"config":[{},{"opaque":{"driver":"d","parameters":{}}}])");
  run(
      {
          {"good", good, {}},
          {"changed",
           two,
           {R"(spec: Invalid value: {"devices":{"requests":[{"name":"gpu","exactly":{)"
            R"("deviceClassName":"gpu.example.com","count":2,"allocationMode":"ExactCount"}}]}}: )"
            "field is immutable"},
           good},
          {"nothing asked",
           nothing,
           {"spec.devices.requests[0]: Required value: exactly one of `exactly` or "
            "`firstAvailable` is required"}},
          {"asked twice",
           both,
           {"spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or "
            "`firstAvailable` is required, but multiple fields are set"}},
          {"all, but two",
           many,
           {"spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when "
            "allocationMode is 'All'"}},
          {"bad mode and class",
           some,
           {R"(spec.devices.requests[0].exactly.deviceClassName: Invalid value: "A": a lowercase )"
            "RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character (e.g. 'example.com', regex "
            R"(used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*)"
            "[a-z0-9])?)*')",
            R"(spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": )"
            R"(supported values: "All", "ExactCount")"}},
          {"less than none",
           few,
           {"spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than "
            "zero"}},
          {"one name twice", twice, {R"(spec.devices.requests[1]: Duplicate value: "gpu")"}},
          {"bad selectors",
           cel,
           {R"(spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "1": )"
            "must evaluate to bool or the unknown type, not int",
            "spec.devices.requests[0].exactly.selectors[1].cel: Required value"}},
          {"admin access: the apiserver asks the namespace", admin, {}},
          {"a part", part, {}},
          {"a part that is none",
           bad_part,
           {R"(spec.devices.requests[0].exactly.capacity.requests[a/b/c]: Invalid value: "a/b/c": )"
            "must not contain more than one slash",
            R"(spec.devices.requests[0].exactly.capacity.requests[memory]: Invalid value: "-1": )"
            "must be greater than or equal to zero"}},
          {"constraints",
           constraints,
           {R"(spec.devices.constraints[0].requests[0]: Invalid value: "other": must be the name )"
            "of a request in the claim or the name of a request and a subrequest separated by '/'",
            R"(spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully )"
            "qualified name must be a domain and a name separated by a slash",
            R"(spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or )"
            R"("distinctAttribute" is required)"}},
          {"tolerations",
           tolerated,
           {R"(spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "x": must be )"
            "empty for operator `Exists`",
            R"(spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Is": )"
            R"(supported values: "Equal", "Exists")"}},
          {"config", config, {"spec.devices.config[0].opaque: Required value"}},
      },
      resource_claim, defaults::set_resource_claim);
}

TEST_CASE("status of a claim") {
  const std::string spec = R"("metadata":{"name":"c"},"spec":{"devices":{"requests":[{"name":"gpu",
      "exactly":{"deviceClassName":"a"}}]}})";
  const auto result = [](const std::string& device, const std::string& name = "gpu") {
    return R"("allocation":{"devices":{"results":[{"request":")" + name +
           R"(","driver":"d.example.com","pool":"n1","device":")" + device + R"("}]}})";
  };
  const std::string pod = R"("reservedFor":[{"resource":"pods","name":"p","uid":"u"}])";
  const auto errors_of = [&](const std::string& now, const std::string& old) {
    const json::value after = object_of("{" + spec + R"(,"status":{)" + now + "}}");
    const json::value before = object_of("{" + spec + R"(,"status":{)" + old + "}}");
    FieldErrors errors;
    resource_claim_status(after, before, errors);
    return texts_of(errors);
  };
  using Texts = std::vector<std::string>;
  CHECK(errors_of(result("gpu-0") + "," + pod, "").empty());
  CHECK(errors_of("", result("gpu-0") + "," + pod).empty());
  CHECK(errors_of(pod, "") == Texts{"status.reservedFor: Forbidden: may not be specified when "
                                    "`allocated` is not set"});
  CHECK(errors_of(result("gpu-0", "other"), "") ==
        Texts{R"(status.allocation.devices.results[0].request: Invalid value: "other": must be )"
              "the name of a request in the claim or the name of a request and a subrequest "
              "separated by '/'"});
  const auto share = [&](const std::string& id) {
    std::string text = result("gpu-0");
    text.insert(text.rfind("}]}}"), R"(,"shareID":")" + id + R"(","consumedCapacity":{"1x":"1"})");
    return errors_of(text, "");
  };
  CHECK(share("0b1f4c9a-7d52-8e3f-9a61-2c5d8e7f0a1b").size() == 1);  // the capacity's name
  CHECK(share("0B1F4C9A-7d52-8e3f-9a61-2c5d8e7f0a1b").front() ==
        R"(status.allocation.devices.results[0].shareID: Invalid value: )"
        R"("0B1F4C9A-7d52-8e3f-9a61-2c5d8e7f0a1b": must be a UUID in lower case)");
  CHECK(share("7").size() == 2);
  const Texts moved = errors_of(result("gpu-1"), result("gpu-0"));
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].starts_with("status.allocation: Invalid value: "));
  CHECK(moved[0].ends_with(": field is immutable"));
}

TEST_CASE("resource slices") {
  const auto slice = [](const std::string& members, const std::string& devices = "") {
    return R"({"metadata":{"name":"s"},"spec":{"driver":"d.example.com","pool":{"name":"n1",
        "generation":1,"resourceSliceCount":1})" +
           members + R"(,"devices":[)" + devices + "]}}";
  };
  const std::string here = R"(,"nodeName":"n1")";
  const std::string good = slice(here, R"({"name":"gpu-0","attributes":{"model":{"string":"x"},
      "v":{"version":"1.2.3"}},"capacity":{"memory":{"value":"1Gi"}}})");
  const std::string nowhere = slice(""), twice = slice(here + R"(,"allNodes":true)");
  const std::string bad = slice(here, R"({"name":"gpu-0","attributes":{"1x":{"string":"x"},
      "a":{},"v":{"version":"v1"}}},{"name":"gpu-0","nodeName":"n2"})");
  const std::string conditions =
      slice(here, R"({"name":"gpu-0","bindingConditions":["a","b","c","d","e"],)"
                  R"("bindingFailureConditions":["","x.io/Failed"]})");
  const std::string tainted = slice(here, R"({"name":"gpu-0","taints":[{"key":"k",
      "effect":"Never"}]})");
  const std::string moved = slice(R"(,"nodeName":"n2")");
  const std::string pool = R"({"metadata":{"name":"s"},"spec":{"driver":"","pool":{"name":"N",
      "generation":-1,"resourceSliceCount":0},"allNodes":false,"nodeSelector":{
      "nodeSelectorTerms":[]}}})";
  run(
      {
          {"good", good, {}},
          {"nowhere",
           nowhere,
           {"spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, "
            "`perDeviceNodeSelection` is required"}},
          {"twice",
           twice,
           {R"(spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, )"
            "`nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields "
            "are set"}},
          {"devices",
           bad,
           {R"(spec.devices[0].attributes[1x]: Invalid value: "1x": a valid C identifier must )"
            "start with alphabetic character or '_', followed by a string of alphanumeric "
            "characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for "
            "validation is '[A-Za-z_][A-Za-z0-9_]*')",
            R"(spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be )"
            "specified",
            R"(spec.devices[0].attributes[v].version: Invalid value: "v1": must be a string )"
            "compatible with semver.org spec 2.0.0",
            "spec.devices[1]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can "
            "only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
            R"(spec.devices[1]: Duplicate value: "gpu-0")"}},
          {"taint",
           tainted,
           {R"(spec.devices[0].taints[0].effect: Unsupported value: "Never": supported values: )"
            R"("NoExecute", "NoSchedule", "None")"}},
          {"conditions",
           conditions,
           {"spec.devices[0].bindingConditions: Too many: 5: must have at most 4 items",
            "spec.devices[0].bindingFailureConditions[0]: Invalid value: \"\": name part must be "
            "non-empty",
            "spec.devices[0].bindingFailureConditions[0]: Invalid value: \"\": name part must "
            "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
            "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"}},
          {"moved", moved, {R"(spec.nodeName: Invalid value: "n2": field is immutable)"}, nowhere},
      },
      resource_slice, nullptr);
  FieldErrors errors;
  resource_slice(object_of(pool), nullptr, errors);
  const std::vector<std::string> texts = texts_of(errors);
  REQUIRE(texts.size() == 7);
  CHECK(texts[0] == "spec.driver: Required value");
  CHECK(texts[2] == "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero");
  CHECK(texts[3] ==
        "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero");
  CHECK(texts[6] == "spec.allNodes: Invalid value: false: must be either unset or set to true");
}

TEST_CASE("counters that devices of a pool share") {
  const auto slice = [](const std::string& members) {
    return R"({"metadata":{"name":"s"},"spec":{"driver":"d.example.com","pool":{"name":"n1",
        "generation":1,"resourceSliceCount":2},"nodeName":"n1",)" +
           members + "}}";
  };
  const std::string good = slice(R"("sharedCounters":[{"name":"gpu-0","counters":{
      "slots":{"value":"7"},"memory":{"value":"80Gi"}}}])");
  const std::string uses = slice(R"("devices":[{"name":"part","consumesCounters":[
      {"counterSet":"gpu-0","counters":{"slots":{"value":"1"}}}]}])");
  const std::string bad = slice(R"("sharedCounters":[{"name":"","counters":{}},{"name":"A",
      "counters":{"S":{"value":"-1"}}},{"name":"b","counters":{"s":{"value":"1"}}},{"name":"b",
      "counters":{"s":{"value":"1"}}}])");
  const std::string wrong = slice(R"("devices":[{"name":"part","consumesCounters":[
      {"counterSet":""},{"counterSet":"x","counters":{"s":{"value":"-1"}}}]}])");
  const std::string many = slice(R"("devices":[{"name":"part","consumesCounters":[
      {"counterSet":"a"},{"counterSet":"b"},{"counterSet":"c"}]}])");
  const std::string mixed = slice(R"("sharedCounters":[{"name":"a","counters":{"s":{
      "value":"1"}}}],"devices":[{"name":"d"}])");
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {good, {}},
           {uses, {}},
           {bad,
            {"spec.sharedCounters[0].name: Required value",
             "spec.sharedCounters[0].counters: Required value",
             "spec.sharedCounters[1].name: Invalid value: \"A\"",
             "spec.sharedCounters[1].counters[S]: Invalid value: \"S\"",
             "spec.sharedCounters[1].counters[S].value: Invalid value: \"-1\": must be greater "
             "than or equal to zero",
             "spec.sharedCounters[3]: Duplicate value: \"b\""}},
           {wrong,
            {"spec.devices[0].consumesCounters[0].counterSet: Required value",
             "spec.devices[0].consumesCounters[0].counters: Required value",
             "spec.devices[0].consumesCounters[1].counters[s].value: Invalid value: \"-1\""}},
           {many, {"spec.devices[0].consumesCounters: Too many: 3: must have at most 2 items"}},
           {mixed,
            {"spec: Invalid value: \"\": only one of `sharedCounters` or `devices` is allowed"}},
       }) {
    CAPTURE(text);
    FieldErrors errors;
    resource_slice(object_of(text), nullptr, errors);
    const std::vector<std::string> texts = texts_of(errors);
    REQUIRE(texts.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(texts[i].starts_with(want[i]));
  }
}

TEST_CASE("how parts of a shared device are rounded") {
  const auto slice = [](const std::string& policy, const std::string& shared = "true") {
    return R"({"metadata":{"name":"s"},"spec":{"driver":"d.example.com","pool":{"name":"n1",
        "generation":1,"resourceSliceCount":1},"nodeName":"n1","devices":[{"name":"d",
        "allowMultipleAllocations":)" +
           shared + R"(,"capacity":{"memory":{"value":"10Gi","requestPolicy":{)" + policy +
           "}}}}]}}";
  };
  const std::string at = "spec.devices[0].capacity[memory].requestPolicy";
  for (
      const auto& [policy, want] : std::vector<std::pair<std::string, std::vector<std::string>>>{
          {R"("default":"1Gi")", {}},
          {R"("default":"1Gi","validValues":["1Gi","2Gi"])", {}},
          {R"("default":"1Gi","validRange":{"min":"1Gi","max":"8Gi","step":"1Gi"})", {}},
          {R"("default":"11Gi")",
           {at + ".default: Invalid value: \"11Gi\": default is larger than capacity value: 10Gi"}},
          {R"("validValues":["1Gi"])",
           {at + ".default: Required value: required when validValues is defined"}},
          {R"("validRange":{})",
           {at + ".default: Required value: required when validRange is defined"}},
          {R"("default":"1Gi","validValues":["1Gi"],"validRange":{"min":"1Gi"})",
           {at + ": Forbidden: exactly one policy can be specified, cannot specify "
                 "\"validValues\" and \"validRange\" at the same time"}},
          {R"("default":"1Gi","validValues":["4Gi","2Gi","2048Mi","20Gi"])",
           {at +
                ".validValues[1]: Invalid value: \"2Gi\": values must be sorted in ascending order",
            at + ".validValues[3]: Invalid value: \"20Gi\": option is larger than capacity value: "
                 "10Gi",
            at + ".validValues[2]: Duplicate value: \"2Gi\"",
            at +
                ".validValues: Invalid value: \"1Gi\": default value is not valid according to the "
                "requestPolicy"}},
          {R"("default":"1Gi","validRange":{})",
           {at + ".validRange.min: Required value: required when validRange is defined"}},
          {R"("default":"1Gi","validRange":{"min":"4Gi","max":"2Gi","step":"20Gi"})",
           {at + ".validRange.min: Invalid value: \"1Gi\": default is less than min: 4Gi",
            at + ".validRange.max: Invalid value: \"4Gi\": min is larger than max: 2Gi",
            at + ".validRange.step: Invalid value: \"20Gi\": one step above min is larger than "
                 "capacity value: 10Gi"}},
          {R"("default":"9Gi","validRange":{"min":"1Gi","max":"8Gi","step":"0"})",
           {at + ".validRange.max: Invalid value: \"9Gi\": default is more than max: 8Gi",
            at + ".validRange.step: Invalid value: \"0\": must be greater than zero"}},
      }) {
    CAPTURE(policy);
    FieldErrors errors;
    resource_slice(object_of(slice(policy)), nullptr, errors);
    CHECK(texts_of(errors) == want);
  }
  FieldErrors errors;
  resource_slice(object_of(slice("", "false")), nullptr, errors);
  CHECK(texts_of(errors) ==
        std::vector<std::string>{at + ": Forbidden: allowMultipleAllocations must be true"});
}

TEST_CASE("what a pod says of its claims") {
  const auto pod = [](const std::string& claims, const std::string& used = "") {
    return R"({"metadata":{"name":"p"},"spec":{"restartPolicy":"Always","dnsPolicy":"Default",
        "terminationGracePeriodSeconds":30,"resourceClaims":[)" +
           claims + R"(],"containers":[{"name":"c","image":"x","imagePullPolicy":"Always",
        "terminationMessagePolicy":"File","resources":{"claims":[)" +
           used + "]}}]}}";
  };
  const std::string own = R"({"name":"gpu","resourceClaimName":"c"})";
  const std::string good = pod(own, R"({"name":"gpu"})"), twice = pod(own + "," + own);
  const std::string nothing = pod(R"({"name":"gpu"})");
  const std::string both =
      pod(R"({"name":"gpu","resourceClaimName":"c","resourceClaimTemplateName":"t"})");
  run(
      {
          {"good", good, {}},
          {"twice", twice, {R"(spec.resourceClaims[1].name: Duplicate value: "gpu")"}},
          {"nothing",
           nothing,
           {R"(spec.resourceClaims[0]: Invalid value: {"name":"gpu"}: must specify one of: )"
            "`resourceClaimName`, `resourceClaimTemplateName`"}},
          {"both",
           both,
           {R"(spec.resourceClaims[0]: Invalid value: {"name":"gpu","resourceClaimName":"c",)"
            R"("resourceClaimTemplateName":"t"}: at most one of `resourceClaimName` or )"
            "`resourceClaimTemplateName` may be specified"}},
      },
      validation::pod, nullptr);
}

}  // namespace
}  // namespace coracle::api::devices
