#include "apiserver/rbac/rules.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::apiserver;
using namespace coracle::apiserver::rbac;

namespace {

PolicyRules rules(const std::string& yaml) {
  return rules_of(*parse_yaml_one("{rules: " + yaml + "}"));
}

// "get apps/deployments/scale:name" or "get /path".
RequestInfo request(const std::string& verb, const std::string& group, const std::string& resource,
                    const std::string& sub = "", const std::string& name = "") {
  RequestInfo info;
  info.is_resource = true;
  info.verb = verb;
  info.group = group;
  info.resource = resource;
  info.subresource = sub;
  info.name = name;
  return info;
}

RequestInfo path(const std::string& verb, const std::string& path) {
  RequestInfo info;
  info.verb = verb;
  info.path = path;
  return info;
}

}  // namespace

TEST_CASE("what a rule allows") {
  struct Case {
    std::string name, rule;
    RequestInfo request;
    bool allowed;
  };
  const std::string pods = "[{apiGroups: [''], resources: [pods], verbs: [get, list]}]";
  const std::string any_scale = "[{apiGroups: ['*'], resources: ['*/scale'], verbs: [get]}]";
  const std::string named =
      "[{apiGroups: [''], resources: [pods], verbs: ['*'], resourceNames: [a]}]";
  const std::string urls = "[{nonResourceURLs: [/healthz, '/api/*'], verbs: [get]}]";
  const auto c = GENERATE_COPY(values<Case>({
      {"its verb", pods, request("get", "", "pods"), true},
      {"another verb", pods, request("delete", "", "pods"), false},
      {"another group", pods, request("get", "apps", "pods"), false},
      {"a subresource is another thing", pods, request("get", "", "pods", "log"), false},
      {"any name", pods, request("get", "", "pods", "", "x"), true},
      {"scale of anything", any_scale, request("get", "apps", "deployments", "scale"), true},
      {"not the thing itself", any_scale, request("get", "apps", "deployments"), false},
      {"not a longer name", any_scale, request("get", "apps", "deployments", "rescale"), false},
      {"the name given", named, request("get", "", "pods", "", "a"), true},
      {"another name", named, request("get", "", "pods", "", "b"), false},
      {"no name", named, request("list", "", "pods"), false},
      {"the path", urls, path("get", "/healthz"), true},
      {"below the path", urls, path("get", "/healthz/etcd"), false},
      {"below a path with a star", urls, path("get", "/api/v1"), true},
      {"the path of the star itself", urls, path("get", "/api"), false},
      {"another verb on a path", urls, path("post", "/healthz"), false},
      {"paths are no resources", "[{nonResourceURLs: ['*'], verbs: ['*']}]",
       request("get", "", "pods"), false},
      {"resources are no paths", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]",
       path("get", "/metrics"), false},
      {"all verbs asked for need a star", pods, request("*", "", "pods"), false},
  }));
  CAPTURE(c.name);
  CHECK(allows(rules(c.rule), c.request) == c.allowed);
}

TEST_CASE("what the owner of some rules lacks of others") {
  struct Case {
    std::string name, held, wanted;
    std::vector<std::string> missing;
  };
  const std::string all = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
  const std::string get = "[{apiGroups: [''], resources: [secrets], verbs: [get, list]}]";
  const std::string one =
      "[{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [a]}]";
  const auto c = GENERATE_COPY(values<Case>({
      {"the same", get, get, {}},
      {"everything gives it", all, get, {}},
      {"nothing", "[]", get, {R"({APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]})"}},
      {"names are less than all", get, one, {}},
      {"all is more than names",
       one,
       get,
       {R"({APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]})"}},
      {"put together of two",
       "[{apiGroups: [''], resources: [secrets], verbs: [get]},"
       " {apiGroups: [''], resources: [secrets], verbs: [list]}]",
       get,
       {}},
      {"resources give no paths",
       all,
       "[{nonResourceURLs: [/x], verbs: [get]}]",
       {R"({NonResourceURLs:["/x"], Verbs:["get"]})"}},
      {"a star needs a star",
       get,
       "[{apiGroups: [''], resources: [secrets], verbs: ['*']}]",
       {R"({APIGroups:[""], Resources:["secrets"], Verbs:["*"]})"}},
      {"a path below",
       "[{nonResourceURLs: ['/x/*'], verbs: [get]}]",
       "[{nonResourceURLs: [/x/y], verbs: [get]}]",
       {}},
  }));
  CAPTURE(c.name);
  std::vector<std::string> missing;
  for (const PolicyRule& rule : compacted(missing_rules(rules(c.held), rules(c.wanted)))) {
    missing.push_back(rule.text());
  }
  CHECK(missing == c.missing);
}
