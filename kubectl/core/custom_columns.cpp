#include "kubectl/custom_columns.hpp"

#include <sstream>

#include "api/jsonpath.hpp"
#include "base/strings.hpp"
#include "kubectl/failure.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

struct Column {
  std::string header;
  api::JsonPath path;
};

class CustomColumnsPrinter final : public ObjectPrinter {
 public:
  CustomColumnsPrinter(std::vector<Column> columns, bool headers)
      : columns_(std::move(columns)), headers_(headers) {}

  Result<std::string> print(const json::value& object) override {
    std::vector<std::vector<std::string>> rows;
    if (std::exchange(headers_, false)) {
      rows.emplace_back();
      for (const Column& column : columns_) rows.back().push_back(column.header);
    }
    const json::value* items = ::coracle::find(object, "items");
    if (items && items->is_array()) {
      for (const json::value& item : items->as_array()) rows.push_back(row(item));
    } else {
      rows.push_back(row(object));
    }
    return printer_.print(rows);
  }

 private:
  std::vector<std::string> row(const json::value& object) const {
    std::vector<std::string> out;
    for (const Column& column : columns_) {
      std::vector<std::string> texts;
      const auto found = column.path.find(object, {.allow_missing_keys = true});
      if (found.ok()) {
        for (const auto& action : *found) {
          for (const json::value* value : action) {
            texts.push_back(value->is_null() ? "<none>" : api::jsonpath_text(*value));
          }
        }
      }
      out.push_back(texts.empty() ? "<none>" : join(texts, ","));
    }
    return out;
  }

  std::vector<Column> columns_;
  bool headers_;
  text::ColumnPrinter printer_;
};

Result<Column> make_column(std::string header, const std::string& path) {
  auto parsed = api::JsonPath::parse_relaxed(path);
  if (!parsed.ok()) return fail(parsed.status().message());
  return Column{std::move(header), std::move(*parsed)};
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

Result<std::vector<Column>> columns_of_lines(const std::string& text) {
  const auto lines = split(text, '\n');
  if (lines.size() < 2) {
    return fail(
        "invalid template, missing spec line. Expected format is one line of space "
        "separated headers, one line of space separated column specs.");
  }
  const auto headers = words_of(lines[0]), paths = words_of(lines[1]);
  if (headers.size() != paths.size()) {
    return fail("number of headers (" + std::to_string(headers.size()) +
                ") and field specifications (" + std::to_string(paths.size()) + ") don't match");
  }
  std::vector<Column> out;
  for (size_t i = 0; i < headers.size(); ++i) {
    ASSIGN_OR_RETURN(Column column, make_column(headers[i], paths[i]));
    out.push_back(std::move(column));
  }
  return out;
}

// Commas inside brackets, quotes and parentheses belong to the path.
std::vector<std::string> split_specs(const std::string& text) {
  std::vector<std::string> out(1);
  int depth = 0;
  for (char c : text) {
    depth += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

Result<std::vector<Column>> columns_of_specs(const std::string& text) {
  if (text.empty()) {
    return fail("custom-columns format specified but no custom columns given");
  }
  std::vector<Column> out;
  for (const std::string& spec : split_specs(text)) {
    const size_t colon = spec.find(':');
    if (colon == spec.npos) {
      return fail("unexpected custom-columns spec: " + spec +
                  ", expected <header>:<json-path-expr>");
    }
    ASSIGN_OR_RETURN(Column column, make_column(spec.substr(0, colon), spec.substr(colon + 1)));
    out.push_back(std::move(column));
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<ObjectPrinter>> make_custom_columns_printer(const OutputFormat& format) {
  ASSIGN_OR_RETURN(auto columns, format.name == "custom-columns-lines"
                                     ? columns_of_lines(format.argument)
                                     : columns_of_specs(format.argument));
  return std::unique_ptr<ObjectPrinter>(
      std::make_unique<CustomColumnsPrinter>(std::move(columns), !format.no_headers));
}

}  // namespace coracle::kubectl
