#include "kubectl/session.hpp"

#include <iostream>

#include "base/strings.hpp"
#include "kubectl/failure.hpp"
#include "kubectl/logged_wire.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagSpec;
using text::FlagType;

constexpr std::string_view kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

client::ConfigOverrides overrides_of(const text::ParsedFlags& flags) {
  client::ConfigOverrides out;
  out.context = flags.get("context");
  out.cluster = flags.get("cluster");
  out.user = flags.get("user");
  out.namespace_name = flags.get("namespace");
  out.server = flags.get("server");
  out.token = flags.get("token");
  out.certificate_authority = flags.get("certificate-authority");
  out.client_certificate = flags.get("client-certificate");
  out.client_key = flags.get("client-key");
  out.tls_server_name = flags.get("tls-server-name");
  out.as_user = flags.get("as");
  out.as_groups = flags.list("as-group");
  out.username = flags.get("username");
  out.password = flags.get("password");
  out.insecure_skip_tls_verify = flags.is_set("insecure-skip-tls-verify");
  return out;
}

client::ApiError local_error(const Status& status) {
  client::ApiError error = client::error_from_no_answer(status);
  return error;
}

}  // namespace

const std::vector<FlagSpec>& global_flags() {
  static const std::vector<FlagSpec> flags = {
      {"namespace", 'n', FlagType::kString, "", "The namespace of this request"},
      {"kubeconfig", 0, FlagType::kString, "", "The kubeconfig file to use"},
      {"context", 0, FlagType::kString, "", "The kubeconfig context to use"},
      {"cluster", 0, FlagType::kString, "", "The kubeconfig cluster to use"},
      {"user", 0, FlagType::kString, "", "The kubeconfig user to use"},
      {"server", 's', FlagType::kString, "", "Address and port of the API server"},
      {"token", 0, FlagType::kString, "", "Bearer token for the API server"},
      {"as", 0, FlagType::kString, "", "User to impersonate"},
      {"as-group", 0, FlagType::kArray, "", "Group to impersonate; may be repeated"},
      {"as-uid", 0, FlagType::kString, "", "UID to impersonate"},
      {"username", 0, FlagType::kString, "", "User name for basic authentication"},
      {"password", 0, FlagType::kString, "", "Password for basic authentication"},
      {"certificate-authority", 0, FlagType::kString, "", "File with the certificates to trust"},
      {"client-certificate", 0, FlagType::kString, "", "File with the client's certificate"},
      {"client-key", 0, FlagType::kString, "", "File with the client's key"},
      {"tls-server-name", 0, FlagType::kString, "", "Name the server's certificate must have"},
      {"insecure-skip-tls-verify", 0, FlagType::kBool, "false",
       "Do not check the server's certificate"},
      {"request-timeout", 0, FlagType::kString, "0", "How long to wait for one answer; 0: 60 s"},
      {"cache-dir", 0, FlagType::kString, "", "Accepted and not used"},
      {"v", 'v', FlagType::kString, "0", "6: tell each request; 8: with what it says"},
      {"warnings-as-errors", 0, FlagType::kBool, "false", "A warning makes the exit code 1"},
  };
  return flags;
}

Session::Session(Io streams, const text::ParsedFlags& flags, std::unique_ptr<Wire> wire)
    : io(streams),
      flags_(flags),
      explicit_namespace_(flags.has("namespace")),
      wire_(std::move(wire)) {}
Session::~Session() = default;

Result<client::Kubeconfig*> Session::kubeconfig() {
  if (!kubeconfig_) {
    auto loaded = client::Kubeconfig::load_default(flags_.get("kubeconfig"));
    if (!loaded.ok()) return fail(loaded.status().message());
    kubeconfig_ = std::move(*loaded);
  }
  return &*kubeconfig_;
}

Result<const client::ClientConfig*> Session::config() {
  if (!config_) {
    ASSIGN_OR_RETURN(client::Kubeconfig * file, kubeconfig());
    auto resolved = file->resolve(overrides_of(flags_));
    if (!resolved.ok() &&
        resolved.status().message().starts_with("context was not found for specified context")) {
      return invalid_argument("Error in configuration: " + resolved.status().message());
    }
    if (!resolved.ok()) return fail(resolved.status().message());
    config_ = std::move(*resolved);
  }
  return &*config_;
}

