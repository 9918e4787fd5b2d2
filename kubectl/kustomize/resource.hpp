// A resource while a kustomization is built: the object, and the names it has had. Value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::kustomize {

struct Resource {
  json::value object;
  std::vector<std::string> names;  // before this one, oldest first
  std::string first_ns;            // the namespace it came with
  bool hashed = false;             // a generator's: its name gets a suffix of its content

  std::string kind() const { return std::string(get_string(object, "kind")); }
  std::string name() const { return std::string(get_string(object, "metadata.name")); }
  std::string ns() const { return std::string(get_string(object, "metadata.namespace")); }
  bool was_named(std::string_view name) const;
  void rename(const std::string& name);
};
using Resources = std::vector<Resource>;

bool is_cluster_scoped(const json::value& object);
// "apps" and "v1" of apps/v1; "" and "v1" of v1.
std::pair<std::string, std::string> group_version(const json::value& object);

// Calls `visit` with each value at the path, "a.b[].c": [] stands for every element. With `make`,
// objects on the way (not in lists) are made; the last member is then null if it was not there.
void visit_path(json::value& root, std::string_view path, bool make,
                const std::function<void(json::value&)>& visit);
// Where kinds keep a pod's spec: "spec", "spec.template.spec", ...; empty: they have none.
std::string pod_spec_of(std::string_view kind);

}  // namespace coracle::kustomize
