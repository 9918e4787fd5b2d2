#include "api/policy/type_check.hpp"

#include <algorithm>
#include <set>

#include "api/cel/cel.hpp"
#include "api/object.hpp"
#include "api/policy/expressions.hpp"
#include "base/strings.hpp"

namespace coracle::api::policy {
namespace {

constexpr std::size_t kKindsMax = 10;

// Sorted; empty when a wildcard says that they are too many to look at.
std::vector<std::string> exact(const json::value& rule, std::string_view list) {
  const bool resources = list == "resources";
  std::vector<std::string> out;
  for (const json::value& item : get_array(rule, list)) {
    const std::string text(item.is_string() ? std::string_view(item.get_string()) : "");
    if (text.find_first_of(resources ? "*/" : "*") == std::string::npos) {
      out.push_back(text);
    } else if (!resources) {
      return {};
    }
  }
  std::ranges::sort(out);
  return out;
}

struct Checked {
  std::string text;  // of the kind
  Types types;
};

std::string warning(std::string_view text, const json::value& policy,
                    const std::vector<Checked>& kinds) {
  std::string out;
  for (const Checked& kind : kinds) {
    const auto made =
        cel::Program::compile(text, policy_environment(policy, Place::kValidation, kind.types));
    if (made.ok()) continue;
    if (!out.empty()) out += "\n";
    out += kind.text + ": " + made.status().message() + "\n";
  }
  return out;
}

}  // namespace

std::vector<KindName> kinds_to_check(const json::value& policy, const KnownKinds& known) {
  std::set<KindName> found;
  for (const json::value& rule : get_array(policy, "spec.matchConstraints.resourceRules")) {
    std::size_t count = 0;
    for (const std::string& group : exact(rule, "apiGroups")) {
      for (const std::string& version : exact(rule, "apiVersions")) {
        for (const std::string& plural : exact(rule, "resources")) {
          const std::string kind = known.kind_of(group, version, plural);
          if (kind.empty()) continue;
          found.insert({group, version, kind});
          if (++count == kKindsMax) return {found.begin(), found.end()};
        }
      }
    }
  }
  return {found.begin(), found.end()};
}

json::array expression_warnings(const json::value& policy, const KnownKinds& known) {
  Types types;
  if (const json::value* kind = find(policy, "spec.paramKind")) {
    const auto [group, version] = split_api_version(get_string(*kind, "apiVersion"));
    types.params = cel::Type::from_schema(known.schema_of(
        {std::string(group), std::string(version), std::string(get_string(*kind, "kind"))}));
  }
  std::vector<Checked> kinds;
  for (const KindName& name : kinds_to_check(policy, known)) {
    const Schema* schema = known.schema_of(name);
    if (schema == nullptr) continue;
    types.object = cel::Type::from_schema(schema);
    kinds.push_back({name.group + "/" + name.version + ", Kind=" + name.kind, types});
  }
  json::array out;
  const json::array& rules = get_array(policy, "spec.validations");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (const std::string_view field : {"expression", "messageExpression"}) {
      const std::string_view text = get_string(rules[i], field);
      if (text.empty()) continue;
      std::string said = warning(text, policy, kinds);
      if (said.empty()) continue;
      json::object entry;
      entry["fieldRef"] = "spec.validations[" + std::to_string(i) + "]." + std::string(field);
      entry["warning"] = std::move(said);
      out.push_back(std::move(entry));
    }
  }
  return out;
}

}  // namespace coracle::api::policy
