// CustomResourceDefinition.
#include <algorithm>
#include <set>

#include "api/validation/checks.hpp"
#include "api/validation/custom_schema.hpp"
#include "api/validation/validation.hpp"
#include "api/validation/webhook.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

constexpr int kSelectableMax = 8;

// What IsDNS1035Label and the like say, in one error.
void joined(const FieldPath& path, std::string_view value, const Messages& messages,
            FieldErrors& errors) {
  if (!messages.empty()) errors.invalid(path, value, join(messages, ","));
}

void group(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = text_of(spec, "group");
  const FieldPath at = path.child("group");
  if (name.empty()) {
    errors.required(at);
  } else if (const auto messages = check_dns1123_subdomain(name); !messages.empty()) {
    joined(at, name, messages, errors);
  } else if (name.find('.') == std::string_view::npos) {
    errors.invalid(at, name, "should be a domain with at least one dot");
  }
}

void names(const json::value& names, const FieldPath& path, FieldErrors& errors) {
  for (const char* key : {"plural", "singular", "kind", "listKind"}) {
    if (text_of(names, key).empty()) errors.required(path.child(key));
  }
  constexpr std::string_view kMixed = "may have mixed case, but should otherwise match: ";
  const auto label = [&](const FieldPath& at, std::string_view value) {
    if (!value.empty()) joined(at, value, check_dns1035_label(value), errors);
  };
  label(path.child("plural"), text_of(names, "plural"));
  label(path.child("singular"), text_of(names, "singular"));
  for (const char* key : {"kind", "listKind"}) {
    const std::string_view value = text_of(names, key);
    const Messages messages = check_dns1035_label(to_lower(value));
    if (!value.empty() && !messages.empty()) {
      errors.invalid(path.child(key), value, std::string(kMixed) + join(messages, ","));
    }
  }
  const auto list = [&](std::string_view key) {
    std::size_t index = 0;
    for (const json::value& one : get_array(names, key)) {
      const FieldPath at = path.child(key).index(index++);
      const std::string_view text = one.is_string() ? std::string_view(one.get_string()) : "";
      joined(at, text, check_dns1035_label(text), errors);
    }
  };
  list("shortNames");
  const std::string_view kind = text_of(names, "kind");
  if (!kind.empty() && kind == text_of(names, "listKind")) {
    errors.invalid(path.child("listKind"), kind, "kind and listKind may not be the same");
  }
  list("categories");
}

void replicas_path(const json::value& scale, std::string_view key, std::string_view root,
                   const FieldPath& path, FieldErrors& errors) {
  const FieldPath at(path.text() + ".scale." + std::string(key));
  const std::string_view value = text_of(scale, key);
  if (value.empty()) {
    errors.required(at);
  } else if (!value.starts_with('.')) {
    errors.invalid(at, value, "must be a simple json path starting with .");
  } else if (!value.starts_with("." + std::string(root) + ".")) {
    errors.invalid(at, value, "should be a json path under ." + std::string(root));
  }
}

void subresources(const json::value& version, const FieldPath& path, FieldErrors& errors) {
  const json::value* scale = find(version, "subresources.scale");
  if (scale == nullptr || !scale->is_object()) return;
  const FieldPath at = path.child("subresources");
  replicas_path(*scale, "specReplicasPath", "spec", at, errors);
  replicas_path(*scale, "statusReplicasPath", "status", at, errors);
  const std::string_view selector = text_of(*scale, "labelSelectorPath");
  const FieldPath label(at.text() + ".scale.labelSelectorPath");
  if (selector.empty()) return;
  if (!selector.starts_with('.')) {
    errors.invalid(label, selector, "must be a simple json path starting with .");
  } else if (!selector.starts_with(".spec.") && !selector.starts_with(".status.")) {
    errors.invalid(label, selector, "should be a json path under either .spec or .status");
  }
}

void column(const json::value& column, const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kTypes = {"integer", "number", "string", "boolean", "date"};
  static const std::vector<std::string> kFormats = {"int32", "int64", "float",     "double",
                                                    "byte",  "date",  "date-time", "password"};
  if (text_of(column, "name").empty()) errors.required(path.child("name"));
  const std::string_view type = text_of(column, "type");
  if (type.empty()) {
    errors.required(path.child("type"), "must be one of boolean,date,integer,number,string");
  } else if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    errors.invalid(path.child("type"), type, "must be one of boolean,date,integer,number,string");
  }
  const std::string_view format = text_of(column, "format");
  if (!format.empty() && std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end()) {
    errors.invalid(path.child("format"), format,
                   "must be one of byte,date,date-time,double,float,int32,int64,password");
  }
  const std::string_view json_path = text_of(column, "jsonPath");
  if (json_path.empty()) {
    errors.required(path.child("JSONPath"));
  } else if (!json_path.starts_with('.')) {
    errors.invalid(path.child("JSONPath"), json_path, "must be a simple json path starting with .");
  }
}

