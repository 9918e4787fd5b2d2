// The server's Tables as rows of text: which columns, labels, namespaces and kinds `get` shows.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubectl/discovery.hpp"

namespace coracle::kubectl {

struct TableView {
  bool wide = false;
  bool show_labels = false;
  bool with_namespace = false;
  bool show_kind = false;  // pod/web instead of web
  std::vector<std::string> label_columns;
};

inline constexpr std::string_view kAcceptTable =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

using TextRow = std::vector<std::string>;

// A plain object or List instead of a Table (a server that knows no tables) reads as NAME and AGE.
json::value as_table(json::value answer, WallTime now);
TextRow table_header(const json::value& columns, const TableView& view);
std::vector<TextRow> table_rows(const json::value& columns, const json::value& table,
                                const Resource& resource, const TableView& view);

// `--sort-by`: the rows' objects, or the items, in the order of the values at the path.
// `couldn't find any field with path "{.x}" in the list of objects`
Status sort_by_path(json::array& list, std::string_view path, bool rows);
// Digits in texts compare as numbers.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace coracle::kubectl
