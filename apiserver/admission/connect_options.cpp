#include "apiserver/admission/connect_options.hpp"

#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// Go leaves out what is false or empty.
void add_flag(json::object& out, const net::Query& query, const char* key) {
  if (query_flag(query, key)) out[key] = true;
}
void add_text(json::object& out, const net::Query& query, const char* key) {
  const std::string_view value = query.get(key);
  if (!value.empty()) out[key] = value;
}

std::string_view proxy_kind(std::string_view resource) {
  if (resource == "nodes") return "NodeProxyOptions";
  return resource == "services" ? "ServiceProxyOptions" : "PodProxyOptions";
}

}  // namespace

bool is_connect(const RequestInfo& info) {
  const std::string& sub = info.subresource;
  return sub == "exec" || sub == "attach" || sub == "portforward" || sub == "proxy";
}

json::value connect_options(const RequestInfo& info, const net::Query& query) {
  const std::string& sub = info.subresource;
  json::object out;
  out["kind"] = sub == "exec"     ? "PodExecOptions"
                : sub == "attach" ? "PodAttachOptions"
                : sub == "proxy"  ? proxy_kind(info.resource)
                                  : "PodPortForwardOptions";
  out["apiVersion"] = "v1";
  if (sub == "proxy") {
    if (!info.rest.empty()) out["path"] = info.rest;
    return out;
  }
  if (sub == "portforward") {
    json::array ports;
    for (const std::string& text : query.all("ports")) {
      long long port = 0;
      if (parse_int(text, &port)) ports.emplace_back(port);
    }
    if (!ports.empty()) out["ports"] = std::move(ports);
    return out;
  }
  for (const char* key : {"stdin", "stdout", "stderr", "tty"}) add_flag(out, query, key);
  add_text(out, query, "container");
  if (sub == "exec") {
    json::array& command = out["command"].emplace_array();
    for (const std::string& word : query.all("command")) command.emplace_back(word);
  }
  return out;
}

}  // namespace coracle::apiserver