void selectable(const json::value& version, const json::value* schema, const FieldPath& path,
                FieldErrors& errors) {
  const json::array& list = get_array(version, "selectableFields");
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldPath at = path.index(i).child("jsonPath");
    const std::string_view json_path = text_of(list[i], "jsonPath");
    if (json_path.empty()) {
      errors.required(at);
      continue;
    }
    const json::value* found = schema == nullptr ? nullptr : schema_at(*schema, json_path);
    if (found == nullptr) {
      errors.invalid(at, json_path, "is an invalid path: does not refer to a valid field");
      continue;
    }
    if (json_path.starts_with(".metadata")) {
      errors.invalid(at, json_path, "must not point to fields in metadata");
    }
    const std::string_view type = text_of(*found, "type");
    if (type != "string" && type != "boolean" && type != "integer") {
      errors.invalid(at, json_path,
                     "must point to a field of type string, boolean or integer. Enum string fields "
                     "and strings with formats are allowed.");
    }
    if (!seen.emplace(json_path).second) errors.duplicate(at, json_path);
  }
  if (seen.size() > kSelectableMax) {
    errors.too_many(path, static_cast<int>(seen.size()), kSelectableMax);
  }
}

void deprecation(const json::value& version, const FieldPath& path, FieldErrors& errors) {
  const json::value* given = member(version, "deprecationWarning");
  if (given == nullptr) return;
  const std::string_view text = text_of(version, "deprecationWarning");
  const FieldPath at = path.child("deprecationWarning");
  if (!get_bool(version, "deprecated")) {
    errors.invalid(at, text, "can only be set for deprecated versions");
    return;
  }
  if (text.size() > 256) errors.invalid(at, text, "must be <= 256 characters long");
  if (text.empty()) errors.invalid(at, text, "must not be an empty string");
}

// What all versions have alike upstream keeps once, at the top of the spec: there it is checked and
// reported (spec.validation, spec.subresources, spec.additionalPrinterColumns).
struct Hoisted {
  explicit Hoisted(const json::value& spec) : versions(get_array(spec, "versions")) {
    for (const std::string_view key :
         {"schema", "subresources", "additionalPrinterColumns", "selectableFields"}) {
      if (versions.empty() || !alike(key)) continue;
      if (const json::value* value = member(versions[0], key)) top[key] = *value;
      for (json::value& version : versions) {
        if (json::object* members = version.if_object()) erase_key(*members, key);
      }
    }
  }
  bool alike(std::string_view key) const {
    return std::all_of(versions.begin(), versions.end(), [&](const json::value& version) {
      return checks::same(member(version, key), member(versions[0], key));
    });
  }
  json::array versions;  // what is left to each
  json::object top;
};

bool has_status(const json::value& holder) {
  const json::value* status = find(holder, "subresources.status");
  return status != nullptr && status->is_object();
}

void schema_of(const json::value& holder, bool status, const FieldPath& path, FieldErrors& errors) {
  const json::value* schema = find(holder, "schema.openAPIV3Schema");
  if (schema != nullptr && schema->is_object()) {
    custom_schema(*schema, status, path.child("openAPIV3Schema"), errors);
  }
}

void columns(const json::value& holder, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& one : get_array(holder, "additionalPrinterColumns")) {
    column(one, path.child("additionalPrinterColumns").index(index++), errors);
  }
}

void version(const json::value& version, const json::value& whole, bool status,
             const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = text_of(version, "name");
  joined(path.child("name"), name, check_dns1035_label(name), errors);
  deprecation(version, path, errors);
  schema_of(version, status, path.child("schema"), errors);
  subresources(version, path, errors);
  columns(version, path, errors);
  selectable(version, find(whole, "schema.openAPIV3Schema"), path.child("selectableFields"),
             errors);
}

json::array shown_versions(const json::array& versions) {
  json::array out;
  for (const json::value& version : versions) out.push_back(shown_version(version));
  return out;
}

void versions(const json::value& spec, const Hoisted& split, const FieldPath& path,
              FieldErrors& errors) {
  const json::array& list = get_array(spec, "versions");
  const FieldPath at = path.child("versions");
  const json::value top(split.top);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json::value* schema = find(list[i], "schema.openAPIV3Schema");
    if (schema == nullptr || !schema->is_object()) {
      errors.required(at.index(i).child("schema", "openAPIV3Schema"), "schemas are required");
    }
  }
  std::set<std::string, std::less<>> seen;
  int stored = 0;
  bool unique = true;
  for (std::size_t i = 0; i < list.size(); ++i) {
    version(split.versions[i], list[i], has_status(list[i]), at.index(i), errors);
    stored += get_bool(list[i], "storage") ? 1 : 0;
    unique = seen.emplace(text_of(list[i], "name")).second && unique;
  }
  if (!unique) {
    errors.invalid(at, shown_versions(split.versions), "must contain unique version names");
  }
  if (stored != 1) {
    errors.invalid(at, shown_versions(split.versions),
                   "must have exactly one version marked as storage version");
  }
}

// What came from all versions alike.
void common_parts(const json::value& spec, const Hoisted& split, const FieldPath& path,
                  FieldErrors& errors) {
  const json::value top(split.top);
  const json::array& list = get_array(spec, "versions");
  const bool status = std::any_of(list.begin(), list.end(), has_status);
  schema_of(top, status, path.child("validation"), errors);
  subresources(top, path, errors);
  columns(top, path, errors);
  if (!list.empty()) {
    selectable(top, find(list[0], "schema.openAPIV3Schema"), path.child("selectableFields"),
               errors);
  }
}

