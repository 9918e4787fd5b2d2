// Output: -o and --template of every command that prints objects. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "text/flags.hpp"

namespace coracle::kubectl {

// Prints objects one after another in one format; remembers what it printed (YAML documents are
// parted by ---, columns stay aligned).
class ObjectPrinter {
 public:
  virtual ~ObjectPrinter() = default;
  // One object, or a List. The text ends as the format demands.
  virtual Result<std::string> print(const json::value& object) = 0;
};

struct OutputFormat {
  std::string name;      // "" and "wide": tables; else yaml, json, name, jsonpath, ...
  std::string argument;  // of jsonpath=..., custom-columns=..., go-template=...
  bool show_managed_fields = false;
  bool no_headers = false;
  bool allow_missing_keys = true;

  bool is_table() const { return name.empty() || name == "wide"; }
};

std::vector<text::FlagSpec> output_flags();  // -o --template --show-managed-fields ...
// Files named by custom-columns-file, jsonpath-file, templatefile are read here.
// `unable to match a printer suitable for the output format "x", allowed formats are: ...`
Result<OutputFormat> output_format(const text::ParsedFlags& flags);
// For a format that is no table. Bad templates fail here.
Result<std::unique_ptr<ObjectPrinter>> make_printer(const OutputFormat& format);

// Without metadata.managedFields, in the object or in a List's items.
json::value without_managed_fields(json::value object);
// {"apiVersion":"v1","items":[...],"kind":"List","metadata":{"resourceVersion":""}}
json::value make_list(json::array items);

}  // namespace coracle::kubectl
