// validate: what decoding a body demands, and the checks that hold for every kind. Pure; one walk
// each; the tree is changed in place where said.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/catalog.hpp"
#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api {

// Makes a parsed body what upstream's typed decoding would keep:
//  - unknown members are removed; each gives `unknown field "spec.foo"` in `unknown`
//  - nulls and empty optional lists and maps vanish; quantities, times become canonical
//  - a wrong type is InvalidArgument: `json: cannot unmarshal string into Go struct field
//    DeploymentSpec.spec.replicas of type int32`
Status decode_in_place(json::value& object, const Schema& schema,
                       std::vector<std::string>* unknown);

// How clients see them: `Deployment in version "v1" cannot be handled as a Deployment: WHY`.
std::string decode_error_text(const ResourceInfo& info, std::string_view why);
// WHY of fieldValidation=Strict: `strict decoding error: unknown field "a", duplicate field "b"`.
std::string strict_error_text(const std::vector<std::string>& unknown,
                              const std::vector<std::string>& duplicate_paths);
// One text a Warning header: `unknown field "spec.foo"`, `duplicate field "b"`.
std::vector<std::string> strict_warnings(const std::vector<std::string>& unknown,
                                         const std::vector<std::string>& duplicate_paths);

// Static defaults of the schema, where the parent exists. Idempotent.
void apply_schema_defaults(json::value& object, const Schema& schema);

// How much of a schema is a rule. Upstream's built-in kinds are checked by code (hooks): there only
// required texts (present and not empty), enums and ranges hold. Custom kinds are held to all of
// it: required members, lengths, keys of list-maps and sets.
enum class StructureRules { kBuiltin, kCustom };

// Skips metadata, and status of built-in kinds: upstream does not check them so.
void validate_structure(const json::value& object, const Schema& schema, StructureRules rules,
                        FieldErrors& errors);

using NameCheck = std::vector<std::string> (*)(std::string_view);
// name or generateName, namespace against scope, labels, annotations (262144 bytes), owner
// references, finalizers. `check_name` nullptr = DNS-1123 subdomain.
void validate_metadata(const json::value& object, const ResourceInfo& info, NameCheck check_name,
                       FieldErrors& errors);
// What may not change: name, namespace, uid, creationTimestamp, deletionTimestamp,
// deletionGracePeriodSeconds, generation going back; finalizers not added while deleting;
// resourceVersion must be there.
void validate_metadata_update(const json::value& object, const json::value& old,
                              FieldErrors& errors);

// Helpers that hooks share.
void validate_labels(const json::value* labels, const FieldPath& path, FieldErrors& errors);
void validate_annotations(const json::value* annotations, const FieldPath& path,
                          FieldErrors& errors);
void validate_label_selector(const json::value* selector, const FieldPath& path,
                             FieldErrors& errors);
// `field is immutable` when they differ.
void validate_immutable(const json::value* now, const json::value* old, const FieldPath& path,
                        FieldErrors& errors);
// `must be greater than or equal to 0`
void validate_non_negative(const json::value* value, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::api
