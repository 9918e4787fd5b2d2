#include "apiserver/bootstrap_objects.hpp"

#include "base/check.hpp"

namespace coracle::apiserver {

namespace {

json::value parsed(const std::string& text) {
  auto value = parse_json(text);
  CHECK_MSG(value.ok(), text);
  return *std::move(value);
}

json::value object(const std::string& api_version, const std::string& kind,
                   const std::string& name) {
  return parsed(R"({"kind":")" + kind + R"(","apiVersion":")" + api_version +
                R"(","metadata":{"name":")" + name + "\"}}");
}

struct Level {
  const char* name;
  int shares, lendable;  // lendable: per cent of its seats
  int queues, hand;      // queues 0: what is too much is refused
};
constexpr Level kLevels[] = {
    {"catch-all", 5, 0, 0, 0},          {"system", 30, 33, 64, 6},
    {"node-high", 40, 25, 64, 6},       {"leader-election", 10, 0, 16, 4},
    {"workload-high", 40, 50, 128, 6},  {"workload-low", 100, 90, 128, 6},
    {"global-default", 20, 50, 128, 6},
};

json::value level(const std::string& name, json::value spec) {
  json::value out = object("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", name);
  set_path(out, "metadata.annotations",
           json::object{{"apf.kubernetes.io/autoupdate-spec", "true"}});
  set_path(out, "spec", std::move(spec));
  return out;
}

json::value limited(const Level& in) {
  json::value spec = parsed(R"({"type":"Limited","limited":{"limitResponse":{"type":"Reject"}}})");
  set_path(spec, "limited.nominalConcurrencyShares", in.shares);
  set_path(spec, "limited.lendablePercent", in.lendable);
  if (in.queues > 0) {
    set_path(spec, "limited.limitResponse",
             json::object{{"type", "Queue"},
                          {"queuing", json::object{{"queues", in.queues},
                                                   {"handSize", in.hand},
                                                   {"queueLengthLimit", 50}}}});
  }
  return spec;
}

std::string group(const std::string& name) {
  return R"({"kind":"Group","group":{"name":")" + name + "\"}}";
}

std::string user(const std::string& name) {
  return R"({"kind":"User","user":{"name":")" + name + "\"}}";
}

constexpr const char* kSystemAccounts =
    R"({"kind":"ServiceAccount","serviceAccount":{"name":"*","namespace":"kube-system"}})";
constexpr const char* kEverything =
    R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"namespaces":["*"],)"
    R"("clusterScope":true}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}])";

struct Flow {
  const char *name, *level;
  int precedence;
  const char* method;
  std::string subjects, rules;
};

json::value flow(const Flow& in) {
  json::value out = object("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", in.name);
  set_path(out, "metadata.annotations",
           json::object{{"apf.kubernetes.io/autoupdate-spec", "true"}});
  json::value spec = parsed(R"({"rules":[{"subjects":[)" + in.subjects + "]," + in.rules + "}]}");
  set_path(spec, "priorityLevelConfiguration.name", json::value(in.level));
  set_path(spec, "matchingPrecedence", in.precedence);
  if (*in.method != '\0') set_path(spec, "distinguisherMethod.type", json::value(in.method));
  set_path(out, "spec", std::move(spec));
  return out;
}

}  // namespace

std::vector<json::value> flow_control_objects() {
  std::vector<json::value> out;
  out.push_back(level(
      "exempt",
      parsed(R"({"type":"Exempt","exempt":{"nominalConcurrencyShares":0,"lendablePercent":0}})")));
  for (const Level& one : kLevels) out.push_back(level(one.name, limited(one)));
  const std::string all = group("system:unauthenticated") + "," + group("system:authenticated");
  const std::string nodes = group("system:nodes");
  const std::string leaders =
      user("system:kube-controller-manager") + "," + user("system:kube-scheduler");
  const Flow flows[] = {
      {"exempt", "exempt", 1, "", group("system:masters"), kEverything},
      {"probes", "exempt", 2, "", all,
       R"("nonResourceRules":[{"verbs":["get"],"nonResourceURLs":["/healthz","/readyz","/livez"]}])"},
      {"system-leader-election", "leader-election", 100, "ByUser", leaders + "," + kSystemAccounts,
       R"("resourceRules":[{"verbs":["get","create","update"],"apiGroups":["coordination.k8s.io"],)"
       R"("resources":["leases"],"namespaces":["*"]}])"},
      {"system-node-high", "node-high", 400, "ByUser", nodes,
       R"("resourceRules":[{"verbs":["*"],"apiGroups":[""],"resources":["nodes","nodes/status"],)"
       R"("namespaces":["*"],"clusterScope":true},{"verbs":["*"],)"
       R"("apiGroups":["coordination.k8s.io"],"resources":["leases"],"namespaces":["*"]}])"},
      {"system-nodes", "system", 500, "ByUser", nodes, kEverything},
      {"kube-controller-manager", "workload-high", 800, "ByNamespace",
       user("system:kube-controller-manager"), kEverything},
      {"kube-scheduler", "workload-high", 800, "ByNamespace", user("system:kube-scheduler"),
       kEverything},
      {"kube-system-service-accounts", "workload-high", 900, "ByNamespace", kSystemAccounts,
       kEverything},
      {"service-accounts", "workload-low", 9000, "ByUser", group("system:serviceaccounts"),
       kEverything},
      {"global-default", "global-default", 9900, "ByUser", all, kEverything},
      {"catch-all", "catch-all", 10000, "ByUser", all, kEverything},
  };
  for (const Flow& one : flows) out.push_back(flow(one));
  return out;
}

std::vector<json::value> api_service_objects(const api::Catalog& catalog) {
  constexpr int kHighest = 18000, kStep = 50, kVersionsTop = 15;
  std::vector<json::value> out;
  int priority = kHighest;
  for (const api::GroupInfo& group : catalog.groups()) {
    int version_priority = kVersionsTop;
    for (const std::string& version : group.versions) {
      json::value one =
          object("apiregistration.k8s.io/v1", "APIService", version + "." + group.name);
      set_path(one, "metadata.labels",
               json::object{{"kube-aggregator.kubernetes.io/automanaged", "onstart"}});
      json::object spec;
      if (!group.name.empty()) spec["group"] = group.name;
      spec["version"] = version;
      spec["groupPriorityMinimum"] = priority;
      spec["versionPriority"] = version_priority--;
      set_path(one, "spec", std::move(spec));
      out.push_back(std::move(one));
    }
    priority -= kStep;
  }
  return out;
}

std::vector<json::value> service_network_objects(std::string_view cidr, std::string_view first) {
  json::value range = object("networking.k8s.io/v1", "ServiceCIDR", "kubernetes");
  json::object spec;
  spec["cidrs"].emplace_array().emplace_back(cidr);
  set_path(range, "spec", std::move(spec));
  json::value address = object("networking.k8s.io/v1", "IPAddress", std::string(first));
  set_path(address, "metadata.labels",
           json::object{{"ipaddress.kubernetes.io/ip-family", "IPv4"},
                        {"ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"}});
  set_path(
      address, "spec.parentRef",
      json::object{{"resource", "services"}, {"namespace", "default"}, {"name", "kubernetes"}});
  std::vector<json::value> out;
  out.push_back(std::move(range));
  out.push_back(std::move(address));
  return out;
}

json::value token_tracking_map(std::string_view day) {
  json::value out =
      object("v1", "ConfigMap", "kube-apiserver-legacy-service-account-token-tracking");
  set_path(out, "metadata.namespace", json::value("kube-system"));
  set_path(out, "data.since", json::value(day));
  return out;
}

}  // namespace coracle::apiserver
