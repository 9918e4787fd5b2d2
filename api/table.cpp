#include "api/table.hpp"

#include <algorithm>

#include "api/jsonpath.hpp"
#include "api/object.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kNameText =
    "Name must be unique within a namespace. It names the object to clients and cannot change.";
constexpr std::string_view kCreatedText = "When the server stored the object, in UTC.";

json::object definition(const Column& column) {
  json::object out;
  out["name"] = column.name;
  out["type"] = column.type == "date" ? std::string_view("string") : column.type;
  out["format"] = column.format;
  out["description"] = column.description;
  out["priority"] = column.priority;
  return out;
}

json::value age_cell(const json::value* created, WallTime now) {
  if (created == nullptr || !created->is_string()) return "<unknown>";
  const Result<WallTime> time = parse_time(created->as_string());
  if (!time.ok()) return "<unknown>";
  return json::value(std::string_view(human_duration(now - *time)));
}

json::value path_cell(const Column& column, const json::value& object, WallTime now) {
  const auto values = jsonpath_values(object, column.json_path);
  if (column.type == "date") return age_cell(values.empty() ? nullptr : values[0], now);
  if (values.empty()) {
    // Go prints the zero of a counter, and an empty cell for a text.
    if (column.type == "integer") return 0;
    return "<none>";
  }
  const json::value& value = *values[0];
  if (column.type == "integer" || column.type == "number") {
    if (value.is_number()) return value;
    return 0;
  }
  if (column.type == "boolean" && value.is_bool()) return value;
  return json::value(std::string_view(jsonpath_text(value)));
}

// A cell of a custom kind: null, which clients show as nothing, where there is no such value.
json::value custom_cell(const Column& column, const json::value& object, WallTime now) {
  const auto values = jsonpath_values(object, column.json_path);
  if (values.empty() || values[0]->is_null()) return nullptr;
  const json::value& value = *values[0];
  if (column.type == "string") return json::value(std::string_view(jsonpath_text(value)));
  if (column.type == "boolean") return value.is_bool() ? value : json::value(nullptr);
  if (column.type == "number") return value.is_number() ? value : json::value(nullptr);
  if (column.type == "integer") {
    if (value.is_double()) return static_cast<std::int64_t>(value.get_double());
    return value.is_number() ? value : json::value(nullptr);
  }
  if (column.type != "date" || !value.is_string()) return nullptr;
  return parse_time(value.as_string()).ok() ? age_cell(&value, now) : json::value("<invalid>");
}

json::value cell(const ResourceInfo& info, const Column& column, const HookTable& hooks,
                 const json::value& object, WallTime now) {
  if (info.custom != nullptr) return custom_cell(column, object, now);
  if (column.hook.empty()) return path_cell(column, object, now);
  const ColumnHook* hook = hooks.column(column.hook);
  if (hook == nullptr) return "<unknown>";
  return hook->cell(object, now);
}

std::string meta_api_version(std::string_view version) {
  return "meta.k8s.io/" + std::string(version);
}

// A kind whose own columns show the name somewhere (events do) has no Name in front.
bool has_implied_name(const ResourceInfo& info) {
  return std::none_of(info.columns.begin(), info.columns.end(),
                      [](const Column& column) { return column.format == "name"; });
}

}  // namespace

Result<IncludeObject> parse_include_object(std::string_view text) {
  if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
  if (text == "Object") return IncludeObject::kObject;
  if (text == "None") return IncludeObject::kNone;
  return invalid_argument("unrecognized includeObject value: \"" + std::string(text) + "\"");
}

json::array column_definitions(const ResourceInfo& info) {
  json::array out;
  Column name;
  name.name = "Name";
  name.type = "string";
  name.format = "name";
  name.description = kNameText;
  if (has_implied_name(info)) out.push_back(definition(name));
  if (info.columns.empty()) {
    Column created;
    created.name = "Created At";
    created.type = "date";
    created.description = kCreatedText;
    out.push_back(definition(created));
  }
  for (const Column& column : info.columns) out.push_back(definition(column));
  return out;
}

json::value table_row(const ResourceInfo& info, const HookTable& hooks, const json::value& object,
                      WallTime now, const TableOptions& options) {
  json::object row;
  json::array cells;
  if (has_implied_name(info)) cells.emplace_back(name_of(object));
  if (info.columns.empty()) cells.emplace_back(creation_timestamp_of(object));
  for (const Column& column : info.columns) cells.push_back(cell(info, column, hooks, object, now));
  row["cells"] = std::move(cells);
  switch (options.include) {
    case IncludeObject::kMetadata:
      row["object"] = partial_object(object, options.meta_version);
      break;
    case IncludeObject::kObject:
      row["object"] = object;
      break;
    case IncludeObject::kNone:
      row["object"] = nullptr;
      break;
  }
  return row;
}

json::value table_of_rows(const ResourceInfo& info, json::array rows, json::object list_metadata,
                          const TableOptions& options) {
  json::object table;
  table["kind"] = "Table";
  table["apiVersion"] = meta_api_version(options.meta_version);
  table["metadata"] = std::move(list_metadata);
  table["columnDefinitions"] = nullptr;
  if (options.with_columns) table["columnDefinitions"] = column_definitions(info);
  table["rows"] = std::move(rows);
  return table;
}

json::value make_table(const ResourceInfo& info, const HookTable& hooks,
                       std::span<const json::value* const> objects, json::object list_metadata,
                       WallTime now, const TableOptions& options) {
  json::array rows;
  rows.reserve(objects.size());
  for (const json::value* object : objects) {
    rows.push_back(table_row(info, hooks, *object, now, options));
  }
  return table_of_rows(info, std::move(rows), std::move(list_metadata), options);
}

json::value partial_object(const json::value& object, std::string_view meta_version) {
  json::object out;
  out["kind"] = "PartialObjectMetadata";
  out["apiVersion"] = meta_api_version(meta_version);
  out["metadata"] = get_object(object, "metadata");
  return out;
}

json::value partial_list(std::span<const json::value* const> objects, json::object list_metadata,
                         std::string_view meta_version) {
  json::object out;
  out["kind"] = "PartialObjectMetadataList";
  out["apiVersion"] = meta_api_version(meta_version);
  out["metadata"] = std::move(list_metadata);
  json::array items;
  items.reserve(objects.size());
  for (const json::value* object : objects) items.push_back(partial_object(*object, meta_version));
  out["items"] = std::move(items);
  return out;
}

}  // namespace coracle::api
