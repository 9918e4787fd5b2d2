// table: meta.k8s.io/v1 Table and PartialObjectMetadata. Pure; `now` is for ages.
#pragma once

#include <span>
#include <string_view>

#include "api/catalog.hpp"
#include "api/hooks.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"

namespace coracle::api {

enum class IncludeObject { kMetadata, kObject, kNone };
// "" or "Metadata", "Object", "None"; InvalidArgument otherwise.
Result<IncludeObject> parse_include_object(std::string_view text);

struct TableOptions {
  IncludeObject include = IncludeObject::kMetadata;
  bool with_columns = true;  // false in later events of a watch: columnDefinitions is null
  std::string_view meta_version = "v1";  // or v1beta1
};

// Name first, then the catalog's columns; a kind without columns has Name and Created At ("Age").
json::array column_definitions(const ResourceInfo& info);
// {cells, object}
json::value table_row(const ResourceInfo& info, const HookTable& hooks, const json::value& object,
                      WallTime now, const TableOptions& options);
// The whole Table. list_metadata: resourceVersion, continue, remainingItemCount (may be empty).
json::value make_table(const ResourceInfo& info, const HookTable& hooks,
                       std::span<const json::value* const> objects, json::object list_metadata,
                       WallTime now, const TableOptions& options);
// A Table built from rows made before.
json::value table_of_rows(const ResourceInfo& info, json::array rows, json::object list_metadata,
                          const TableOptions& options);

json::value partial_object(const json::value& object, std::string_view meta_version = "v1");
json::value partial_list(std::span<const json::value* const> objects, json::object list_metadata,
                         std::string_view meta_version = "v1");

}  // namespace coracle::api
