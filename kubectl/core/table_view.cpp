#include "kubectl/table_view.hpp"

#include <algorithm>
#include <cctype>

#include "api/jsonpath.hpp"
#include "api/object.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"
#include "kubectl/failure.hpp"

namespace coracle::kubectl {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// One line: what follows a line break is cut.
std::string cell_text(const json::value& cell) {
  if (cell.is_null()) return {};
  if (!cell.is_string()) return api::jsonpath_text(cell);
  std::string text(cell.as_string());
  const size_t end = text.find_first_of("\f\n\r");
  if (end != text.npos) text = text.substr(0, end) + "...";
  return text;
}

std::string labels_text(const json::object& labels) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels) {
    parts.push_back(std::string(key) + "=" +
                    (value.is_string() ? std::string(value.as_string()) : ""));
  }
  std::sort(parts.begin(), parts.end());
  return parts.empty() ? "<none>" : join(parts, ",");
}

json::value column(const char* name, const char* format) {
  json::object out;
  out["name"] = name;
  out["type"] = "string";
  out["format"] = format;
  out["priority"] = 0;
  return json::value(std::move(out));
}

json::value plain_row(const json::value& object, WallTime now) {
  json::object row;
  const auto created = parse_time(api::creation_timestamp_of(object));
  json::array cells;
  cells.emplace_back(api::name_of(object));
  cells.emplace_back(created.ok() ? human_duration(now - *created) : "<unknown>");
  row["cells"] = std::move(cells);
  row["object"] = object;
  return json::value(std::move(row));
}

const json::value* sort_value(const json::value& item, const api::JsonPath& path, bool rows) {
  const json::value* object = rows ? ::coracle::find(item, "object") : &item;
  if (!object) return nullptr;
  const auto found = path.find(*object, {.allow_missing_keys = true});
  if (!found.ok() || found->empty() || found->front().empty()) return nullptr;
  return found->front().front();
}

bool value_less(const json::value* a, const json::value* b) {
  if (!a || !b) return !a && b;
  if (a->is_number() && b->is_number()) {
    const auto number = [](const json::value& v) {
      return v.is_double() ? v.as_double() : static_cast<double>(v.to_number<std::int64_t>());
    };
    return number(*a) < number(*b);
  }
  if (a->is_string() && b->is_string()) return natural_less(a->as_string(), b->as_string());
  return api::jsonpath_text(*a) < api::jsonpath_text(*b);
}

}  // namespace

json::value as_table(json::value answer, WallTime now) {
  if (get_string(answer, "kind") == "Table") return answer;
  json::object table;
  table["kind"] = "Table";
  json::array columns;
  columns.push_back(column("Name", "name"));
  columns.push_back(column("Age", ""));
  table["columnDefinitions"] = std::move(columns);
  json::array rows;
  if (const json::value* items = ::coracle::find(answer, "items"); items && items->is_array()) {
    for (const json::value& item : items->as_array()) rows.push_back(plain_row(item, now));
    if (const json::value* metadata = ::coracle::find(answer, "metadata")) {
      table["metadata"] = *metadata;
    }
  } else {
    rows.push_back(plain_row(answer, now));
  }
  table["rows"] = std::move(rows);
  return json::value(std::move(table));
}

TextRow table_header(const json::value& columns, const TableView& view) {
  TextRow out;
  if (view.with_namespace) out.emplace_back("NAMESPACE");
  for (const json::value& definition : columns.as_array()) {
    if (get_int(definition, "priority") != 0 && !view.wide) continue;
    out.push_back(upper(get_string(definition, "name")));
  }
  for (const std::string& label : view.label_columns) {
    out.push_back(upper(std::string_view(label).substr(label.rfind('/') + 1)));
  }
  if (view.show_labels) out.emplace_back("LABELS");
  return out;
}

std::vector<TextRow> table_rows(const json::value& columns, const json::value& table,
                                const Resource& resource, const TableView& view) {
  std::vector<TextRow> out;
  for (const json::value& row : get_array(table, "rows")) {
    const json::value* found = ::coracle::find(row, "object");
    const json::value object = found ? *found : json::value();
    TextRow cells;
    if (view.with_namespace) cells.emplace_back(api::namespace_of(object));
    const json::array& values = get_array(row, "cells");
    for (size_t i = 0; i < columns.as_array().size() && i < values.size(); ++i) {
      const json::value& definition = columns.as_array()[i];
      if (get_int(definition, "priority") != 0 && !view.wide) continue;
      std::string text = cell_text(values[i]);
      if (i == 0 && view.show_kind) text = resource.object_name(text);
      cells.push_back(std::move(text));
    }
    for (const std::string& label : view.label_columns) {
      cells.emplace_back(api::label_of(object, label));
    }
    if (view.show_labels) cells.push_back(labels_text(api::labels_of(object)));
    out.push_back(std::move(cells));
  }
  return out;
}

Status sort_by_path(json::array& list, std::string_view path, bool rows) {
  auto parsed = api::JsonPath::parse_relaxed(path);
  if (!parsed.ok()) return fail(parsed.status().message());
  bool any = list.empty();
  for (const json::value& item : list) any |= sort_value(item, *parsed, rows) != nullptr;
  if (!any) {
    std::string shown(path);
    if (shown.find('{') == shown.npos) shown = "{" + shown + "}";
    return fail("couldn't find any field with path " + quoted(shown) + " in the list of objects");
  }
  std::stable_sort(list.begin(), list.end(), [&](const json::value& a, const json::value& b) {
    return value_less(sort_value(a, *parsed, rows), sort_value(b, *parsed, rows));
  });
  return {};
}

bool natural_less(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      while (i < a.size() && a[i] == '0') ++i;
      while (j < b.size() && b[j] == '0') ++j;
      size_t end_a = i, end_b = j;
      while (end_a < a.size() && digit(a[end_a])) ++end_a;
      while (end_b < b.size() && digit(b[end_b])) ++end_b;
      if (end_a - i != end_b - j) return end_a - i < end_b - j;
      const int order = a.substr(i, end_a - i).compare(b.substr(j, end_b - j));
      if (order != 0) return order < 0;
      i = end_a, j = end_b;
      continue;
    }
    if (a[i] != b[j]) return a[i] < b[j];
    ++i, ++j;
  }
  return a.size() - i < b.size() - j;
}

}  // namespace coracle::kubectl
