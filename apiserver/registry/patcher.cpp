// The patch verb: the four kinds of patches, and server-side apply.
#include "apiserver/registry/patcher.hpp"

#include "api/object.hpp"
#include "api/patch.hpp"
#include "api/validate.hpp"
#include "apiserver/registry/conversion.hpp"
#include "apiserver/registry/requestor.hpp"
#include "apiserver/registry/writer.hpp"
#include "base/go_json.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kJsonPatch = "application/json-patch+json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr std::string_view kStrategicPatch = "application/strategic-merge-patch+json";
constexpr std::string_view kApplyPatch = "application/apply-patch+yaml";
constexpr size_t kOperationsMax = 10000;

std::string patch_type(const net::Request& request) {
  const std::string_view header = request.headers.get("content-type");
  return to_lower(trim(header.substr(0, header.find(';'))));
}

// As Go's fmt prints a map: upstream quotes patches so in its errors.
std::string go_text(const json::value& value) {
  if (value.is_object()) {
    std::string out = "map[";
    const json::value sorted = sorted_keys(value);
    for (const auto& member : sorted.get_object()) {
      if (out.size() > 4) out += " ";
      out.append(member.key()).append(":").append(go_text(member.value()));
    }
    return out + "]";
  }
  if (value.is_array()) {
    std::string out = "[";
    for (const json::value& item : value.get_array()) {
      if (out.size() > 1) out += " ";
      out += go_text(item);
    }
    return out + "]";
  }
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_null()) return "<nil>";
  return to_json(value);
}

// A document of another shape than the patch has, in the words of upstream's decoder.
std::string wrong_shape(const std::string& type, const json::value& document) {
  const std::string_view kind = document.is_object()   ? "object"
                                : document.is_array()  ? "array"
                                : document.is_string() ? "string"
                                : document.is_bool()   ? "bool"
                                                       : "number";
  const std::string_view wanted =
      type == kJsonPatch ? "[]handlers.jsonPatchOp" : "map[string]interface {}";
  return "json: cannot unmarshal " + std::string(kind) + " into Go value of type " +
         std::string(wanted);
}

// Upstream tells these of a strategic patch without a prefix.
api::ApiError bad_document(const std::string& type, const std::string& why) {
  return api::bad_request_error(type == kStrategicPatch ? why : "error decoding patch: " + why);
}

// A strategic patch that does not fit: two of its reasons are 422, the others upstream has no
// class for.
api::ApiError unfit_patch(const std::string& type, std::string_view why) {
  const bool known = type != kStrategicPatch || why == "lists of lists are not supported" ||
                     why == "patch content doesn't match retainKeys list";
  return known ? api::unprocessable_error() : api::unknown_error(why);
}

// A patched object that is none; `shown` is what upstream quotes of it.
api::ApiError bad_patch(const std::string& shown, const std::string& why) {
  api::FieldErrors errors;
  errors.invalid(api::FieldPath("patch"), json::value(shown), why);
  return api::invalid_error({}, "", errors);
}

// How Go calls the type of a JSON value: the decoder's "object", "number 1.5".
std::string_view go_kind(std::string_view json_kind) {
  if (json_kind == "object") return "map";
  if (json_kind == "array") return "slice";
  constexpr std::string_view kNumber = "number";
  if (!json_kind.starts_with(kNumber)) return json_kind;
  const bool whole = json_kind.find_first_of(".eE", kNumber.size()) == std::string_view::npos;
  return whole ? "int64" : "float64";
}

// The converter behind strategic patches has words of its own for a wrong type; what decodes itself
// (times, quantities) says the same to it as to the decoder.
std::string converter_text(std::string_view why) {
  constexpr std::string_view kStart = "json: cannot unmarshal ";
  if (why.starts_with("illegal base64 data")) {
    return "error decoding from json: " + std::string(why);
  }
  const size_t into = why.find(" into Go struct field "), of_type = why.rfind(" of type ");
  if (!why.starts_with(kStart) || into == why.npos || of_type == why.npos) return std::string(why);
  const std::string kind(go_kind(why.substr(kStart.size(), into - kStart.size())));
  const std::string type(why.substr(of_type + 9));
  if (type.starts_with("map[")) return "cannot restore map from " + kind;
  if (type.starts_with("[]")) return "cannot restore slice from " + kind;
  if (type.find('.') != type.npos) return "cannot restore struct from: " + kind;
  const bool convertible = kind == "int64" ? type == "string" : kind == "float64" && type != "bool";
  return convertible ? "cannot convert " + kind + " to " + type : "unrecognized type: " + type;
}

