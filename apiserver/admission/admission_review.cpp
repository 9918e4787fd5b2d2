#include "apiserver/admission/admission_review.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::size_t kWarningsMax = 100;
constexpr std::size_t kAnnotationsMax = 100;

std::string kind_text(std::string_view api_version, std::string_view kind) {
  return std::string(api_version) + ", Kind=" + std::string(kind);
}

Result<json::value> read_patch(const json::value& response, bool v1) {
  const std::string_view text = get_string(response, "patch");
  const json::value* type = find(response, "patchType");
  const bool typed = type != nullptr && !type->is_null();
  if (v1 && !text.empty() && !typed) {
    return invalid_argument("webhook returned response.patch but not response.patchType");
  }
  if (v1 && text.empty() && typed) {
    return invalid_argument("webhook returned response.patchType but not response.patch");
  }
  if (text.empty()) return json::value();
  const std::string_view name = typed && type->is_string() ? std::string_view(type->get_string())
                                                           : std::string_view("JSONPatch");
  if (name.empty()) return invalid_argument("webhook returned invalid response.patchType of \"\"");
  if (name != "JSONPatch") return invalid_argument("unsupported patch type " + quoted(name));
  ASSIGN_OR_RETURN(const std::string decoded, base64_decode(text));
  ASSIGN_OR_RETURN(json::value patch, parse_json(decoded));
  if (!patch.is_array()) return invalid_argument("the patch is no list of operations");
  return patch;
}

}  // namespace

json::value admission_review(std::string_view version, json::value request) {
  json::object out;
  out["kind"] = "AdmissionReview";
  out["apiVersion"] = "admission.k8s.io/" + std::string(version);
  out["request"] = std::move(request);
  return out;
}

Result<AdmissionVerdict> read_admission_answer(const json::value& answer, std::string_view version,
                                               std::string_view uid, bool mutating) {
  const bool v1 = version == "v1";
  const json::value* response = find(answer, "response");
  if (response == nullptr || !response->is_object()) {
    return invalid_argument("webhook response was absent");
  }
  if (v1 && get_string(*response, "uid") != uid) {
    return invalid_argument("expected response.uid=" + quoted(uid) + ", got " +
                            quoted(get_string(*response, "uid")));
  }
  const std::string want = kind_text("admission.k8s.io/" + std::string(version), "AdmissionReview");
  const std::string got = kind_text(get_string(answer, "apiVersion"), get_string(answer, "kind"));
  if (v1 && got != want) {
    return invalid_argument("expected webhook response of " + want + ", got " + got);
  }
  AdmissionVerdict out;
  if (mutating) {
    ASSIGN_OR_RETURN(out.patch, read_patch(*response, v1));
  } else if (v1) {
    if (!get_string(*response, "patch").empty()) {
      return invalid_argument("validating webhook may not return response.patch");
    }
    if (const json::value* type = find(*response, "patchType"); type && !type->is_null()) {
      return invalid_argument("validating webhook may not return response.patchType");
    }
  }
  out.allowed = get_bool(*response, "allowed");
  if (const json::value* result = find(*response, "status"); result && result->is_object()) {
    out.result = *result;
  }
  for (const auto& [key, value] : get_object(*response, "auditAnnotations")) {
    if (value.is_string() && out.annotations.size() < kAnnotationsMax) {
      out.annotations[std::string(key)] = std::string(value.get_string());
    }
  }
  for (const json::value& text : get_array(*response, "warnings")) {
    if (text.is_string() && out.warnings.size() < kWarningsMax) {
      out.warnings.emplace_back(text.get_string());
    }
  }
  return out;
}

api::ApiError webhook_denial(std::string_view name, const json::value& result) {
  constexpr int kBadRequest = 400;
  api::ApiError error;
  json::object status;
  status["kind"] = "Status";
  status["apiVersion"] = "v1";
  status["metadata"].emplace_object();
  status["status"] = "Failure";
  std::string message = "admission webhook " + quoted(name) + " denied the request";
  const std::string reason(get_string(result, "reason"));
  const std::string why(get_string(result, "message"));
  if (!why.empty()) {
    message += ": " + why;
  } else if (!reason.empty()) {
    message += ": " + reason;
  } else {
    message += " without explanation";
  }
  status["message"] = message;
  if (!reason.empty()) status["reason"] = reason;
  if (const json::value* details = find(result, "details"); details && details->is_object()) {
    status["details"] = *details;
  }
  const std::int64_t code = get_int(result, "code");
  const bool usable = code >= kBadRequest && code < 600;
  error.http_code = usable ? static_cast<int>(code) : kBadRequest;
  status["code"] = error.http_code;
  error.status = std::move(status);
  return error;
}

}  // namespace coracle::apiserver
