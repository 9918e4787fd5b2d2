#include "metrics_core/metrics_table.hpp"

#include <map>
#include <string>

#include "api/quantity.hpp"

namespace coracle::metrics {
namespace {

json::object column(std::string_view name, const char* format, const char* description) {
  return {{"name", name},
          {"type", "string"},
          {"format", format},
          {"description", description},
          {"priority", 0}};
}

// By resource, of the node or of all containers.
std::map<std::string, api::Quantity> sums_of(const json::value& metrics) {
  std::map<std::string, api::Quantity> sums;
  const auto add = [&](const json::object& usage) {
    for (const auto& [resource, amount] : usage) {
      const auto quantity = api::Quantity::parse(amount.get_string());
      if (quantity.ok()) sums[std::string(resource)].add(*quantity);
    }
  };
  add(get_object(metrics, "usage"));
  for (const json::value& container : get_array(metrics, "containers")) {
    add(get_object(container, "usage"));
  }
  return sums;
}

json::value row_object(const json::value& metrics, std::string_view include) {
  if (include == "Object") return metrics;
  json::object partial;
  partial["kind"] = "PartialObjectMetadata";
  partial["apiVersion"] = "meta.k8s.io/v1";
  partial["metadata"] = get_object(metrics, "metadata");
  return json::value(std::move(partial));
}

}  // namespace

bool wants_table(std::string_view accept) {
  // Clients that can do with less say so behind a comma: the first wish counts.
  return accept.substr(0, accept.find(',')).find("as=Table") != std::string_view::npos;
}

json::value table_of(const json::array& metrics, std::string_view include_object) {
  json::array columns, rows;
  for (const json::value& one : metrics) {
    const auto sums = sums_of(one);
    if (columns.empty()) {
      columns.push_back(column("Name", "name", "Name of the resource"));
      for (const auto& [resource, sum] : sums) columns.push_back(column(resource, "quantity", ""));
      columns.push_back(column("Window", "duration", ""));
    }
    json::array cells;
    cells.emplace_back(get_string(one, "metadata.name"));
    for (const auto& [resource, sum] : sums) cells.emplace_back(sum.text());
    cells.emplace_back(get_string(one, "window"));
    json::object row;
    row["cells"] = std::move(cells);
    row["object"] = include_object == "None" ? json::value() : row_object(one, include_object);
    rows.push_back(std::move(row));
  }
  json::object table;
  table["kind"] = "Table";
  table["apiVersion"] = "meta.k8s.io/v1";
  table["metadata"] = json::object();
  table["columnDefinitions"] = std::move(columns);
  table["rows"] = std::move(rows);
  return json::value(std::move(table));
}

}  // namespace coracle::metrics
