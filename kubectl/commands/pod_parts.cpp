#include "commands/pod_parts.hpp"

#include "kubectl/failure.hpp"

namespace coracle::kubectl {

json::array string_array(const std::vector<std::string>& words) {
  json::array out;
  for (const std::string& word : words) out.emplace_back(word);
  return out;
}

Result<json::object> parse_labels(const std::vector<std::string>& pairs) {
  json::object out;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0) return fail("unexpected label spec: " + pair);
    out[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return out;
}

Result<json::array> parse_env(const std::vector<std::string>& pairs) {
  json::array out;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0) return fail("invalid env: " + pair);
    json::object variable;
    variable["name"] = pair.substr(0, equals);
    variable["value"] = pair.substr(equals + 1);
    out.push_back(std::move(variable));
  }
  return out;
}

}  // namespace coracle::kubectl
