#include "apiserver/registry/connection_request.hpp"

#include "apiserver/chain/request_info.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net_streams/forward.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kBearerProtocol = "base64url.bearer.authorization.k8s.io.";
constexpr std::string_view kProtocols = "Sec-WebSocket-Protocol";

// The client's credentials are for us alone.
void drop_credentials(net::Headers* headers) {
  std::vector<std::string> gone = {"Authorization"};
  for (const auto& [name, value] : *headers) {
    if (to_lower(name).starts_with("impersonate-")) gone.push_back(name);
  }
  for (const std::string& name : gone) headers->remove(name);
  if (!headers->has(kProtocols)) return;
  std::vector<std::string> kept;
  for (const std::string_view line : headers->values(kProtocols)) {
    for (const std::string& one : split(line, ',')) {
      if (!trim(one).starts_with(kBearerProtocol)) kept.emplace_back(trim(one));
    }
  }
  headers->remove(kProtocols);
  if (!kept.empty()) headers->add(std::string(kProtocols), join(kept, ", "));
}

net::ClientRequest base_request(const net::Request& request, bool upgrade) {
  net::ClientRequest out;
  out.method = request.method;
  out.headers = net::end_to_end(request.headers);
  if (upgrade) {
    net::keep_upgrade(request.headers, &out.headers);
    if (iequals(request.headers.get("Upgrade"), "websocket")) out.method = "GET";
  }
  drop_credentials(&out.headers);
  return out;
}

net::Query stream_query(const net::Query& query, const std::string& subresource) {
  net::Query out;
  if (subresource == "portforward") {
    std::vector<std::string> ports = query.all("ports");
    if (!ports.empty()) out.add("port", join(ports, ","));
    return out;
  }
  if (subresource == "exec") {
    for (std::string& word : query.all("command")) out.add("command", std::move(word));
  }
  const auto wanted = [&query](std::string_view name, bool otherwise) {
    return query.has(name) ? query_flag(query, name) : otherwise;
  };
  if (wanted("stdin", false)) out.add("input", "1");
  if (wanted("stdout", true)) out.add("output", "1");
  if (wanted("stderr", true)) out.add("error", "1");
  if (wanted("tty", false)) out.add("tty", "1");
  return out;
}

}  // namespace

net::ClientRequest kubelet_request(const net::Request& request, const std::string& subresource,
                                   const PodContainer& what) {
  const bool upgrade = subresource != "log";
  net::ClientRequest out = base_request(request, upgrade);
  std::string path = "/" + percent_encode(what.ns) + "/" + percent_encode(what.pod);
  if (!what.container.empty()) path += "/" + percent_encode(what.container);
  net::Query query;
  if (upgrade) {
    out.headers.remove("Sec-WebSocket-Extensions");  // none is agreed on
    query = stream_query(request.query, subresource);
  } else {
    for (const auto& [name, value] : request.query) {
      if (name != "container" && name != "timeout") query.add(name, value);
    }
  }
  const std::string room = subresource == "log"           ? "/containerLogs"
                           : subresource == "portforward" ? "/portForward"
                                                          : "/" + subresource;
  out.target = room + path;
  if (!query.empty()) out.target += "?" + query.encode();
  return out;
}

ProxyPath proxy_path(const std::string& path, bool namespaced) {
  // /api/v1/nodes/x/proxy, /api/v1/namespaces/a/pods/x/proxy: the slash behind "proxy".
  std::size_t at = 0;
  for (int left = namespaced ? 7 : 5; left > 0; --left) {
    at = path.find('/', at + 1);
    if (at == std::string::npos) return {path, ""};
  }
  return {path.substr(0, at), path.substr(at)};
}

net::ClientRequest proxied_request(const net::Request& request, const ProxyPath& path,
                                   bool upgrade) {
  net::ClientRequest out = base_request(request, upgrade);
  out.body = request.body;
  out.target = path.rest.empty() ? "/" : path.rest;
  const std::size_t mark = request.target.find('?');
  if (mark != std::string::npos) out.target += request.target.substr(mark);
  out.headers.set("X-Forwarded-Uri", request.path);
  out.headers.set("X-Forwarded-Host", std::string(request.headers.get("Host")));
  out.headers.set("X-Forwarded-Proto", "https");
  std::string came_by(request.headers.get("X-Forwarded-For"));
  came_by += (came_by.empty() ? "" : ", ") + request.peer.address;
  if (!came_by.empty()) out.headers.set("X-Forwarded-For", came_by);
  return out;
}

std::optional<SchemeNamePort> split_scheme_name_port(const std::string& id) {
  const std::vector<std::string> parts = split(id, ':');
  SchemeNamePort out;
  if (parts.size() == 1) {
    out.name = parts[0];
  } else if (parts.size() == 2) {
    out = {"", parts[0], parts[1]};
  } else if (parts.size() == 3) {
    out = {parts[0], parts[1], parts[2]};
    if (out.scheme != "" && out.scheme != "http" && out.scheme != "https") return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (out.name.empty()) return std::nullopt;
  return out;
}

}  // namespace coracle::apiserver
