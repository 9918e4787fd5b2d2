// openapi: OpenAPI v3 documents from the catalog, as small as stock kubectl's apply, diff, edit and
// explain allow (KUBE-CONTRACT 2). Pure; callers keep the texts.
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

// One for each group and version, in the catalog's order. Tens of milliseconds.
std::vector<OpenApiDocument> openapi_documents(const Catalog& catalog);
// /openapi/v3: {paths: {"api/v1": {serverRelativeURL: "/openapi/v3/api/v1?hash=H"}}}
json::value openapi_index(const std::vector<OpenApiDocument>& documents);
// One group version: without path or hash work.
json::value openapi_document(const Catalog& catalog, std::string_view group,
                             std::string_view version);

}  // namespace coracle::api