// What a patch document itself has too many of.
std::vector<std::string> patch_faults(const std::string& type, const json::value& patch,
                                      const std::vector<std::string>& duplicates) {
  std::vector<std::string> out = api::strict_warnings({}, duplicates);
  if (type != kJsonPatch) return out;
  for (std::string& text : out) text.insert(0, "json patch ");
  const json::array& operations = patch.get_array();
  for (size_t i = 0; i < operations.size(); ++i) {
    if (!operations[i].is_object()) continue;
    for (const auto& member : operations[i].get_object()) {
      const std::string_view name = member.key();
      if (name == "op" || name == "path" || name == "from" || name == "value") continue;
      out.push_back("json patch unknown field " +
                    quoted("[" + std::to_string(i) + "]." + std::string(name)));
    }
  }
  return out;
}

bool is_patch_type(const std::string& type) {
  return type == kJsonPatch || type == kMergePatch || type == kStrategicPatch ||
         type == kApplyPatch;
}

}  // namespace

Outcome<Patch> parse_patch(const net::Request& request) {
  Patch out;
  out.type = patch_type(request);
  if (!is_patch_type(out.type)) {
    return api::unsupported_media_type_error({std::string(kJsonPatch), std::string(kMergePatch),
                                              std::string(kStrategicPatch),
                                              std::string(kApplyPatch)});
  }
  TRY_OUTCOME(out.strictness, field_validation(request.query, "PatchOptions"));
  if (out.type == kApplyPatch) {
    auto documents = parse_yaml(request.body);
    const bool one = documents.ok() && documents->size() == 1;
    if (!one || !documents->front().value.is_object()) {
      return api::bad_request_error("error decoding YAML: " +
                                    (documents.ok() ? std::string("the body is not one mapping")
                                                    : documents.status().message()));
    }
    out.apply = true;
    out.document = std::move(documents->front().value);
    out.faults = std::move(documents->front().repeats);
    return out;
  }
  if (request.query.has("force")) {
    api::FieldErrors errors;
    errors.forbidden(api::FieldPath("force"), "may not be specified for non-apply patch");
    return api::invalid_error({"meta.k8s.io", "PatchOptions"}, "", errors);
  }
  std::vector<std::string> duplicates;
  auto document = parse_go_json(request.body, &duplicates);
  if (!document.ok()) return bad_document(out.type, std::string(document.status().message()));
  if (out.type == kJsonPatch ? !document->is_array() : !document->is_object()) {
    return bad_document(out.type, wrong_shape(out.type, *document));
  }
  if (document->is_array() && document->get_array().size() > kOperationsMax) {
    return api::too_large_error("The allowed maximum operations in a JSON patch is " +
                                std::to_string(kOperationsMax) + ", got " +
                                std::to_string(document->get_array().size()));
  }
  out.faults = patch_faults(out.type, *document, duplicates);
  out.document = *std::move(document);
  return out;
}

namespace {

Result<json::value> applied(const Patch& patch, const json::value& current,
                            const api::Schema& schema) {
  if (patch.type == kJsonPatch) return api::apply_json_patch(current, patch.document);
  if (patch.type == kMergePatch) return api::apply_merge_patch(current, patch.document);
  return api::apply_strategic_patch(current, patch.document, &schema);
}

}  // namespace

Outcome<json::value> patched_object(Context& c, const Patch& patch, const json::value& current,
                                    const api::Schema& schema) {
  Result<json::value> patched = applied(patch, current, schema);
  if (!patched.ok()) {
    const bool unfit = patched.status().code() == Code::kFailedPrecondition;
    return unfit ? unfit_patch(patch.type, patched.status().message())
                 : api::bad_request_error(patched.status().message());
  }
  json::value next = *std::move(patched);
  if (!next.is_object()) return api::bad_request_error("the patched object is not an object");
  const bool strategic = patch.type == kStrategicPatch;
  const auto shown = [&](const json::value& object) {
    return strategic ? go_text(patch.document) : to_json(sorted_keys(object));
  };
  // Quoted only when something is wrong, and then as it was before decoding.
  const json::value before = strategic ? json::value() : next;
  std::vector<std::string> unknown;
  const Status decoded = api::decode_in_place(next, schema, &unknown);
  if (!decoded.ok()) {
    return bad_patch(shown(before), strategic ? converter_text(decoded.message())
                                              : std::string(decoded.message()));
  }
  if (patch.strictness == FieldValidation::kIgnore) return next;
  std::vector<std::string> faults = patch.faults;
  for (std::string& text : api::strict_warnings(unknown, {})) faults.push_back(std::move(text));
  if (faults.empty()) return next;
  if (patch.strictness == FieldValidation::kStrict) {
    const std::string why = "strict decoding error: " + join(faults, ", ");
    if (!strategic && unknown.empty()) return bad_patch(to_json(patch.document), why);
    return bad_patch(shown(before), why);
  }
  for (std::string& text : faults) c.warnings.push_back(std::move(text));
  return next;
}

