// openapi: OpenAPI v3 and v2 documents from the catalog, as small as stock kubectl's apply, diff,
// edit and explain allow (KUBE-CONTRACT 2). Pure; callers keep the texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/catalog.hpp"
#include "base/json.hpp"

namespace coracle::api {

struct OpenApiDocument {
  std::string path;  // "api/v1", "apis/apps/v1"
  std::string body;  // compact JSON
  std::string hash;  // upper-case hex, of the body
};

OpenApiDocument make_openapi_document(const Catalog& catalog, std::string_view group,
                                      std::string_view version);
// One for each group and version, in the catalog's order. Tens of milliseconds.
std::vector<OpenApiDocument> openapi_documents(const Catalog& catalog);
// /openapi/v3: {paths: {"api/v1": {serverRelativeURL: "/openapi/v3/api/v1?hash=H"}}}
json::value openapi_index(const std::vector<OpenApiDocument>& documents);
// What a kind's schema is called: io.k8s.api.apps.v1.Deployment, com.example.v1.CronTab.
std::string openapi_name(const ResourceInfo& info);
// One group version: without path or hash work.
json::value openapi_document(const Catalog& catalog, std::string_view group,
                             std::string_view version);

// /openapi/v2: all kinds in one Swagger document; and the same as the protobuf message that kubectl
// of old asks for. Both are large: make them when asked for.
json::value openapi_v2(const Catalog& catalog);
std::string openapi_v2_protobuf(const json::value& document);

}  // namespace coracle::api
