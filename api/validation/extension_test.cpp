// The kinds that extend and guard the API, and the small cluster-wide ones.
#include "api/defaults/defaults.hpp"
#include "api/object.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"
#include "base/encoding.hpp"

namespace coracle::api::validation {
namespace {

std::string a_request(const std::string& pem, const std::string& more) {
  return R"({"spec":{"request":")" + base64_encode(pem) + "\"," + more + "}}";
}

std::string good_pem() {
  const std::string der = std::string("\x30\x10", 2) + std::string(30, '\x01');
  return "-----BEGIN CERTIFICATE REQUEST-----\n" + base64_encode(der) +
         "\n-----END CERTIFICATE REQUEST-----\n";
}

TEST_CASE("certificate signing request") {
  const std::string good = a_request(
      good_pem(), R"("signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth"])");
  const std::string bad = a_request("hello", R"("signerName":"nobody","usages":["client auth",
      "client auth","fly"],"expirationSeconds":60)");
  const std::string bare = a_request(good_pem(), R"("signerName":"")");
  const std::string changed = a_request(
      good_pem(), R"("signerName":"kubernetes.io/kubelet-serving","usages":["client auth"])");
  const std::string spec = to_json(object_of(changed).at("spec"));
  run({{"good", good, {}},
       {"everything wrong",
        bad,
        {"spec.request: Invalid value: \"" + base64_encode("hello") +
             "\": PEM block type must be CERTIFICATE REQUEST",
         "spec.usages[1]: Duplicate value: \"client auth\"",
         "spec.usages[2]: Unsupported value: \"fly\": supported values: \"any\", \"cert sign\", "
         "\"client auth\", \"code signing\", \"content commitment\", \"crl sign\", \"data "
         "encipherment\", \"decipher only\", \"digital signature\", \"email protection\", "
         "\"encipher only\", \"ipsec end system\", \"ipsec tunnel\", \"ipsec user\", \"key "
         "agreement\", \"key encipherment\", \"microsoft sgc\", \"netscape sgc\", \"ocsp "
         "signing\", "
         "\"s/mime\", \"server auth\", \"signing\", \"timestamping\"",
         "spec.signerName: Invalid value: \"nobody\": must be a fully qualified domain and path of "
         "the form 'example.com/signer-name'",
         "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 "
         "seconds (10 minutes)"}},
       {"nothing said", bare, {"spec.usages: Required value", "spec.signerName: Required value"}},
       {"changed", changed, {"spec: Invalid value: " + spec + ": field is immutable"}, good}},
      certificate_request, nullptr);
}

TEST_CASE("certificate signing request: verdicts") {
  const auto errors_of = [](std::string_view now, std::string_view old) {
    FieldErrors errors;
    certificate_request_status(object_of(now), object_of(old), errors);
    return texts_of(errors);
  };
  constexpr std::string_view kApproved =
      R"({"status":{"conditions":[{"type":"Approved","status":"True"}]}})";
  CHECK(errors_of(kApproved, "{}").empty());
  CHECK(errors_of("{}", kApproved) ==
        std::vector<std::string>{"status.conditions: Forbidden: updates may not remove a condition "
                                 "of type \"Approved\""});
  CHECK(errors_of(R"({"status":{"conditions":[{"type":"Approved","status":"True"},
                      {"type":"Denied","status":"False"}]}})",
                  "{}") ==
        std::vector<std::string>{
            "status.conditions[1].status: Unsupported value: \"False\": supported values: \"True\"",
            "status.conditions[1].type: Invalid value: \"Denied\": Approved and Denied conditions "
            "are mutually exclusive"});
}

