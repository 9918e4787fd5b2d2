#include "kustomize/patches.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/catalog.hpp"
#include "api/patch.hpp"
#include "api/selectors.hpp"
#include "base/regex.hpp"
#include "base/yaml.hpp"

namespace coracle::kustomize {
namespace {

// An expression that must match the whole text; empty: anything.
Result<bool> matches(const std::string& expression, const std::string& text) {
  if (expression.empty()) return true;
  ASSIGN_OR_RETURN(const Regex regex, Regex::compile("^(" + expression + ")$"));
  return regex.search(text);
}

Result<bool> selected(const std::string& selector, const json::value& object, const char* member) {
  if (selector.empty()) return true;
  const auto parsed = api::LabelSelector::parse(selector);
  if (!parsed.ok()) return parsed.status();
  return parsed->matches(get_object(object, std::string("metadata.") + member));
}

Result<bool> is_target(const Resource& resource, const json::value& target) {
  const auto [group, version] = group_version(resource.object);
  const std::pair<const char*, std::string> words[] = {{"group", group},
                                                       {"version", version},
                                                       {"kind", resource.kind()},
                                                       {"namespace", resource.ns()}};
  for (const auto& [member, text] : words) {
    ASSIGN_OR_RETURN(const bool same, matches(std::string(get_string(target, member)), text));
    if (!same) return false;
  }
  std::vector<std::string> names = resource.names;
  names.push_back(resource.name());
  bool named = false;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const bool same, matches(std::string(get_string(target, "name")), name));
    named = named || same;
  }
  if (!named) return false;
  ASSIGN_OR_RETURN(const bool by_label, selected(std::string(get_string(target, "labelSelector")),
                                                 resource.object, "labels"));
  if (!by_label) return false;
  return selected(std::string(get_string(target, "annotationSelector")), resource.object,
                  "annotations");
}

// What a strategic patch says of itself.
json::value own_target(const json::value& patch) {
  const auto [group, version] = group_version(patch);
  return json::object{{"group", group},
                      {"version", version},
                      {"kind", get_string(patch, "kind")},
                      {"name", get_string(patch, "metadata.name")},
                      {"namespace", get_string(patch, "metadata.namespace")}};
}

Status apply_strategic(const json::value& patch, const json::value& target, bool must,
                       Resources* resources) {
  bool found = false;
  for (size_t i = 0; i < resources->size();) {
    Resource& resource = (*resources)[i];
    ASSIGN_OR_RETURN(const bool is, is_target(resource, target));
    if (!is) {
      ++i;
      continue;
    }
    found = true;
    if (get_string(patch, "$patch") == "delete") {
      resources->erase(resources->begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    // It cannot change what the object is called.
    json::value change = patch;
    for (const char* member : {"apiVersion", "kind"}) erase_key(change.as_object(), member);
    erase_key(make_object(change, "metadata"), "name");
    erase_key(make_object(change, "metadata"), "namespace");
    const api::ResourceInfo* info = api::Catalog::builtin().find_for(resource.object);
    ASSIGN_OR_RETURN(resource.object,
                     api::apply_strategic_patch(resource.object, change,
                                                info == nullptr ? nullptr : info->schema));
    ++i;
  }
  if (found || !must) return {};
  return not_found(fmt::format("no resource matches strategic merge patch \"{} {}\"",
                               get_string(patch, "kind"), get_string(patch, "metadata.name")));
}

Status apply_operations(const json::value& patch, const json::value* target, Resources* resources) {
  if (target == nullptr) {
    return invalid_argument("a patch of JSON 6902 operations needs a target");
  }
  for (Resource& resource : *resources) {
    ASSIGN_OR_RETURN(const bool is, is_target(resource, *target));
    if (!is) continue;
    ASSIGN_OR_RETURN(resource.object, api::apply_json_patch(resource.object, patch));
  }
  return {};
}

}  // namespace

Status apply_patch(const std::string& text, const json::value* target, Resources* resources) {
  ASSIGN_OR_RETURN(const std::vector<YamlDocument> documents, parse_yaml(text));
  if (documents.empty()) return invalid_argument("the patch is empty");
  for (const YamlDocument& document : documents) {
    if (document.value.is_array()) {
      RETURN_IF_ERROR(apply_operations(document.value, target, resources));
    } else if (document.value.is_object()) {
      const json::value own = own_target(document.value);
      RETURN_IF_ERROR(apply_strategic(document.value, target == nullptr ? own : *target,
                                      target == nullptr, resources));
    } else {
      return invalid_argument("a patch is an object, or a list of operations");
    }
  }
  return {};
}

}  // namespace coracle::kustomize
