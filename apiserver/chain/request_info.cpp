#include "apiserver/chain/request_info.hpp"

#include <algorithm>

#include "api/selectors.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

std::string method_verb(const std::string& method) {
  if (method == "POST") return "create";
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return to_lower(method);
}

// On collections, and on watch of one name through a field selector.
void refine_verb(const net::Request& request, bool watch_path, RequestInfo& info) {
  if (watch_path) {
    info.verb = "watch";
  } else if (info.name.empty() && info.verb == "get") {
    info.verb = query_flag(request.query, "watch") ? "watch" : "list";
  } else if (info.name.empty() && info.verb == "delete") {
    info.verb = "deletecollection";
  }
}

void read_field_selector(const net::Request& request, RequestInfo& info) {
  if (info.verb != "list" && info.verb != "watch" && info.verb != "deletecollection") return;
  const std::string_view text = request.query.get("fieldSelector");
  if (text.empty()) return;
  const auto selector = api::FieldSelector::parse(text);
  if (!selector.ok()) return;  // refused where it is used
  info.selected_name = selector->exact("metadata.name").value_or("");
  info.selected_node = selector->exact("spec.nodeName").value_or("");
}

}  // namespace

bool query_flag(const net::Query& query, std::string_view name) {
  if (!query.has(name)) return false;
  const std::string_view value = query.get(name);
  return value != "0" && !iequals(value, "false");
}

RequestInfo parse_request_info(const net::Request& request) {
  RequestInfo info;
  info.path = request.path;
  if (info.path.size() > 1 && info.path.ends_with('/')) info.path.pop_back();
  info.verb = to_lower(request.method);
  if (info.path.empty() || info.path[0] != '/') return info;
  std::vector<std::string> parts;
  parts.reserve(8);
  for (std::size_t slash = 0; slash != std::string::npos;) {
    const std::size_t next = info.path.find('/', slash + 1);
    const std::string_view part =
        std::string_view(info.path).substr(slash + 1, next - slash - 1);  // npos: to the end
    slash = next;
    // Doubled slashes lead nowhere, but they may mean something to who is proxied to.
    const bool proxied =
        parts.size() > 4 && std::find(parts.begin() + 4, parts.end(), "proxy") != parts.end();
    if (part.empty() && !proxied) return info;
    auto decoded = percent_decode(part);
    parts.push_back(decoded.ok() ? *std::move(decoded) : std::string(part));
  }
  size_t at = 0;
  if (parts.size() >= 3 && parts[0] == "api") {
    info.version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    info.group = parts[1];
    info.version = parts[2];
    at = 3;
  } else {
    return info;
  }
  const bool watch_path = parts[at] == "watch" && at + 1 < parts.size();
  if (watch_path) ++at;
  info.is_resource = true;
  info.verb = method_verb(request.method);
  const size_t left = parts.size() - at;
  if (parts[at] == "namespaces" && left >= 2) {
    info.ns = parts[at + 1];
    const bool own = left >= 3 && (parts[at + 2] == "status" || parts[at + 2] == "finalize");
    if (left >= 3 && !own) at += 2;  // a resource inside the namespace
  }
  info.resource = parts[at];
  if (at + 1 < parts.size()) info.name = parts[at + 1];
  if (at + 2 < parts.size()) info.subresource = parts[at + 2];
  for (size_t i = at + 3; i < parts.size(); ++i) info.rest += "/" + parts[i];
  refine_verb(request, watch_path, info);
  read_field_selector(request, info);
  return info;
}

}  // namespace coracle::apiserver