TEST_CASE("flow schema") {
  run({{"good",
        R"({"metadata":{"name":"x"},"spec":{"matchingPrecedence":10,
            "priorityLevelConfiguration":{"name":"l"},"rules":[{"subjects":[{"kind":"User",
            "user":{"name":"*"}}],"nonResourceRules":[{"verbs":["*"],
            "nonResourceURLs":["/a","/b/*"]}]}]}})",
        {}},
       {"bad",
        R"({"metadata":{"name":"x"},"spec":{"matchingPrecedence":1,
            "distinguisherMethod":{"type":"ByDay"},"rules":[{"subjects":[{"kind":"User",
            "group":{"name":"g"}},{"kind":"Cat"}]},{"resourceRules":[{"verbs":["fly"],
            "apiGroups":["*","a"],"namespaces":["Up"]}],"nonResourceRules":[{"verbs":["get"],
            "nonResourceURLs":["a","/a//b","/a*"]}]}]}})",
        {"spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have "
         "matchingPrecedence 1",
         R"(spec.distinguisherMethod.type: Unsupported value: {"type":"ByDay"}: supported values: )"
         R"("ByNamespace", "ByUser")",
         "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
         "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is "
         "'User'",
         "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not "
         "'Group'",
         R"(spec.rules[0].subjects[1].kind: Unsupported value: "Cat": supported values: "Group", )"
         R"("ServiceAccount", "User")",
         "spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to "
         "be non-empty",
         "spec.rules[1].subjects: Required value: subjects must contain at least one value",
         R"(spec.rules[1].resourceRules[0].verbs: Unsupported value: ["fly"]: supported values: )"
         R"("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", )"
         R"("watch")",
         R"(spec.rules[1].resourceRules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, )"
         "must not specify other api groups",
         "spec.rules[1].resourceRules[0].resources: Required value: resource rules must supply at "
         "least one resource",
         R"(spec.rules[1].resourceRules[0].namespaces[0]: Invalid value: "Up": each member of this )"
         "list must be '*' or a DNS-1123 label; " +
             check_dns1123_label("Up").front(),
         R"(spec.rules[1].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start )"
         "with slash",
         R"(spec.rules[1].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a//b": must not )"
         "contain double slash",
         R"(spec.rules[1].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a*": wildcard )"
         "can only do suffix matching"}}},
      flow_schema, nullptr);
}

TEST_CASE("priority level") {
  run({{"good",
        R"({"metadata":{"name":"x"},"spec":{"type":"Limited","limited":{
            "limitResponse":{"type":"Queue","queuing":{"queues":64,"handSize":8,
            "queueLengthLimit":50}}}}})",
        {}},
       {"exempt by the wrong name",
        R"({"metadata":{"name":"x"},"spec":{"type":"Exempt","limited":{}}})",
        {R"(spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is )"
         "'exempt'",
         "spec.limited: Forbidden: must be nil if the type is not Limited"}},
       {"no limits",
        R"({"spec":{"type":"Limited"}})",
        {"spec.limited: Required value: must not be empty when type is Limited"}},
       {"bad queues",
        R"({"spec":{"type":"Limited","limited":{"lendablePercent":101,"limitResponse":{
            "type":"Queue","queuing":{"queues":4,"handSize":8,"queueLengthLimit":0}}}}})",
        {"spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: 0: must be positive",
         "spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater "
         "than "
         "queues (4)",
         "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"}},
       {"too large a hand",
        R"({"spec":{"type":"Limited","limited":{"limitResponse":{"type":"Queue","queuing":{
            "queues":512,"handSize":12,"queueLengthLimit":1}}}}})",
        {"spec.limited.limitResponse.queuing.handSize: Invalid value: 12: required entropy bits of "
         "deckSize 512 and handSize 12 should not be greater than 60"}}},
      priority_level, nullptr);
}