std::string Session::namespace_name() {
  if (explicit_namespace_) return flags_.get("namespace");
  const auto known = config();
  return known.ok() && !(*known)->namespace_name.empty() ? (*known)->namespace_name : "default";
}

Result<Wire*> Session::wire() {
  if (!wire_) {
    ASSIGN_OR_RETURN(const client::ClientConfig* known, config());
    auto made = make_https_wire(*known);
    if (!made.ok()) return fail(made.status().message());
    wire_ = std::move(*made);
    long long level = 0;
    if (parse_int(flags_.get("v"), &level) && level >= kTellRequests) {
      const std::string server = known->servers.empty() ? "" : known->servers[0];
      wire_ = make_logged_wire(std::move(wire_), static_cast<int>(level), server, io.err);
    }
  }
  return wire_.get();
}

// What kinds there are does not hang on who asks (kubectl keeps them on disk, for all users): a
// user named by --as may be one who must not look.
Status Session::load_discovery(const char* root) {
  Answer answer = call_json("GET", root, nullptr, {}, kAggregated);
  if (!answer.ok() && answer.error().is_forbidden() && config_ &&
      !config_->impersonate_user.empty()) {
    client::ClientConfig own = *config_;
    own.impersonate_user.clear();
    own.impersonate_groups.clear();
    auto made = make_https_wire(std::move(own));
    if (!made.ok()) return fail(made.status().message());
    made->swap(wire_);
    answer = call_json("GET", root, nullptr, {}, kAggregated);
    made->swap(wire_);
  }
  TRY_SERVER(const json::value document, std::move(answer));
  discovery_->add(document);
  return {};
}

Result<const Discovery*> Session::discovery() {
  if (!discovery_) {
    discovery_.emplace();
    Status status = load_discovery("/api");
    if (status.ok()) status = load_discovery("/apis");
    if (!status.ok()) {
      discovery_.reset();
      return status;
    }
  }
  return &*discovery_;
}

Result<const Resource*> Session::resource(std::string_view text) {
  ASSIGN_OR_RETURN(const Discovery* known, discovery());
  if (const Resource* found = known->find(text)) return found;
  return fail("the server doesn't have a resource type " + quoted(text));
}

void Session::warn(const std::string& line) {
  io.out.flush();
  io.err << line << "\n" << std::flush;
}

void Session::print_warnings(const client::ApiResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (name != "warning") continue;
    const size_t open = value.find('"'), close = value.rfind('"');
    if (open == value.npos || close <= open) continue;
    std::string text = value.substr(open + 1, close - open - 1);
    text = replace_all(replace_all(text, "\\\"", "\""), "\\\\", "\\");
    if (warned_.insert(text).second) warn("Warning: " + text);
  }
}

Duration Session::request_timeout() const {
  const auto given = parse_duration(flags_.get("request-timeout"));
  return given.ok() ? *given : Duration::zero();
}

client::ApiResult<client::ApiResponse> Session::call(client::ApiRequest request) {
  auto ready = wire();
  if (!ready.ok()) {
    client::ApiError error = local_error(ready.status());
    return error;
  }
  const Duration given = request_timeout();
  request.timeout = given > Duration::zero() ? given : std::chrono::seconds(60);
  auto response = (*ready)->call(std::move(request));
  if (!response.ok()) return client::error_from_no_answer(response.status());
  print_warnings(*response);
  if (response->status >= 400) return client::error_from_response(*response);
  return std::move(*response);
}

Answer Session::call_json(std::string method, std::string target, const json::value* body,
                          std::string_view content_type, std::string_view accept) {
  client::ApiRequest request{.method = std::move(method), .target = std::move(target)};
  if (!accept.empty()) request.headers.emplace_back("Accept", accept);
  if (!content_type.empty()) request.headers.emplace_back("Content-Type", content_type);
  if (body) request.body = to_json(*body);
  auto response = call(std::move(request));
  if (!response.ok()) return response.error();
  auto parsed = parse_json(response.value().body);
  if (!parsed.ok()) {
    client::ApiError error;
    error.http = response.value().status;
    error.reason = "InternalError";
    error.message = "the server's answer is not JSON: " + parsed.status().message();
    return error;
  }
  return std::move(*parsed);
}

