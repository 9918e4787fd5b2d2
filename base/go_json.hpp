// go_json: JSON as Go's encoding/json takes it. Clients of a Kubernetes API know its words for what
// is no JSON, and it takes a little more than RFC 8259: bytes and escapes that are no Unicode are
// read as U+FFFD. Pure. O(n).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle {

// What Go says of a text that is no JSON: `unexpected end of JSON input`, `invalid character 'x'
// after object key`, `exceeded max depth`. Empty for JSON.
std::string go_syntax_error(std::string_view text);

// parse_json for the texts that Go takes. InvalidArgument with Go's words for what is no JSON;
// also, as `exceeded max depth`, beyond the depth of parse_json (Go: 10,000). FailedPrecondition
// for JSON with a number that is too large: `json: cannot unmarshal number 1e999 into Go value of
// ...`.
Result<json::value> parse_go_json(std::string_view text,
                                  std::vector<std::string>* duplicates = nullptr);

}  // namespace coracle