TEST_CASE("webhook configurations") {
  run({{"good",
        R"({"webhooks":[{"name":"a.b.c","sideEffects":"None","admissionReviewVersions":["v1"],
            "clientConfig":{"service":{"name":"s","namespace":"n","path":"/x"}},
            "rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],
            "resources":["pods"]}]}]})",
        {}},
       {"bad",
        R"({"webhooks":[{"name":"a.b","sideEffects":"Some","timeoutSeconds":31,
            "failurePolicy":"Maybe","admissionReviewVersions":["v7"],
            "clientConfig":{"url":"http://u@h/p?q#f"},"rules":[{"operations":["*","CREATE"],
            "apiGroups":["*","x"],"resources":["pods/*","pods/log"]}]},
            {"name":"a.b.c","clientConfig":{}},{"name":"a.b.c","sideEffects":"None",
             "admissionReviewVersions":["v1","v1"],
             "clientConfig":{"url":"https://h","service":{}}}]})",
        {R"(webhooks[0].name: Invalid value: "a.b": should be a domain with at least three )"
         "segments separated by dots",
         R"(webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if '*' is present, )"
         "must not specify other operations",
         R"(webhooks[0].rules[0].apiGroups: Invalid value: ["*","x"]: if '*' is present, must not )"
         "specify other API groups",
         "webhooks[0].rules[0].apiVersions: Required value",
         R"(webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if 'pods/*' is present, )"
         "must not specify pods/log",
         R"(webhooks[0].failurePolicy: Unsupported value: "Maybe": supported values: "Fail", )"
         R"("Ignore")",
         R"(webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", )"
         R"("NoneOnDryRun")",
         "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and "
         "30 "
         "seconds",
         R"(webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL )"
         "scheme; desired format: https://host[/path]",
         R"(webhooks[0].clientConfig.url: Invalid value: "u": user information is not permitted in )"
         "the URL",
         R"(webhooks[0].clientConfig.url: Invalid value: "f": fragments are not permitted in the )"
         "URL",
         R"(webhooks[0].clientConfig.url: Invalid value: "q": query parameters are not permitted )"
         "in the URL",
         R"(webhooks[0].admissionReviewVersions: Invalid value: ["v7"]: must include at least one )"
         "of v1, v1beta1",
         "webhooks[1].sideEffects: Required value: must specify one of None, NoneOnDryRun",
         "webhooks[1].clientConfig: Required value: exactly one of url or service is required",
         "webhooks[1].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
         "webhooks[2].clientConfig: Required value: exactly one of url or service is required",
         R"(webhooks[2].admissionReviewVersions[1]: Invalid value: "v1": duplicate version)",
         R"(webhooks[2].name: Duplicate value: "a.b.c")"}}},
      validating_webhooks, nullptr);
}

TEST_CASE("API service") {
  run({{"local",
        R"({"metadata":{"name":"v1.apps"},"spec":{"group":"apps","version":"v1",
            "groupPriorityMinimum":100,"versionPriority":15}})",
        {}},
       {"bad",
        R"({"metadata":{"name":"v1.apps"},"spec":{"group":"x.io","version":"v1",
            "groupPriorityMinimum":0,"versionPriority":1001,"caBundle":"eA==",
            "insecureSkipTLSVerify":true,"service":{"name":"s"}}})",
        {R"(metadata.name: Invalid value: "v1.apps": must be `spec.version+"."+spec.group`: )"
         R"("v1.x.io")",
         "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
         "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000",
         "spec.service.namespace: Required value",
         "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is "
         "present"}}},
      api_service, nullptr);
}

