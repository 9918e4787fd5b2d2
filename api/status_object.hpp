// status_object: metav1.Status, the body of every answer that is not an object, with upstream's
// texts and codes. Pure.
//
// details.kind is the *resource* (pods) for NotFound, AlreadyExists, Conflict, Forbidden, and the
// *Kind* (Pod) for Invalid; GroupName{"apps", "deployments"} prints as `deployments.apps`.
#pragma once

#include <string>
#include <string_view>

#include "api/field_error.hpp"
#include "base/json.hpp"

namespace coracle::api {

struct GroupName {
  std::string_view group;
  std::string_view name;     // plural resource, or Kind
  std::string text() const;  // "deployments.apps", "pods"
};

// A failure ready to be sent. `status` is the whole Status object.
struct ApiError {
  int http_code = 500;
  json::value status;

  std::string_view reason() const { return get_string(status, "reason"); }
  std::string_view message() const { return get_string(status, "message"); }
  // 0 when there is none: send Retry-After only when it is set.
  int retry_after_seconds() const;
};

ApiError not_found_error(const GroupName& resource, std::string_view name);
ApiError already_exists_error(const GroupName& resource, std::string_view name);
ApiError generate_name_conflict_error(const GroupName& resource, std::string_view name);
// `Operation cannot be fulfilled on deployments.apps "x": WHY`
ApiError conflict_error(const GroupName& resource, std::string_view name, std::string_view why);
// The usual WHY of a stale resourceVersion.
inline constexpr std::string_view kStaleObject =
    "the object has been modified; please apply your changes to the latest version and try again";
// 422, one cause a field; `Deployment.apps "x" is invalid: ...`
ApiError invalid_error(const GroupName& kind, std::string_view name, const FieldErrors& errors);
ApiError bad_request_error(std::string_view message);
ApiError unauthorized_error(std::string_view message = "Unauthorized");
// `pods "x" is forbidden: WHY`; without name `pods is forbidden: WHY`; without resource `forbidden:
// WHY`
ApiError forbidden_error(const GroupName& resource, std::string_view name, std::string_view why);
// 422 of a patch that cannot be applied: `the server rejected our request due to an error in our
// request`
ApiError unprocessable_error();
// 405 `the server does not allow this method on the requested resource`
ApiError method_not_allowed_error();
// 405 `delete is not supported on resources of kind "x"`
ApiError method_not_supported_error(const GroupName& resource, std::string_view action);
// 404 `the server could not find the requested resource` (unknown resource of a known version)
ApiError unknown_resource_error();
// 406 `only the following media types are accepted: a, b`
ApiError not_acceptable_error(const std::vector<std::string>& accepted);
// 415 `the body of the request was in an unknown format - accepted media types include: a, b`
ApiError unsupported_media_type_error(const std::vector<std::string>& accepted);
ApiError expired_error(std::string_view message);    // 410
ApiError too_large_error(std::string_view message);  // 413 `Request entity too large: MESSAGE`
ApiError timeout_error(std::string_view message, int retry_after_seconds);  // 504 `Timeout: ...`
// 504 with cause ResourceVersionTooLarge: `Too large resource version: 9, current: 5`
ApiError resource_version_too_large_error(std::uint64_t asked, std::uint64_t current);
// 500 `The watch operation against pods could not be completed at this time, please try again.`
ApiError server_timeout_error(const GroupName& resource, std::string_view operation, int retry_s);
ApiError too_many_requests_error(std::string_view message, int retry_after_seconds);  // 429
ApiError service_unavailable_error(std::string_view message);                         // 503
ApiError internal_api_error(std::string_view message);  // 500 `Internal error occurred: MESSAGE`
// 500 without a reason, as upstream answers errors that it has no class for: MESSAGE alone.
ApiError unknown_error(std::string_view message);
// Adds to details.causes (details is made when missing).
void add_cause(ApiError& error, std::string_view reason, std::string_view message,
               std::string_view field = {});

// Status Success; details {name, group, kind: resource, uid} as DELETE answers.
json::value success_status(const GroupName& resource, std::string_view name,
                           std::string_view uid = {});
json::value plain_success_status(int code = 0);

}  // namespace coracle::api