Answer Session::get(const Resource& resource, const std::string& ns, const std::string& name,
                    const client::QueryList& query) {
  return call_json("GET", resource.path(ns, name) + client::encode_query(query));
}

Answer Session::list(const Resource& resource, const std::string& ns, client::QueryList query) {
  query.emplace_back("limit", "500");
  json::value whole;
  std::string next;
  for (;;) {
    client::QueryList page = query;
    if (!next.empty()) page.emplace_back("continue", next);
    auto answer = call_json("GET", resource.path(ns) + client::encode_query(page));
    if (!answer.ok()) return answer;
    json::value list = std::move(answer.value());
    next = get_string(list, "metadata.continue");
    if (whole.is_null()) {
      whole = std::move(list);
    } else {
      json::value& items = whole.as_object()["items"];
      for (const json::value& item : get_array(list, "items")) items.as_array().push_back(item);
    }
    if (next.empty()) break;
  }
  if (!whole.is_object()) whole.emplace_object();
  if (!whole.as_object()["items"].is_array()) whole.as_object()["items"].emplace_array();
  for (json::value& item : whole.as_object()["items"].as_array()) {
    if (!item.is_object() || item.as_object().contains("kind")) continue;
    item.as_object()["apiVersion"] = resource.api_version();
    item.as_object()["kind"] = resource.kind;
  }
  return whole;
}

Answer Session::create(const Resource& resource, const std::string& ns, const json::value& object,
                       const client::QueryList& query) {
  // An object read from a server carries the version it had there; a new one has none.
  const json::value* version = find(object, "metadata.resourceVersion");
  if (version == nullptr) {
    return call_json("POST", resource.path(ns) + client::encode_query(query), &object);
  }
  json::value made = object;
  erase_key(make_object(made, "metadata"), "resourceVersion");
  return call_json("POST", resource.path(ns) + client::encode_query(query), &made);
}

Answer Session::patch(const Resource& resource, const std::string& ns, const std::string& name,
                      client::PatchType type, const json::value& patch,
                      const client::QueryList& query, std::string_view subresource) {
  return call_json("PATCH", resource.path(ns, name, subresource) + client::encode_query(query),
                   &patch, client::patch_content_type(type));
}

client::ApiResult<client::ApiResponse> Session::stream(
    client::ApiRequest request, std::function<bool(std::string_view)> on_data, Duration limit) {
  auto ready = wire();
  if (!ready.ok()) {
    client::ApiError error = local_error(ready.status());
    return error;
  }
  // --request-timeout ends watches and followed logs too.
  if (limit == Duration::zero()) limit = request_timeout();
  auto response = (*ready)->stream(std::move(request), std::move(on_data), limit);
  if (!response.ok()) return client::error_from_no_answer(response.status());
  print_warnings(*response);
  if (response->status >= 400) return client::error_from_response(*response);
  return std::move(*response);
}

client::ApiResult<client::ApiResponse> Session::watch(
    std::string target, std::string_view accept, std::function<bool(const json::value&)> on_event,
    Duration limit) {
  client::ApiRequest request{.target = std::move(target)};
  if (!accept.empty()) request.headers.emplace_back("Accept", accept);
  std::string pending;
  const auto on_data = [&pending, &on_event](std::string_view bytes) {
    pending.append(bytes);
    for (size_t end; (end = pending.find('\n')) != pending.npos;) {
      const std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      const auto event = parse_json(line);
      if (event.ok() && !on_event(*event)) return false;
    }
    return true;
  };
  return stream(std::move(request), on_data, limit);
}

void Session::pause(Duration duration) {
  if (auto ready = wire(); ready.ok()) (*ready)->pause(duration);
}
TimePoint Session::now() {
  auto ready = wire();
  return ready.ok() ? (*ready)->now() : TimePoint();
}
WallTime Session::wall_now() {
  auto ready = wire();
  return ready.ok() ? (*ready)->wall_now() : real_clock().wall_now();
}

}  // namespace coracle::kubectl