TEST_CASE("small kinds of networking, storage and node") {
  run({{"no slash",
        R"({"spec":{"controller":"acme"}})",
        {R"(spec.controller: Invalid value: "acme": must be a domain-prefixed path (such as )"
         R"("acme.io/foo"))"}},
       {"parameters",
        R"({"spec":{"controller":"a/b","parameters":{"scope":"Namespace"}}})",
        {"spec.parameters.kind: Required value", "spec.parameters.name: Required value",
         "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"}},
       {"changed",
        R"({"spec":{"controller":"a/c"}})",
        {R"(spec.controller: Invalid value: "a/c": field is immutable)"},
        R"({"spec":{"controller":"a/b"}})"}},
      ingress_class, nullptr);
  run({{"none", "{}", {"spec.cidrs: Required value: at least one CIDR required"}},
       {"good", R"({"spec":{"cidrs":["10.0.0.0/8"]}})", {}},
       {"bad",
        R"({"spec":{"cidrs":["10.0.0.0"]}})",
        {R"(spec.cidrs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. )"
         "10.9.8.0/24 or 2001:db8::/64)"}}},
      service_cidr, nullptr);
  run({{"none", "{}", {"spec.parentRef: Required value"}}}, ip_address, nullptr);
  run({{"both",
        R"({"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"p",
                   "inlineVolumeSpec":{}}}})",
        {"spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and "
         "persistentVolumeName"}},
       {"none",
        R"({"spec":{"attacher":"a"}})",
        {"spec.nodeName: Required value",
         "spec.source: Required value: must specify exactly one of inlineVolumeSpec and "
         "persistentVolumeName"}}},
      volume_attachment, nullptr);
  run({{"twice",
        R"({"spec":{"drivers":[{"name":"a","nodeID":"n"},{"name":"a","nodeID":"n",
                    "allocatable":{"count":-1}}]}})",
        {R"(spec.drivers[1].name: Duplicate value: "a")",
         "spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to "
         "0"}}},
      csi_node, nullptr);
  run({{"handler",
        R"({"handler":"A"})",
        {R"(handler: Invalid value: "A": )" + check_dns1123_label("A").front()}}},
      runtime_class, nullptr);
  run({{"empty",
        R"({"driverName":"d"})",
        {"parameters: Required value: must contain at least one key/value pair"}}},
      volume_attributes_class, nullptr);
}

std::string a_definition(std::string_view schema, std::string_view more = "") {
  return R"({"metadata":{"name":"tabs.example.com"},"spec":{"group":"example.com",
      "scope":"Namespaced","names":{"plural":"tabs","kind":"Tab"},"versions":[{"name":"v1",
      "served":true,"storage":true,"schema":{"openAPIV3Schema":)" +
         std::string(schema) + "}" + std::string(more) + "}]}}";
}

TEST_CASE("custom resource definition: the schema must be a structural one") {
  const std::string at = "spec.validation.openAPIV3Schema";  // one schema for all versions
  const auto with = [&](std::string_view field) {
    return a_definition(R"({"type":"object","properties":{"f":)" + std::string(field) + "}}");
  };
  const std::string f = at + ".properties[f]";
  const std::string good = with(R"({"type":"string"})");
  const std::string untyped = with("{}");
  const std::string items = with(R"({"type":"array"})");
  const std::string null_type = with(R"({"type":"null"})");
  const std::string reference = with(R"({"type":"object","$ref":"#/x","uniqueItems":true})");
  const std::string pattern = with(R"({"type":"string","pattern":"("})");
  const std::string logic = with(R"({"type":"string","anyOf":[{"type":"string","default":"a"}]})");
  const std::string either =
      with(R"({"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]})");
  const std::string map = with(R"({"type":"array","x-kubernetes-list-type":"map",
      "x-kubernetes-list-map-keys":["n"],"items":{"type":"object","properties":{"n":{
      "type":"string"}}}})");
  const std::string wrong = with(R"({"type":"integer","default":"x"})");
  const std::string unpruned = with(R"({"type":"object","default":{"a":1}})");
  const std::string root = a_definition(R"({"type":"array","items":{"type":"string"}})");
  const std::string both = with(R"({"type":"object","properties":{"a":{"type":"string"}},
      "additionalProperties":{"type":"string"}})");
  run({{"good", good, {}},
       {"int or string", either, {}},
       {"no type",
        untyped,
        {f + ".type: Required value: must not be empty for specified object fields"}},
       {"no items", items, {f + ".items: Required value: must be specified"}},
       {"null",
        null_type,
        {f + ".type: Forbidden: type cannot be set to null, use nullable as an alternative"}},
       {"keywords",
        reference,
        {f + ".$ref: Forbidden: $ref is not supported",
         f + ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime "
             "complexity becomes quadratic"}},
       {"pattern",
        pattern,
        {f + ".pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: error "
             "parsing regexp: missing ): ("}},
       {"logic",
        logic,
        {f + ".anyOf[0].type: Forbidden: must be empty to be structural",
         f + ".anyOf[0].default: Forbidden: must be undefined to be structural"}},
       {"map keys",
        map,
        {f + ".items.properties[n].default: Required value: this property is in "
             "x-kubernetes-list-map-keys, so it must have a default or be a required property"}},
       {"default of another type",
        wrong,
        {f + ".default: Invalid value: \"string\": default in body must be of type integer: "
             "\"string\""}},
       {"default that is pruned",
        unpruned,
        {f + ".default: Invalid value: {\"a\":1}: must not have unknown fields"}},
       {"root", root, {at + ".type: Invalid value: \"array\": must be object at the root"}},
       {"both",
        both,
        {f + ".additionalProperties: Forbidden: additionalProperties and properties are mutual "
             "exclusive"}}},
      custom_definition, defaults::set_custom_definition);
}

