#include "apiserver/bootstrap.hpp"

#include "api/object.hpp"
#include "api/strategy.hpp"
#include "apiserver/aggregation/front_proxy.hpp"
#include "apiserver/bootstrap_objects.hpp"
#include "apiserver/flow/flow_keeper.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::int64_t kClusterCritical = 2'000'000'000;
constexpr std::int64_t kNodeCritical = 2'000'001'000;

json::value text_object(std::string_view text) {
  auto parsed = parse_json(text);
  CHECK(parsed.ok());
  return *std::move(parsed);
}

json::value a_namespace(const std::string& name) {
  return text_object(R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":")" + name +
                     "\"}}");
}

json::value a_priority_class(const std::string& name, std::int64_t value, const std::string& use) {
  return text_object(
      R"({"kind":"PriorityClass","apiVersion":"scheduling.k8s.io/v1","metadata":{"name":")" + name +
      R"("},"value":)" + std::to_string(value) + R"(,"description":")" + use + "\"}");
}

json::value kubernetes_service(int port) {
  return text_object(
      R"({"kind":"Service","apiVersion":"v1","metadata":{"name":"kubernetes","namespace":"default",)"
      R"("labels":{"component":"apiserver","provider":"kubernetes"}},"spec":{"type":"ClusterIP",)"
      R"("ports":[{"name":"https","protocol":"TCP","port":443,"targetPort":)" +
      std::to_string(port) + "}]}}");
}

json::value kubernetes_endpoints(const ServerAddress& address) {
  return text_object(
      R"({"kind":"Endpoints","apiVersion":"v1","metadata":{"name":"kubernetes",)"
      R"("namespace":"default","labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}},)"
      R"("subsets":[{"addresses":[{"ip":")" +
      address.ip + R"("}],"ports":[{"name":"https","protocol":"TCP","port":)" +
      std::to_string(address.port) + "}]}]}");
}

json::value kubernetes_slice(const ServerAddress& address) {
  return text_object(
      R"({"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{)"
      R"("name":"kubernetes","namespace":"default","labels":{)"
      R"("kubernetes.io/service-name":"kubernetes"}},"addressType":"IPv4","endpoints":[{)"
      R"("addresses":[")" +
      address.ip +
      R"("],"conditions":{"ready":true}}],"ports":[{"name":"https","protocol":"TCP","port":)" +
      std::to_string(address.port) + "}]}");
}

json::object authentication_data(const TrustedCas& cas) {
  json::object data;
  if (!cas.client_pem.empty()) data["client-ca-file"] = cas.client_pem;
  if (cas.front_proxy_pem.empty()) return data;
  const auto list = [](std::string_view one) { return "[" + quoted(one) + "]"; };
  json::array names;
  for (const std::string& name : cas.front_proxy_names) names.emplace_back(name);
  data["requestheader-allowed-names"] = to_json(json::value(std::move(names)));
  data["requestheader-client-ca-file"] = cas.front_proxy_pem;
  data["requestheader-extra-headers-prefix"] = list(kRemoteExtra);
  data["requestheader-group-headers"] = list(kRemoteGroup);
  data["requestheader-username-headers"] = list(kRemoteUser);
  return data;
}

json::value authentication_map(const TrustedCas& cas) {
  json::value map =
      text_object(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{)"
                  R"("name":"extension-apiserver-authentication","namespace":"kube-system"}})");
  json::object data = authentication_data(cas);
  if (!data.empty()) set_path(map, "data", std::move(data));
  return map;
}

