#include <set>

#include "api/object.hpp"
#include "api/patch.hpp"
#include "api/validate.hpp"
#include "apiserver/registry/field_manager.hpp"
#include "apiserver/registry/writer.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kJsonPatch = "application/json-patch+json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr std::string_view kStrategicPatch = "application/strategic-merge-patch+json";
constexpr std::string_view kApplyPatch = "application/apply-patch+yaml";

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

api::ApiError bad_patch(const std::string& type, const json::value& patch, std::string why) {
  const std::string shown = type == kStrategicPatch ? go_text(patch) : to_json(patch);
  const size_t of_type = why.rfind(" of type ");
  if (type == kStrategicPatch && of_type != std::string::npos) {
    why = "unrecognized type: " + why.substr(of_type + 9);
  }
  api::FieldErrors errors;
  errors.invalid(api::FieldPath("patch"), json::value(shown), why);
  return api::invalid_error({}, "", errors);
}

api::ApiError unprocessable(std::string_view why) {
  api::ApiError error = api::invalid_error({}, "", {});
  json::object& status = error.status.as_object();
  status["message"] =
      "the server rejected our request due to an error in our request: " + std::string(why);
  return error;
}

}  // namespace

Outcome<json::value> Writer::apply_patch(Context& c, const std::string& type,
                                         const json::value& patch, const json::value& current) {
  json::value served = current;
  if (c.resource != c.storage) api::convert_object(*c.storage, *c.resource, served);
  Result<json::value> patched = served;
  if (type == kJsonPatch) {
    patched = api::apply_json_patch(served, patch);
  } else if (type == kMergePatch) {
    patched = api::apply_merge_patch(served, patch);
  } else {
    patched = api::apply_strategic_patch(served, patch, c.resource->schema);
  }
  if (!patched.ok()) {
    if (patched.status().code() == Code::kFailedPrecondition) {
      return unprocessable(patched.status().message());
    }
    return api::bad_request_error(patched.status().message());
  }
  json::value next = *std::move(patched);
  if (!next.is_object()) return api::bad_request_error("the patched object is not an object");
  TRY_OUTCOME(const FieldValidation strictness, field_validation(c.request.query));
  std::vector<std::string> unknown;
  const Status decoded = api::decode_in_place(next, *c.resource->schema, &unknown);
  if (!decoded.ok()) return bad_patch(type, patch, decoded.message());
  if (!unknown.empty() && strictness == FieldValidation::kStrict) {
    return bad_patch(type, patch, api::strict_error_text(unknown, {}));
  }
  if (!unknown.empty() && strictness == FieldValidation::kWarn) {
    for (std::string& text : api::strict_warnings(unknown, {})) c.warnings.push_back(text);
  }
  const Outcome<Done> settled = settle_identity(c, next, true);
  if (!settled.ok()) return settled.error();
  if (c.resource != c.storage) api::convert_object(*c.resource, *c.storage, next);
  return next;
}

Task<Reply> Writer::patch(Context& c) {
  const std::string type = patch_type(c.request);
  if (type == kApplyPatch) co_return co_await apply(c);
  if (type != kJsonPatch && type != kMergePatch && type != kStrategicPatch) {
    co_return api::unsupported_media_type_error({std::string(kJsonPatch), std::string(kMergePatch),
                                                 std::string(kStrategicPatch),
                                                 std::string(kApplyPatch)});
  }
  if (c.request.query.has("force")) {
    api::FieldErrors errors;
    errors.forbidden(api::FieldPath("force"), "may not be specified for non-apply patch");
    co_return api::invalid_error({"meta.k8s.io", "PatchOptions"}, "", errors);
  }
  auto patch = parse_json(c.request.body);
  if (!patch.ok()) {
    co_return api::bad_request_error("error decoding patch: " + patch.status().message());
  }
  if (patch->is_array() != (type == kJsonPatch)) {
    co_return api::bad_request_error("error decoding patch: the document has the wrong shape");
  }
  const Make make = [this, &c, type, &patch](const json::value& current) {
    return apply_patch(c, type, *patch, current);
  };
  const auto target =
      c.info.subresource == "status" ? api::WriteTarget::kStatus : api::WriteTarget::kObject;
  CO_TRY_OUTCOME(const Saved saved, co_await update_object(c, target, make));
  co_return reply_object(m_, c, 200, saved.tail);
}

Task<Reply> Writer::apply(Context& c) {
  auto config = parse_yaml_one(c.request.body);
  if (!config.ok() || !config->is_object()) {
    co_return api::bad_request_error("error decoding YAML: " + (config.ok()
                                                                    ? std::string("not an object")
                                                                    : config.status().message()));
  }
  const std::string manager(c.request.query.get("fieldManager"));
  if (manager.empty()) {
    api::FieldErrors errors;
    errors.required(api::FieldPath("fieldManager"), "is required for apply patch");
    co_return api::invalid_error({"meta.k8s.io", "PatchOptions"}, "", errors);
  }
  std::vector<std::string> unknown;
  const Status decoded = api::decode_in_place(*config, *c.resource->schema, &unknown);
  if (!decoded.ok() || !unknown.empty()) {
    co_return api::internal_api_error(
        "failed to create typed patch object (" + c.info.ns + "/" + c.info.name + "; " +
        c.resource->api_version + ", Kind=" + c.resource->kind +
        "): " + (decoded.ok() ? join(unknown, ", ") : decoded.message()));
  }
  const Outcome<Done> settled = settle_identity(c, *config, true);
  if (!settled.ok()) co_return settled.error();
  const ApplyRequest request{*config, manager, query_flag(c.request.query, "force"),
                             format_time(m_.executor.wall_now()), c.info.subresource};
  const Make make = [&c, &request](const json::value& current) -> Outcome<json::value> {
    json::value served = current;
    if (c.resource != c.storage) api::convert_object(*c.storage, *c.resource, served);
    TRY_OUTCOME(json::value next, apply_configuration(*c.resource, served, request));
    if (c.resource != c.storage) api::convert_object(*c.resource, *c.storage, next);
    return next;
  };
  const auto target =
      c.info.subresource == "status" ? api::WriteTarget::kStatus : api::WriteTarget::kObject;
  Outcome<Saved> saved = co_await update_object(c, target, make);
  if (!saved.ok() && saved.error().http_code == 404 && c.info.subresource.empty()) {
    json::value empty = json::object();
    CO_TRY_OUTCOME(json::value fresh, apply_configuration(*c.resource, empty, request));
    CO_TRY_OUTCOME(const Saved made, co_await create_object(c, std::move(fresh)));
    co_return reply_object(m_, c, 201, made.tail);
  }
  if (!saved.ok()) co_return saved.error();
  co_return reply_object(m_, c, 200, saved->tail);
}

}  // namespace coracle::apiserver