void conversion(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* given = member(spec, "conversion");
  if (given == nullptr) return;
  const FieldPath at = path.child("conversion");
  const std::string_view strategy = text_of(*given, "strategy");
  checks::one_of(*given, "strategy", at, {"None", "Webhook"}, errors);
  const json::value* webhook = member(*given, "webhook");
  const json::value* client = webhook == nullptr ? nullptr : member(*webhook, "clientConfig");
  if (strategy == "Webhook") {
    if (client == nullptr) {
      errors.required(at.child("webhookClientConfig"), "required when strategy is set to Webhook");
    } else {
      webhook_client(*client, at.child("webhookClientConfig"), errors);
    }
    review_versions(child_or_empty(*given, "webhook"), "conversionReviewVersions", at, "", errors);
    return;
  }
  constexpr std::string_view kNotSet = "should not be set when strategy is not set to Webhook";
  if (client != nullptr) errors.forbidden(at.child("webhookClientConfig"), kNotSet);
  if (webhook != nullptr && !get_array(*webhook, "conversionReviewVersions").empty()) {
    errors.forbidden(at.child("conversionReviewVersions"), kNotSet);
  }
}

bool protected_group(std::string_view group) {
  return group == "k8s.io" || group == "kubernetes.io" || group.ends_with(".k8s.io") ||
         group.ends_with(".kubernetes.io");
}

void approval(const json::value& object, std::string_view group, FieldErrors& errors) {
  constexpr std::string_view kKey = "api-approved.kubernetes.io";
  if (!protected_group(group)) return;
  const std::string_view value = annotation_of(object, kKey);
  const FieldPath path = FieldPath("metadata").child("annotations").key(kKey);
  const std::string where = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (value.empty()) {
    errors.required(path, "protected groups must have approval annotation \"" + std::string(kKey) +
                              "\", " + where);
  } else if (!value.starts_with("unapproved") && !value.starts_with("https://")) {
    errors.invalid(path, value,
                   "protected groups must have approval annotation \"" + std::string(kKey) +
                       "\" with either a URL or a reason starting with \"unapproved\", " + where);
  }
}

void immutable(const json::value& spec, const json::value& old, const char* path,
               FieldErrors& errors) {
  const json::value* now = find(spec, path);
  if (checks::same(now, find(old, path))) return;
  errors.invalid(FieldPath("spec." + std::string(path)), checks::value_or_null(now),
                 checks::kImmutable);
}

bool established(const json::value& object) {
  for (const json::value& one : get_array(object, "status.conditions")) {
    if (get_string(one, "type") == "Established") return get_string(one, "status") == "True";
  }
  return false;
}

void stored_versions(const json::value& object, FieldErrors& errors) {
  const json::array& stored = get_array(object, "status.storedVersions");
  const FieldPath path = FieldPath("status").child("storedVersions");
  for (std::size_t i = 0; i < stored.size(); ++i) {
    bool there = false;
    for (const json::value& one : get_array(object, "spec.versions")) {
      there = there || json::value(text_of(one, "name")) == stored[i];
    }
    if (there) continue;
    const std::string name = stored[i].is_string() ? std::string(stored[i].get_string()) : "";
    errors.invalid(path.index(i), stored[i],
                   "missing from spec.versions; " + name +
                       " was previously a storage version, and must remain in spec.versions until "
                       "a storage migration ensures no data remains persisted in " +
                       name + " and removes " + name + " from status.storedVersions");
  }
}

}  // namespace

void custom_definition(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = child_or_empty(object, "spec");
  const FieldPath path("spec");
  const std::string wanted =
      std::string(get_string(spec, "names.plural")) + "." + std::string(text_of(spec, "group"));
  if (old == nullptr && name_of(object) != wanted) {
    errors.invalid(FieldPath("metadata").child("name"), name_of(object),
                   "must be spec.names.plural+\".\"+spec.group");
  }
  group(spec, path, errors);
  checks::one_of(spec, "scope", path, {"Cluster", "Namespaced"}, errors);
  if (get_bool(spec, "preserveUnknownFields")) {
    errors.invalid(path.child("preserveUnknownFields"), true,
                   "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                   "spec.versions[*].schema instead");
  }
  const Hoisted split(spec);
  versions(spec, split, path, errors);
  names(child_or_empty(spec, "names"), path.child("names"), errors);
  common_parts(spec, split, path, errors);
  conversion(spec, path, errors);
  if (old != nullptr) {
    const json::value& was = child_or_empty(*old, "spec");
    if (established(*old)) {
      immutable(spec, was, "scope", errors);
      immutable(spec, was, "names.kind", errors);
    }
    immutable(spec, was, "group", errors);
    immutable(spec, was, "names.plural", errors);
  }
  stored_versions(object, errors);
  approval(object, text_of(spec, "group"), errors);
}

}  // namespace coracle::api::validation
