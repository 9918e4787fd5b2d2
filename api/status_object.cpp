#include "api/status_object.hpp"

#include "base/strings.hpp"

namespace coracle::api {

namespace {

json::object base_status(std::string_view status) {
  json::object object;
  object["kind"] = "Status";
  object["apiVersion"] = "v1";
  object["metadata"].emplace_object();
  object["status"] = status;
  return object;
}

ApiError failure(int code, std::string_view reason, std::string message,
                 json::object details = {}) {
  json::object object = base_status("Failure");
  object["message"] = std::move(message);
  object["reason"] = reason;
  if (!details.empty()) object["details"] = std::move(details);
  object["code"] = code;
  ApiError error;
  error.http_code = code;
  error.status = std::move(object);
  return error;
}

json::object details_of(const GroupName& what, std::string_view name) {
  json::object details;
  if (!name.empty()) details["name"] = name;
  if (!what.group.empty()) details["group"] = what.group;
  if (!what.name.empty()) details["kind"] = what.name;
  return details;
}

void set_retry(json::object& details, int seconds) {
  if (seconds > 0) details["retryAfterSeconds"] = seconds;
}

json::object cause(std::string_view reason, std::string_view message, std::string_view field) {
  json::object object;
  if (!reason.empty()) object["reason"] = reason;
  if (!message.empty()) object["message"] = message;
  if (!field.empty()) object["field"] = field;
  return object;
}

std::string named(const GroupName& what, std::string_view name) {
  return what.text() + " " + quoted(name);
}

}  // namespace

std::string GroupName::text() const {
  if (group.empty()) return std::string(name);
  return std::string(name) + "." + std::string(group);
}

int ApiError::retry_after_seconds() const {
  return static_cast<int>(get_int(status, "details.retryAfterSeconds"));
}

ApiError not_found_error(const GroupName& resource, std::string_view name) {
  return failure(404, "NotFound", named(resource, name) + " not found", details_of(resource, name));
}

ApiError already_exists_error(const GroupName& resource, std::string_view name) {
  return failure(409, "AlreadyExists", named(resource, name) + " already exists",
                 details_of(resource, name));
}

ApiError generate_name_conflict_error(const GroupName& resource, std::string_view name) {
  json::object details = details_of(resource, name);
  set_retry(details, 1);
  return failure(409, "AlreadyExists",
                 named(resource, name) +
                     " already exists, the server was not able to generate a unique name for "
                     "the object",
                 std::move(details));
}

ApiError conflict_error(const GroupName& resource, std::string_view name, std::string_view why) {
  return failure(
      409, "Conflict",
      "Operation cannot be fulfilled on " + named(resource, name) + ": " + std::string(why),
      details_of(resource, name));
}

ApiError invalid_error(const GroupName& kind, std::string_view name, const FieldErrors& errors) {
  json::object details = details_of(kind, name);
  json::array causes;
  for (const FieldError& error : errors.list()) {
    causes.push_back(cause(field_error_reason(error.type), error.body(),
                           error.field.empty() ? "<nil>" : error.field));
  }
  if (!causes.empty()) details["causes"] = std::move(causes);
  std::string message = named(kind, name) + " is invalid";
  if (!errors.empty()) message += ": " + errors.text();
  return failure(422, "Invalid", std::move(message), std::move(details));
}

ApiError bad_request_error(std::string_view message) {
  return failure(400, "BadRequest", std::string(message));
}

ApiError unauthorized_error(std::string_view message) {
  return failure(401, "Unauthorized", std::string(message));
}

ApiError forbidden_error(const GroupName& resource, std::string_view name, std::string_view why) {
  std::string message;
  if (resource.name.empty()) {
    message = "forbidden: ";
  } else if (name.empty()) {
    message = resource.text() + " is forbidden: ";
  } else {
    message = named(resource, name) + " is forbidden: ";
  }
  return failure(403, "Forbidden", message + std::string(why), details_of(resource, name));
}

ApiError unprocessable_error() {
  ApiError error =
      failure(422, "Invalid", "the server rejected our request due to an error in our request");
  error.status.as_object()["details"].emplace_object();
  json::object& status = error.status.as_object();
  erase_key(status, "code");
  status["code"] = 422;
  return error;
}

ApiError method_not_allowed_error() {
  return failure(405, "MethodNotAllowed",
                 "the server does not allow this method on the requested resource", json::object());
}

ApiError method_not_supported_error(const GroupName& resource, std::string_view action) {
  return failure(
      405, "MethodNotAllowed",
      std::string(action) + " is not supported on resources of kind " + quoted(resource.text()),
      details_of(resource, {}));
}

ApiError unknown_resource_error() {
  ApiError error = failure(404, "NotFound", "the server could not find the requested resource");
  error.status.as_object()["details"].emplace_object();
  return error;
}

ApiError not_acceptable_error(const std::vector<std::string>& accepted) {
  return failure(406, "NotAcceptable",
                 "only the following media types are accepted: " + join(accepted, ", "));
}

ApiError unsupported_media_type_error(const std::vector<std::string>& accepted) {
  return failure(415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format - accepted media types "
                 "include: " +
                     join(accepted, ", "));
}

ApiError expired_error(std::string_view message) {
  return failure(410, "Expired", std::string(message));
}

ApiError too_large_error(std::string_view message) {
  return failure(413, "RequestEntityTooLarge", "Request entity too large: " + std::string(message));
}

ApiError timeout_error(std::string_view message, int retry_after_seconds) {
  json::object details;
  set_retry(details, retry_after_seconds);
  return failure(504, "Timeout", "Timeout: " + std::string(message), std::move(details));
}

ApiError resource_version_too_large_error(std::uint64_t asked, std::uint64_t current) {
  ApiError error = timeout_error("Too large resource version: " + std::to_string(asked) +
                                     ", current: " + std::to_string(current),
                                 1);
  add_cause(error, "ResourceVersionTooLarge", "Too large resource version");
  return error;
}

ApiError server_timeout_error(const GroupName& resource, std::string_view operation, int retry_s) {
  json::object details = details_of(resource, operation);
  set_retry(details, retry_s);
  return failure(500, "ServerTimeout",
                 "The " + std::string(operation) + " operation against " + resource.text() +
                     " could not be completed at this time, please try again.",
                 std::move(details));
}

ApiError too_many_requests_error(std::string_view message, int retry_after_seconds) {
  json::object details;
  set_retry(details, retry_after_seconds);
  return failure(429, "TooManyRequests", std::string(message), std::move(details));
}

ApiError service_unavailable_error(std::string_view message) {
  return failure(503, "ServiceUnavailable", std::string(message));
}

ApiError internal_api_error(std::string_view message) {
  ApiError error =
      failure(500, "InternalError", "Internal error occurred: " + std::string(message));
  add_cause(error, {}, message);
  return error;
}

ApiError unknown_error(std::string_view message) {
  ApiError error = failure(500, "", std::string(message));
  erase_key(error.status.get_object(), "reason");
  return error;
}

void add_cause(ApiError& error, std::string_view reason, std::string_view message,
               std::string_view field) {
  const json::value code = error.http_code;
  json::object& details = make_object(error.status, "details");
  json::value& causes = details["causes"];
  if (!causes.is_array()) causes.emplace_array();
  causes.as_array().push_back(cause(reason, message, field));
  // code stays the last member, as upstream prints it.
  json::object& status = error.status.as_object();
  erase_key(status, "code");
  status["code"] = code;
}

json::value success_status(const GroupName& resource, std::string_view name, std::string_view uid) {
  json::object object = base_status("Success");
  json::object details = details_of(resource, name);
  if (!uid.empty()) details["uid"] = uid;
  object["details"] = std::move(details);
  return object;
}

json::value plain_success_status(int code) {
  json::object object = base_status("Success");
  if (code != 0) object["code"] = code;
  return object;
}

}  // namespace coracle::api
