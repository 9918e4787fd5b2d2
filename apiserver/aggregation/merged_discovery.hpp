// merged_discovery: the discovery documents with what other servers answer for. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/catalog.hpp"

namespace coracle::apiserver {

// What is known of one group version of another server.
struct RemoteDiscovery {
  std::string group, version;
  int group_priority = 0, version_priority = 0;
  bool available = false;
  json::array resources;     // as in aggregated discovery
  std::string openapi_hash;  // of its OpenAPI v3 document; "": it has none

  friend bool operator==(const RemoteDiscovery&, const RemoteDiscovery&) = default;
};

// Into /apis, aggregated; versions that are not available are Stale.
json::value merge_aggregated(json::value document, const api::Catalog& catalog,
                             const std::vector<RemoteDiscovery>& remote);
// Into /apis, legacy: available ones only.
json::value merge_group_list(json::value document, const api::Catalog& catalog,
                             const std::vector<RemoteDiscovery>& remote);
// /apis/GROUP: `own` is ours or null. Null when nobody has the group.
json::value merge_group(json::value own, std::string_view group,
                        const std::vector<RemoteDiscovery>& remote);
// Resources of an APIResourceList in the aggregated form.
json::array aggregated_resources(const json::value& resource_list);

}  // namespace coracle::apiserver
