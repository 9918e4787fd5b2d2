// What the server offers: its resources by any name people give them. From the aggregated discovery
// documents. Pure; immutable once built.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::kubectl {

struct Resource {
  std::string group, version, plural, singular, kind;
  std::vector<std::string> short_names, categories, verbs, subresources;
  bool namespaced = true;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  std::string group_resource() const { return group.empty() ? plural : plural + "." + group; }
  // "deployment.apps/web"
  std::string object_name(std::string_view name) const;
  // "/apis/apps/v1/namespaces/NS/deployments/NAME/SUB"; an empty ns or name leaves its part out.
  std::string path(std::string_view ns, std::string_view name = {},
                   std::string_view subresource = {}) const;
  bool has_verb(std::string_view verb) const;
};

class Discovery {
 public:
  // Adds an APIGroupDiscoveryList.
  void add(const json::value& document);

  // "po", "pod", "pods", "deploy.apps", "deployments.v1.apps", in any case; the first group of the
  // server's order that has it. nullptr when none.
  const Resource* find(std::string_view text) const;
  const Resource* find_kind(std::string_view api_version, std::string_view kind) const;
  // Those of a category ("all"), in the server's order.
  std::vector<const Resource*> category(std::string_view name) const;
  // Each group's preferred version first.
  const std::vector<Resource>& resources() const { return resources_; }
  // "v1", "apps/v1", ..., in the server's order.
  const std::vector<std::string>& api_versions() const { return api_versions_; }

 private:
  std::vector<Resource> resources_;
  std::vector<std::string> api_versions_;
};

// "deployment.apps/web" of an object that carries apiVersion, kind and metadata.name.
std::string printed_name(const json::value& object);
// "deployment.apps"
std::string printed_kind(const json::value& object);

}  // namespace coracle::kubectl