Outcome<Done> check_apply(Context& c, const Patch& patch) {
  if (c.request.query.get("fieldManager").empty()) {
    api::FieldErrors errors;
    errors.required(api::FieldPath("fieldManager"), "is required for apply patch");
    return api::invalid_error({"meta.k8s.io", "PatchOptions"}, "", errors);
  }
  if (patch.faults.empty() || patch.strictness == FieldValidation::kIgnore) return Done{};
  if (patch.strictness == FieldValidation::kStrict) {
    return api::bad_request_error("error strict decoding YAML: error converting YAML to JSON: " +
                                  yaml_repeats_text(patch.faults));
  }
  for (const std::string& text : patch.faults) c.warnings.push_back(text);
  return Done{};
}

Task<Outcome<json::value>> Writer::apply_patch(Context& c, const Patch& patch,
                                               const json::value& current) {
  json::value converted;
  if (c.storage != c.resource) {
    CO_TRY_OUTCOME(converted, co_await convert_version(m_, *c.storage, *c.resource, current));
  }
  const json::value& served = c.storage == c.resource ? current : converted;
  CO_TRY_OUTCOME(json::value next, patched_object(c, patch, served, *c.resource->schema));
  const Outcome<Done> settled = settle_identity(c, next, true);
  if (!settled.ok()) co_return settled.error();
  const Outcome<Done> good = check_served_version(c, next, &served);
  if (!good.ok()) co_return good.error();
  co_return co_await convert_version(m_, *c.resource, *c.storage, std::move(next));
}

Task<Reply> Writer::patch(Context& c) {
  CO_TRY_OUTCOME(Patch patch, parse_patch(c.request));
  if (patch.apply) co_return co_await apply(c, std::move(patch));
  const MakeLater make = [this, &c, &patch](const json::value& current) {
    return apply_patch(c, patch, current);
  };
  CO_TRY_OUTCOME(const Saved saved, co_await update_object_later(c, write_target(c), make));
  co_return co_await reply(c, 200, saved.tail);
}

Task<Outcome<json::value>> Writer::apply_configured(Context& c, const ApplyRequest& request,
                                                    const json::value& current) {
  CO_TRY_OUTCOME(const json::value served,
                 co_await convert_version(m_, *c.storage, *c.resource, current));
  CO_TRY_OUTCOME(json::value next, apply_configuration(field_writer(c), &served, request));
  const Outcome<Done> good = check_served_version(c, next, &served);
  if (!good.ok()) co_return good.error();
  co_return co_await convert_version(m_, *c.resource, *c.storage, std::move(next));
}

Task<Reply> Writer::apply(Context& c, Patch patch) {
  const Outcome<Done> allowed = check_apply(c, patch);
  if (!allowed.ok()) co_return allowed.error();
  json::value named = patch.document;
  const Outcome<Done> settled = settle_identity(c, named, true);
  if (!settled.ok()) co_return settled.error();
  const ApplyRequest request{std::move(patch.document), query_flag(c.request.query, "force"),
                             c.info.ns, c.info.name};
  const MakeLater make = [this, &c, &request](const json::value& current) {
    return apply_configured(c, request, current);
  };
  Outcome<Saved> saved = co_await update_object_later(c, write_target(c), make, Owners::kGiven);
  if (!saved.ok() && saved.error().http_code == 404 && c.info.subresource.empty()) {
    const std::string_view uid = api::uid_of(request.config);
    if (!uid.empty()) {
      co_return api::conflict_error(c.group_name(), c.info.name,
                                    "uid mismatch: the provided object specified uid " +
                                        std::string(uid) + ", and no existing object was found");
    }
    CO_TRY_OUTCOME(json::value fresh, apply_configuration(field_writer(c), nullptr, request));
    (void)settle_identity(c, fresh, true);  // good, as the configuration was
    CO_TRY_OUTCOME(const Saved made, co_await create_object(c, std::move(fresh), Owners::kGiven));
    co_return co_await reply(c, 201, made.tail);
  }
  if (!saved.ok()) co_return saved.error();
  co_return co_await reply(c, 200, saved->tail);
}

}  // namespace coracle::apiserver
