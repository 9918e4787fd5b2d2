#include "apiserver/aggregation/api_services.hpp"

#include "base/encoding.hpp"

namespace coracle::apiserver {

namespace {

bool is_available(const json::value& service) {
  for (const json::value& condition : get_array(service, "status.conditions")) {
    if (get_string(condition, "type") == "Available") {
      return get_string(condition, "status") == "True";
    }
  }
  return false;
}

RemoteVersion remote_version(std::string_view name, const json::value& object) {
  RemoteVersion out;
  out.name = name;
  out.group = get_string(object, "spec.group");
  out.version = get_string(object, "spec.version");
  out.service.ns = get_string(object, "spec.service.namespace");
  out.service.name = get_string(object, "spec.service.name");
  out.service.port = static_cast<int>(get_int(object, "spec.service.port", 443));
  if (auto pem = base64_decode(get_string(object, "spec.caBundle")); pem.ok()) {
    out.ca_pem = *std::move(pem);
  }
  out.insecure = get_bool(object, "spec.insecureSkipTLSVerify");
  out.available = is_available(object);
  out.group_priority = static_cast<int>(get_int(object, "spec.groupPriorityMinimum"));
  out.version_priority = static_cast<int>(get_int(object, "spec.versionPriority"));
  return out;
}

}  // namespace

Result<RemoteServer> RemoteVersion::route(const StoreFeed& feed, Rng& rng) const {
  ASSIGN_OR_RETURN(const ServiceRoute to, route_to_service(feed, rng, service));
  return RemoteServer{to.host, to.port, service.server_name(), ca_pem, insecure, true};
}

const std::vector<RemoteVersion>& ApiServices::remote() {
  const ResourceCache* cache = feed_.cache(kApiServicesPrefix);
  if (cache == nullptr) return remote_;
  if (cache->last_change() == as_of_ && cache->size() == size_) return remote_;
  remote_.clear();
  cache->scan("", "", [&](const ObjectPtr& object) {
    const auto tree = parse_json("{" + *object->tail());
    CHECK(tree.ok());
    const json::value* service = coracle::find(*tree, "spec.service");
    if (service != nullptr && service->is_object()) {
      remote_.push_back(remote_version(object->name(), *tree));
    }
    return true;
  });
  as_of_ = cache->last_change();
  size_ = cache->size();
  return remote_;
}

const RemoteVersion* ApiServices::find(std::string_view group, std::string_view version) {
  for (const RemoteVersion& one : remote()) {
    if (one.group == group && one.version == version) return &one;
  }
  return nullptr;
}

}  // namespace coracle::apiserver
