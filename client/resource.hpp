// ResourceClient: objects over Api for one resource. A small value: copy it freely; only the Api
// must outlive the Tasks.
//
// Answers are ApiResult: the value, or an ApiError with upstream's reason and message. No HTTP
// answer at all is an ApiError with http 0 and reason "ServiceUnavailable" or "Timeout".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "client/api.hpp"

namespace coracle::client {

struct Gvr {
  std::string group;  // empty: core
  std::string version;
  std::string plural;
  bool namespaced = true;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  // "/api/v1" or "/apis/apps/v1".
  std::string root() const { return (group.empty() ? "/api/" : "/apis/") + api_version(); }
  friend bool operator==(const Gvr&, const Gvr&) = default;
};

struct ApiError {
  int http = 0;         // 0: no answer came
  std::string reason;   // "NotFound", "AlreadyExists", "Conflict", "Expired", ...
  std::string message;  // for people
  json::value status;   // the whole meta/v1 Status, or null
  Code code = Code::kUnknown;

  bool no_answer() const { return http == 0; }
  bool is_not_found() const { return http == 404; }
  bool is_already_exists() const { return http == 409 && reason == "AlreadyExists"; }
  bool is_conflict() const { return http == 409 && reason != "AlreadyExists"; }
  bool is_invalid() const { return http == 422; }
  bool is_forbidden() const { return http == 403; }
  // The resourceVersion is too old: list again.
  bool is_gone() const { return http == 410; }
  // The same request may do better later.
  bool is_retryable() const { return http == 0 || http == 429 || http >= 500; }
  std::int64_t retry_after_seconds() const;  // 0: not said
};

// From an answer of 400 or more, whatever its body is.
ApiError error_from_response(const ApiResponse& response);
ApiError error_from_status_object(const json::value& status);
ApiError error_from_no_answer(const Status& status);

template <class T>
class [[nodiscard]] ApiResult {
 public:
  ApiResult(T value) : value_(std::move(value)) {}         // NOLINT: implicit by design
  ApiResult(ApiError error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return value_.has_value(); }
  T& value() { return must(), *value_; }
  const T& value() const { return must(), *value_; }
  const ApiError& error() const { return error_; }

 private:
  void must() const { CHECK_MSG(ok(), error_.message); }
  std::optional<T> value_;
  ApiError error_;
};

using QueryList = std::vector<std::pair<std::string, std::string>>;
// "?a=b&c=d", encoded, or empty.
std::string encode_query(const QueryList& query);

struct ListOptions {
  std::string namespace_name;  // empty: all
  std::string label_selector, field_selector;
  std::string resource_version, resource_version_match;
  std::int64_t limit = 0;
  std::string continue_token;
  QueryList extra;
};

struct WriteOptions {
  std::string field_manager, field_validation;  // field_validation: Strict, Warn, Ignore
  bool dry_run = false;
  QueryList extra;
};

struct DeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::string propagation_policy;  // Background, Foreground, Orphan; empty: the resource's default
  std::string uid, resource_version;  // preconditions
  bool dry_run = false;
};

enum class PatchType { kJson, kMerge, kStrategic, kApply };
std::string_view patch_content_type(PatchType type);

class ResourceClient {
 public:
  using Object = Task<ApiResult<json::value>>;

  ResourceClient(Api& api, Gvr gvr) : api_(&api), gvr_(std::move(gvr)) {}
  const Gvr& gvr() const { return gvr_; }
  Api& api() const { return *api_; }
  // The path of the collection (empty name) or the object, with a subresource if given.
  std::string path(const std::string& ns, const std::string& name = {},
                   const std::string& subresource = {}) const;

  Object get(const std::string& ns, const std::string& name, QueryList query = {}) const;
  Object list(ListOptions options = {}) const;
  // All pages joined into one list; `page` objects a request.
  Object list_all(ListOptions options = {}, std::int64_t page = 500) const;
  Object create(const std::string& ns, const json::value& object, WriteOptions options = {}) const;
  // Name and namespace are the object's.
  Object update(const json::value& object, WriteOptions options = {}) const;
  Object update_status(const json::value& object, WriteOptions options = {}) const;
  Object patch(const std::string& ns, const std::string& name, PatchType type,
               const json::value& patch, WriteOptions options = {},
               const std::string& subresource = {}) const;
  Object remove(const std::string& ns, const std::string& name, DeleteOptions options = {}) const;
  Object remove_collection(ListOptions selection, DeleteOptions options = {}) const;
  Object get_subresource(const std::string& ns, const std::string& name,
                         const std::string& subresource, QueryList query = {}) const;
  // POST (pods/binding, pods/eviction, serviceaccounts/token) and PUT (scale).
  Object create_subresource(const std::string& ns, const std::string& name,
                            const std::string& subresource, const json::value& object) const;
  Object update_subresource(const std::string& ns, const std::string& name,
                            const std::string& subresource, const json::value& object) const;

 private:
  Api* api_;
  Gvr gvr_;
};

// One call and its JSON answer: what ResourceClient and raw requests stand on.
Task<ApiResult<json::value>> call_json(Api* api, ApiRequest request);

}  // namespace coracle::client