// One that is there is of another start, maybe with other CAs.
Task<Status> renew_authentication_map(Machinery& m, Registry& registry, const TrustedCas& cas) {
  const api::ResourceInfo* maps = m.catalog.find("", "v1", "configmaps");
  if (maps == nullptr) co_return Status();
  const json::object wanted = authentication_data(cas);
  const Decide decide = [&wanted](const json::value& now) -> Outcome<Change> {
    Change change{Change::Kind::kPut, now};
    for (const auto& [key, value] : wanted) make_object(change.object, "data")[key] = value;
    if (api::same_object(change.object, now)) change.kind = Change::Kind::kNone;
    return change;
  };
  const auto saved = co_await registry.access().mutate(
      {maps, "kube-system", "extension-apiserver-authentication"}, decide, false);
  if (saved.ok() || saved.error().http_code == 404) co_return Status();
  co_return unavailable(std::string(saved.error().message()));
}

// The levels are made before the schemas: those of the default ones are there.
json::value found_level(Machinery& m, const json::value& schema) {
  return dangling_condition(get_string(schema, "spec.priorityLevelConfiguration.name"), true,
                            m.executor.wall_now());
}

Task<Status> ensure(Machinery& m, Registry& registry, json::value object) {
  const api::ResourceInfo* info = m.catalog.find_for(object);
  if (info == nullptr) co_return Status();  // a smaller catalog (tests) has no such kind
  const Target target{info, std::string(api::namespace_of(object)),
                      std::string(api::name_of(object))};
  client::RangeRequest look;
  look.key = target.key();
  look.keys_only = true;
  const auto there = co_await m.store.range(std::move(look));
  if (!there.ok()) co_return there.status();
  if (!there->kvs.empty()) co_return Status();
  co_return co_await create_as_server(m, registry, std::move(object));
}

}  // namespace

Task<Status> create_as_server(Machinery& m, Registry& registry, json::value object) {
  const api::ResourceInfo* info = m.catalog.find_for(object);
  CHECK(info != nullptr);
  const Target target{info, std::string(api::namespace_of(object)),
                      std::string(api::name_of(object))};
  api::default_object(*info, m.hooks, object);
  const json::value status = info->kind == "FlowSchema" ? found_level(m, object) : json::value();
  api::prepare_create(*info, m.hooks, object, {m.rng.uuid(), format_time(m.executor.wall_now())});
  if (!status.is_null()) set_path(object, "status.conditions", json::array{status});
  ServiceClaims claims;
  if (info->kind == "Service") {
    set_path(object, "spec.clusterIP", json::value(registry.services().ranges().first_address()));
    auto claimed = co_await registry.services().claim(object, json::value());
    // Taken: another apiserver is making the same service just now.
    if (claimed.ok()) claims = *std::move(claimed);
    claims.fill(object);
  }
  const auto saved =
      co_await registry.access().create(target, encode_stored(*target.storage, object), false);
  if (saved.ok() || saved.error().http_code == 409) co_return Status();
  co_return unavailable(std::string(saved.error().message()));
}

Task<Status> bootstrap(Machinery& m, Registry& registry, ServerAddress address, TrustedCas cas) {
  std::vector<json::value> objects;
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    objects.push_back(a_namespace(name));
  }
  objects.push_back(a_priority_class("system-cluster-critical", kClusterCritical,
                                     "Pods the cluster cannot do without."));
  objects.push_back(
      a_priority_class("system-node-critical", kNodeCritical, "Pods a node cannot do without."));
  objects.push_back(kubernetes_service(address.port));
  objects.push_back(kubernetes_endpoints(address));
  objects.push_back(kubernetes_slice(address));
  objects.push_back(authentication_map(cas));
  const ServiceRanges& ranges = registry.services().ranges();
  objects.push_back(token_tracking_map(format_time(m.executor.wall_now()).substr(0, 10)));
  for (auto& more : {service_network_objects(ranges.cidr, ranges.first_address()),
                     flow_control_objects(), api_service_objects(m.catalog)}) {
    objects.insert(objects.end(), more.begin(), more.end());
  }
  for (json::value& object : objects) {
    const Status made = co_await ensure(m, registry, std::move(object));
    if (!made.ok()) co_return made;
  }
  co_return co_await renew_authentication_map(m, registry, cas);
}

}  // namespace coracle::apiserver
