// jsonpath: kubectl's dialect: {.a.b[0]}, {range ...}{end}, [*], [-1:], [0,2], ..x, ['a','b'],
// [?(@.x=="y")], {"text"}, escaped dots (\.). Parsed once, evaluated often; immutable. Pure.
// Errors are InvalidArgument with kubectl's texts (`unclosed action`, `x is not found`, ...).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

struct JsonPathNode;

class JsonPath {
 public:
  struct Options {
    bool allow_missing_keys = false;  // a missing member prints nothing instead of failing
  };
  // A template: text outside braces is printed as it is.
  static Result<JsonPath> parse(std::string_view text);
  // As kubectl's RelaxedJSONPathExpression: `x.y`, `.x.y`, `{x.y}`, `{.x.y}` are all {.x.y}.
  static Result<JsonPath> parse_relaxed(std::string_view text);

  JsonPath(JsonPath&&) noexcept;
  JsonPath& operator=(JsonPath&&) noexcept;
  ~JsonPath();

  // The printed text: results of one action separated by blanks, objects as JSON.
  Result<std::string> print(const json::value& root) const;
  Result<std::string> print(const json::value& root, const Options& options) const;
  // The values of each action (of {range} bodies: in the order met). Literals are strings. The
  // pointers live as long as `root` and this JsonPath.
  Result<std::vector<std::vector<const json::value*>>> find(const json::value& root,
                                                            const Options& options) const;

 private:
  JsonPath();
  std::vector<std::unique_ptr<JsonPathNode>> nodes_;
};

// How jsonpath prints a value: strings bare, numbers, true, null; objects and lists as JSON with
// sorted keys.
std::string jsonpath_text(const json::value& value);

// Values of a simple path (".spec.replicas", ".status.conditions[?(@.type==\"Ready\")].status");
// empty where nothing is there or the path is bad. For columns.
std::vector<const json::value*> jsonpath_values(const json::value& root, std::string_view path);

}  // namespace coracle::api
