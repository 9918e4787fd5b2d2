#include "client/resource.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::client {
namespace {

struct KnownReason {
  int http;
  const char* reason;
};
// What upstream's server puts into Status.reason for a bare code.
constexpr KnownReason kReasons[] = {
    {400, "BadRequest"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "NotFound"},
    {405, "MethodNotAllowed"},
    {406, "NotAcceptable"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "RequestEntityTooLarge"},
    {415, "UnsupportedMediaType"},
    {422, "Invalid"},
    {429, "TooManyRequests"},
    {500, "InternalError"},
    {503, "ServiceUnavailable"},
    {504, "Timeout"},
};

std::string reason_for(int http) {
  for (const auto& known : kReasons) {
    if (known.http == http) return known.reason;
  }
  return "";
}

std::string_view header(const ApiResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (iequals(key, name)) return value;
  }
  return {};
}

void add(QueryList& query, const std::string& name, const std::string& value) {
  if (!value.empty()) query.emplace_back(name, value);
}

QueryList list_query(const ListOptions& options) {
  QueryList query;
  add(query, "labelSelector", options.label_selector);
  add(query, "fieldSelector", options.field_selector);
  if (options.limit > 0) add(query, "limit", std::to_string(options.limit));
  add(query, "continue", options.continue_token);
  add(query, "resourceVersion", options.resource_version);
  add(query, "resourceVersionMatch", options.resource_version_match);
  query.insert(query.end(), options.extra.begin(), options.extra.end());
  return query;
}

QueryList write_query(const WriteOptions& options) {
  QueryList query;
  add(query, "fieldManager", options.field_manager);
  add(query, "fieldValidation", options.field_validation);
  if (options.dry_run) add(query, "dryRun", "All");
  query.insert(query.end(), options.extra.begin(), options.extra.end());
  return query;
}

std::string delete_body(const DeleteOptions& options) {
  json::object body;
  body["kind"] = "DeleteOptions";
  body["apiVersion"] = "v1";
  if (options.grace_period_seconds) body["gracePeriodSeconds"] = *options.grace_period_seconds;
  if (!options.propagation_policy.empty()) {
    body["propagationPolicy"] = options.propagation_policy;
  }
  json::object preconditions;
  if (!options.uid.empty()) preconditions["uid"] = options.uid;
  if (!options.resource_version.empty()) {
    preconditions["resourceVersion"] = options.resource_version;
  }
  if (!preconditions.empty()) body["preconditions"] = preconditions;
  if (options.dry_run) body["dryRun"] = json::array({json::value("All")});
  return to_json(body);
}

std::string text_of(const json::value& object, std::string_view path) {
  return std::string(get_string(object, path));
}

Code code_for(int http, std::string_view reason) {
  switch (http) {
    case 400:
    case 422:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return reason == "AlreadyExists" ? Code::kAlreadyExists : Code::kAborted;
    case 410:
      return Code::kOutOfRange;
    case 413:
    case 429:
      return Code::kResourceExhausted;
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kDeadlineExceeded;
    default:
      return http >= 500 ? Code::kInternal : Code::kUnknown;
  }
}

}  // namespace

std::int64_t ApiError::retry_after_seconds() const {
  return get_int(status, "details.retryAfterSeconds");
}

ApiError error_from_status_object(const json::value& status) {
  ApiError error;
  error.http = static_cast<int>(get_int(status, "code", 500));
  error.reason = text_of(status, "reason");
  error.message = text_of(status, "message");
  error.status = status;
  if (error.reason.empty()) error.reason = reason_for(error.http);
  error.code = code_for(error.http, error.reason);
  return error;
}

ApiError error_from_response(const ApiResponse& response) {
  const auto parsed = parse_json(response.body);
  if (parsed.ok() && get_string(*parsed, "kind") == "Status") {
    ApiError error = error_from_status_object(*parsed);
    error.http = response.status;
    error.code = code_for(error.http, error.reason);
    return error;
  }
  ApiError error;
  error.http = response.status;
  error.reason = reason_for(response.status);
  error.code = code_for(error.http, error.reason);
  error.message = std::string(trim(std::string_view(response.body).substr(0, 2048)));
  if (error.message.empty()) {
    error.message =
        "an error on the server (\"unknown\") has prevented the request from succeeding";
  }
  long long seconds = 0;
  if (parse_int(header(response, "retry-after"), &seconds)) {
    json::value status = json::object();
    set_path(status, "details.retryAfterSeconds", seconds);
    error.status = status;
  }
  return error;
}

ApiError error_from_no_answer(const Status& status) {
  ApiError error;
  error.code = status.code();
  error.reason = status.code() == Code::kDeadlineExceeded ? "Timeout" : "ServiceUnavailable";
  error.message = status.message();
  return error;
}

std::string encode_query(const QueryList& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    text += text.empty() ? '?' : '&';
    text += percent_encode(name) + "=" + percent_encode(value);
  }
  return text;
}

std::string_view patch_content_type(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategic:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  return "";
}

