#include "kubelet_driver/pod_sources.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kFresh = std::chrono::seconds(2);
constexpr size_t kKeptMax = 2000;

// Values of a Secret, and binaryData of a ConfigMap, as the bytes they stand for.
void decode_values(json::value* object, const char* field) {
  json::value* data = object->is_object() ? object->get_object().if_contains(field) : nullptr;
  if (data == nullptr || !data->is_object()) return;
  for (auto& member : data->get_object()) {
    if (!member.value().is_string()) continue;
    auto bytes = base64_decode(member.value().get_string());
    if (bytes.ok()) member.value() = std::move(*bytes);
  }
}

}  // namespace

PodSources::PodSources(Executor& executor, client::Api& api)
    : executor_(executor),
      config_maps_(api, {"", "v1", "configmaps", true}),
      secrets_(api, {"", "v1", "secrets", true}),
      services_(api, {"", "v1", "services", true}),
      claims_(api, {"", "v1", "persistentvolumeclaims", true}),
      volumes_(api, {"", "v1", "persistentvolumes", false}),
      accounts_(api, {"", "v1", "serviceaccounts", true}),
      device_claims_(api, {"resource.k8s.io", "v1", "resourceclaims", true}) {}

Task<Result<json::value>> PodSources::get(std::string kind, std::string ns, std::string name,
                                          TimePoint since) {
  const std::string key = kind + "/" + ns + "/" + name;
  const auto found = kept_.find(key);
  const TimePoint asked = executor_.now();
  if (found != kept_.end() && asked - found->second.at < kFresh && found->second.at >= since) {
    co_return found->second.value;
  }
  json::value value;
  if (kind == "services") {
    client::ListOptions options;
    options.namespace_name = ns;
    auto list = co_await services_.list_all(options);
    if (!list.ok()) co_return unavailable(list.error().message);
    value = std::move(list.value());
  } else {
    const client::ResourceClient& from = kind == "configmaps" ? config_maps_ : secrets_;
    auto object = co_await from.get(ns, name);
    if (object.ok()) {
      value = std::move(object.value());
      decode_values(&value, kind == "secrets" ? "data" : "binaryData");
    } else if (!object.error().is_not_found()) {
      co_return unavailable(object.error().message);
    }
  }
  if (kept_.size() >= kKeptMax) kept_.clear();
  kept_[key] = {asked, value};
  co_return value;
}

Task<Result<Sources>> PodSources::fetch(std::string ns, SourceNames names, bool services,
                                        TimePoint since) {
  Sources out;
  for (const std::string& name : names.config_maps) {
    CO_ASSIGN_OR_RETURN(out.config_maps[name], co_await get("configmaps", ns, name, since));
  }
  for (const std::string& name : names.secrets) {
    CO_ASSIGN_OR_RETURN(out.secrets[name], co_await get("secrets", ns, name, since));
  }
  if (!services) co_return out;
  for (const std::string& from : {ns, std::string("default")}) {
    if (from == "default" && ns == "default" && !out.services.empty()) break;
    CO_ASSIGN_OR_RETURN(const json::value list, co_await get("services", from, "", since));
    for (const json::value& service : get_array(list, "items")) {
      const bool master = get_string(service, "metadata.name") == "kubernetes";
      if (from == ns || master) out.services.push_back(service);
    }
  }
  co_return out;
}

Task<Result<json::value>> PodSources::volume_of_claim(std::string ns, std::string claim) {
  auto object = co_await claims_.get(ns, claim);
  if (!object.ok() && object.error().is_not_found()) {
    co_return not_found(fmt::format("persistentvolumeclaim \"{}\" not found", claim));
  }
  if (!object.ok()) co_return unavailable(object.error().message);
  const std::string name(get_string(object.value(), "spec.volumeName"));
  if (name.empty() || get_string(object.value(), "status.phase") != "Bound") {
    co_return failed_precondition("can't use unbound PVC");
  }
  auto volume = co_await volumes_.get("", name);
  if (!volume.ok()) co_return unavailable(volume.error().message);
  co_return std::move(volume.value());
}

Task<Result<json::value>> PodSources::device_claim(std::string ns, std::string claim) {
  auto object = co_await device_claims_.get(ns, claim);
  if (object.ok()) co_return std::move(object.value());
  if (object.error().is_not_found()) co_return json::value();
  co_return unavailable(object.error().message);
}

Task<Result<PodSources::Token>> PodSources::token(std::string ns, std::string account,
                                                  json::value pod, TokenWanted wanted) {
  json::value request = json::object();
  set_path(request, "apiVersion", json::value("authentication.k8s.io/v1"));
  set_path(request, "kind", json::value("TokenRequest"));
  if (!wanted.audience.empty()) {
    json::array audiences;
    audiences.emplace_back(wanted.audience);
    set_path(request, "spec.audiences", std::move(audiences));
  }
  set_path(request, "spec.expirationSeconds", json::value(wanted.expiration_seconds));
  set_path(request, "spec.boundObjectRef.apiVersion", json::value("v1"));
  set_path(request, "spec.boundObjectRef.kind", json::value("Pod"));
  set_path(request, "spec.boundObjectRef.name", json::value(get_string(pod, "metadata.name")));
  set_path(request, "spec.boundObjectRef.uid", json::value(get_string(pod, "metadata.uid")));
  auto made = co_await accounts_.create_subresource(ns, account, "token", request);
  if (!made.ok()) {
    co_return failed_precondition(fmt::format("failed to fetch token: {}", made.error().message));
  }
  Token token;
  token.text = get_string(made.value(), "status.token");
  const auto expires = parse_time(get_string(made.value(), "status.expirationTimestamp"));
  token.expires = expires.ok() ? *expires : executor_.wall_now() + std::chrono::hours(1);
  co_return token;
}

}  // namespace coracle::kubelet
