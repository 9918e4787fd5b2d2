// discovery: the documents under /api and /apis, legacy and aggregated, from the catalog. Pure;
// callers keep the texts (they change only with the catalog).
#pragma once

#include <string_view>

#include "api/catalog.hpp"
#include "base/json.hpp"

namespace coracle::api {

// /api: APIVersions; address = host:port told to clients in serverAddressByClientCIDRs.
json::value core_versions(std::string_view address);
json::value group_list(const Catalog& catalog);                                      // /apis
Result<json::value> group_document(const Catalog& catalog, std::string_view group);  // /apis/G
// /api/v1, /apis/G/V: APIResourceList with subresources. NotFound when unknown.
Result<json::value> resource_list(const Catalog& catalog, std::string_view group,
                                  std::string_view version);
// apidiscovery.k8s.io/v2 for /api (core = true) or /apis.
json::value aggregated_discovery(const Catalog& catalog, bool core);
inline constexpr std::string_view kAggregatedContentType =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

}  // namespace coracle::api
