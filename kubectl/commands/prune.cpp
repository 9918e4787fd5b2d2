#include "commands/prune.hpp"

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/last_applied.hpp"

namespace coracle::kubectl {
namespace {

// kubectl's own list, in its order.
constexpr const char* kAllowed[] = {"core/v1/ConfigMap",
                                    "core/v1/Endpoints",
                                    "core/v1/Namespace",
                                    "core/v1/PersistentVolumeClaim",
                                    "core/v1/PersistentVolume",
                                    "core/v1/Pod",
                                    "core/v1/ReplicationController",
                                    "core/v1/Secret",
                                    "core/v1/Service",
                                    "batch/v1/Job",
                                    "batch/v1/CronJob",
                                    "networking.k8s.io/v1/Ingress",
                                    "apps/v1/DaemonSet",
                                    "apps/v1/Deployment",
                                    "apps/v1/ReplicaSet",
                                    "apps/v1/StatefulSet"};

Result<Resource> resource_of(const Discovery& discovery, const std::string& text) {
  const auto parts = split(text, '/');
  if (parts.size() != 3) {
    return fail("invalid GroupVersionKind format: " + text +
                ", please follow <group/version/kind>");
  }
  const std::string version = parts[0] == "core" ? parts[1] : parts[0] + "/" + parts[1];
  const Resource* found = discovery.find_kind(version, parts[2]);
  if (found == nullptr) {
    return fail("no matches for kind " + quoted(parts[2]) + " in version " + quoted(version));
  }
  return *found;
}

class Pruner {
 public:
  Pruner(Session& session, WriteReport& report, const Applied& applied, const PruneRequest& request)
      : session_(session), report_(report), applied_(applied), request_(request) {}

  Status prune(const Resource& resource, const std::string& ns) {
    client::QueryList query;
    if (!request_.selector.empty()) query.emplace_back("labelSelector", request_.selector);
    TRY_SERVER(const json::value list, session_.list(resource, ns, query));
    for (const json::value& item : get_array(list, "items")) {
      if (!get_last_applied(item) || applied_.uids.contains(std::string(api::uid_of(item)))) {
        continue;
      }
      json::value object = item;
      object.as_object()["apiVersion"] = resource.api_version();
      object.as_object()["kind"] = resource.kind;
      RETURN_IF_ERROR(remove(resource, object));
    }
    return {};
  }

 private:
  Status remove(const Resource& resource, const json::value& object) {
    if (request_.dry_run != DryRun::kClient) {
      json::object options{{"propagationPolicy", "Background"}};
      if (request_.dry_run == DryRun::kServer) {
        options["dryRun"].emplace_array().emplace_back("All");
      }
      const json::value body(std::move(options));
      const std::string target =
          resource.path(std::string(api::namespace_of(object)), std::string(api::name_of(object)));
      TRY_SERVER([[maybe_unused]] const json::value gone,
                 session_.call_json("DELETE", target, &body));
    }
    return report_.print(object, "pruned");
  }

  Session& session_;
  WriteReport& report_;
  const Applied& applied_;
  const PruneRequest& request_;
};

}  // namespace

void Applied::add(const Target& target, const json::value& now) {
  if (!api::uid_of(now).empty()) uids.emplace(api::uid_of(now));
  if (target.resource.namespaced) namespaces.insert(target.ns);
}

Status prune_others(Session& session, WriteReport& report, const Applied& applied,
                    const PruneRequest& request) {
  ASSIGN_OR_RETURN(const Discovery* discovery, session.discovery());
  std::vector<std::string> names = request.allowed;
  if (names.empty()) names.assign(std::begin(kAllowed), std::end(kAllowed));
  std::vector<Resource> inside, outside;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(Resource resource, resource_of(*discovery, name));
    (resource.namespaced ? inside : outside).push_back(std::move(resource));
  }
  Pruner pruner(session, report, applied, request);
  for (const std::string& ns : applied.namespaces) {
    for (const Resource& resource : inside) RETURN_IF_ERROR(pruner.prune(resource, ns));
  }
  for (const Resource& resource : outside) RETURN_IF_ERROR(pruner.prune(resource, ""));
  return {};
}

}  // namespace coracle::kubectl