Task<ApiResult<json::value>> call_json(Api* api, ApiRequest request) {
  auto response = co_await api->call(std::move(request));
  if (!response.ok()) co_return error_from_no_answer(response.status());
  if (response->status >= 400) co_return error_from_response(*response);
  if (response->body.empty()) co_return json::value();
  auto parsed = parse_json(response->body);
  if (!parsed.ok()) {
    ApiError error;
    error.http = response->status;
    error.reason = "InternalError";
    error.message = "the server's answer is not JSON: " + parsed.status().message();
    co_return error;
  }
  co_return std::move(*parsed);
}

std::string ResourceClient::path(const std::string& ns, const std::string& name,
                                 const std::string& subresource) const {
  std::string path = gvr_.root();
  if (gvr_.namespaced && !ns.empty()) path += "/namespaces/" + percent_encode(ns);
  path += "/" + gvr_.plural;
  if (!name.empty()) path += "/" + percent_encode(name);
  if (!subresource.empty()) path += "/" + subresource;
  return path;
}

ResourceClient::Object ResourceClient::get(const std::string& ns, const std::string& name,
                                           QueryList query) const {
  return call_json(api_, {.target = path(ns, name) + encode_query(query)});
}

ResourceClient::Object ResourceClient::list(ListOptions options) const {
  return call_json(api_,
                   {.target = path(options.namespace_name) + encode_query(list_query(options))});
}

namespace {

Task<ApiResult<json::value>> all_pages(ResourceClient client, ListOptions options) {
  json::value whole;
  for (;;) {
    auto page = co_await client.list(options);
    if (!page.ok()) co_return page.error();
    options.continue_token = text_of(page.value(), "metadata.continue");
    if (whole.is_null()) {
      whole = std::move(page.value());
    } else if (whole.is_object() && page.value().is_object()) {
      json::value& items = whole.as_object()["items"];
      if (!items.is_array()) items.emplace_array();
      for (const json::value& item : get_array(page.value(), "items")) {
        items.as_array().push_back(item);
      }
      const json::value version = text_of(page.value(), "metadata.resourceVersion").c_str();
      set_path(whole, "metadata.resourceVersion", version);
    }
    if (options.continue_token.empty()) break;
  }
  if (find(whole, "metadata.continue")) {
    json::object& metadata = make_object(whole, "metadata");
    erase_key(metadata, "continue");
    erase_key(metadata, "remainingItemCount");
  }
  co_return whole;
}

}  // namespace

ResourceClient::Object ResourceClient::list_all(ListOptions options, std::int64_t page) const {
  options.limit = page;
  return all_pages(*this, std::move(options));
}

ResourceClient::Object ResourceClient::create(const std::string& ns, const json::value& object,
                                              WriteOptions options) const {
  return call_json(api_, {.method = "POST",
                          .target = path(ns) + encode_query(write_query(options)),
                          .body = to_json(object)});
}

ResourceClient::Object ResourceClient::update(const json::value& object,
                                              WriteOptions options) const {
  return call_json(api_, {.method = "PUT",
                          .target = path(text_of(object, "metadata.namespace"),
                                         text_of(object, "metadata.name")) +
                                    encode_query(write_query(options)),
                          .body = to_json(object)});
}

ResourceClient::Object ResourceClient::update_status(const json::value& object,
                                                     WriteOptions options) const {
  return call_json(api_, {.method = "PUT",
                          .target = path(text_of(object, "metadata.namespace"),
                                         text_of(object, "metadata.name"), "status") +
                                    encode_query(write_query(options)),
                          .body = to_json(object)});
}

ResourceClient::Object ResourceClient::patch(const std::string& ns, const std::string& name,
                                             PatchType type, const json::value& patch,
                                             WriteOptions options,
                                             const std::string& subresource) const {
  return call_json(api_,
                   {.method = "PATCH",
                    .target = path(ns, name, subresource) + encode_query(write_query(options)),
                    .headers = {{"Content-Type", std::string(patch_content_type(type))}},
                    .body = to_json(patch)});
}

ResourceClient::Object ResourceClient::remove(const std::string& ns, const std::string& name,
                                              DeleteOptions options) const {
  return call_json(api_,
                   {.method = "DELETE", .target = path(ns, name), .body = delete_body(options)});
}

ResourceClient::Object ResourceClient::remove_collection(ListOptions selection,
                                                         DeleteOptions options) const {
  return call_json(api_,
                   {.method = "DELETE",
                    .target = path(selection.namespace_name) + encode_query(list_query(selection)),
                    .body = delete_body(options)});
}

ResourceClient::Object ResourceClient::get_subresource(const std::string& ns,
                                                       const std::string& name,
                                                       const std::string& subresource,
                                                       QueryList query) const {
  return call_json(api_, {.target = path(ns, name, subresource) + encode_query(query)});
}

ResourceClient::Object ResourceClient::create_subresource(const std::string& ns,
                                                          const std::string& name,
                                                          const std::string& subresource,
                                                          const json::value& object) const {
  return call_json(
      api_, {.method = "POST", .target = path(ns, name, subresource), .body = to_json(object)});
}

ResourceClient::Object ResourceClient::update_subresource(const std::string& ns,
                                                          const std::string& name,
                                                          const std::string& subresource,
                                                          const json::value& object) const {
  return call_json(
      api_, {.method = "PUT", .target = path(ns, name, subresource), .body = to_json(object)});
}

}  // namespace coracle::client