TEST_CASE("custom resource definition: what versions have apart is reported at the version") {
  run({{"two schemas",
        R"({"metadata":{"name":"tabs.example.com"},"spec":{"group":"example.com",
            "scope":"Namespaced","names":{"plural":"tabs","kind":"Tab"},"versions":[
            {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{
              "type":"object","properties":{"f":{}}}}},
            {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{
              "type":"object"}}}]}})",
        {"spec.versions[0].schema.openAPIV3Schema.properties[f].type: Required value: must not be "
         "empty for specified object fields"}},
       {"no storage, no schema, kinds that are no labels",
        R"({"metadata":{"name":"tabs.example.com"},"spec":{"group":"example.com",
            "scope":"Namespaced","names":{"plural":"tabs","kind":"a b","listKind":"L"},
            "versions":[{"name":"v1","served":true,"storage":false}]}})",
        {"spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
         R"(spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,)"
         R"("Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,)"
         R"("AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one )"
         "version marked as storage version",
         R"(spec.names.singular: Invalid value: "a b": )" + check_dns1035_label("a b").front(),
         R"(spec.names.kind: Invalid value: "a b": may have mixed case, but should otherwise )"
         "match: " +
             check_dns1035_label("a b").front()}}},
      custom_definition, defaults::set_custom_definition);
}

TEST_CASE("custom resource definition: names, versions, columns, paths") {
  constexpr std::string_view kObject = R"({"type":"object"})";
  const std::string columns = a_definition(
      kObject, R"(,"additionalPrinterColumns":[{"name":"A","type":"text","jsonPath":"spec.a"}],
      "subresources":{"scale":{"specReplicasPath":".status.r","statusReplicasPath":""}},
      "selectableFields":[{"jsonPath":".spec.x"}])");
  run({{"columns and paths",
        columns,
        {"spec.subresources.scale.specReplicasPath: Invalid value: \".status.r\": "
         "should be a json path under .spec",
         "spec.subresources.scale.statusReplicasPath: Required value",
         "spec.additionalPrinterColumns[0].type: Invalid value: \"text\": must be one "
         "of boolean,date,integer,number,string",
         "spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"spec.a\": must "
         "be a simple json path starting with .",
         "spec.selectableFields[0].jsonPath: Invalid value: \".spec.x\": is an invalid "
         "path: does not refer to a valid field"}},
       {"nearly nothing",
        R"({"metadata":{"name":"x"},"spec":{"group":"k8s.io","names":{"plural":"tabs"},
            "preserveUnknownFields":true}})",
        {"metadata.name: Invalid value: \"x\": must be spec.names.plural+\".\"+spec.group",
         "spec.scope: Required value",
         "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
         "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
         "spec.versions: Invalid value: []: must have exactly one version marked as storage "
         "version",
         "spec.names.singular: Required value", "spec.names.kind: Required value",
         "spec.names.listKind: Required value",
         "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must "
         "have approval annotation \"api-approved.kubernetes.io\", see "
         "https://github.com/kubernetes/enhancements/pull/1111"}}},
      custom_definition, defaults::set_custom_definition);
}

}  // namespace
}  // namespace coracle::api::validation
