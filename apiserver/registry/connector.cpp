#include "apiserver/registry/connector.hpp"

#include "api/object.hpp"
#include "apiserver/registry/connection_request.hpp"
#include "apiserver/registry/socket_exchange.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "net_streams/forward.hpp"

namespace coracle::apiserver {

namespace {

Outcome<std::string> choose_container(const json::value& pod, std::string asked) {
  const std::string name(api::name_of(pod));
  const auto names_in = [&pod](const char* list) {
    std::vector<std::string> names;
    for (const json::value& container : get_array(pod, list)) {
      names.emplace_back(get_string(container, "name"));
    }
    return names;
  };
  const std::vector<std::string> main = names_in("spec.containers");
  const std::vector<std::string> init = names_in("spec.initContainers");
  if (!asked.empty()) {
    for (const auto& list : {init, main, names_in("spec.ephemeralContainers")}) {
      if (std::find(list.begin(), list.end(), asked) != list.end()) return asked;
    }
    return api::bad_request_error("container " + asked + " is not valid for pod " + name);
  }
  if (main.size() == 1) return main[0];
  std::string text = "a container name must be specified for pod " + name;
  if (!main.empty()) text += ", choose one of: [" + join(main, " ") + "]";
  if (!init.empty()) text += " or one of the init containers: [" + join(init, " ") + "]";
  return api::bad_request_error(text);
}

std::string node_address(const json::value& node) {
  std::string fallback;
  for (const json::value& address : get_array(node, "status.addresses")) {
    const std::string_view type = get_string(address, "type");
    if (type == "InternalIP") return std::string(get_string(address, "address"));
    if (type == "Hostname") fallback = get_string(address, "address");
  }
  return fallback;
}

// The port that is not named: of the first container that offers one, or the scheme's.
int default_port(const std::string& scheme) { return scheme == "https" ? 443 : 80; }

Backend::Kind kind_of(const std::string& scheme) {
  return scheme == "https" ? Backend::Kind::kTls : Backend::Kind::kPlain;
}

Outcome<int> port_number(const std::string& text) {
  long long number = 0;
  if (!parse_int(text, &number) || number < 1 || number > 65535) {
    return api::bad_request_error("invalid port " + quoted(text));
  }
  return static_cast<int>(number);
}

}  // namespace

bool is_connection(std::string_view subresource) {
  return subresource == "log" || subresource == "exec" || subresource == "attach" ||
         subresource == "portforward" || subresource == "proxy";
}

Outcome<json::value> Connector::object(std::string_view plural, const std::string& ns,
                                       const std::string& name) const {
  const api::ResourceInfo* resource = m_.catalog.find("", "v1", plural);
  const ResourceCache* cache =
      resource == nullptr ? nullptr : m_.feed.cache(resource->storage_prefix);
  const ObjectPtr found =
      cache == nullptr ? nullptr : cache->find(ns.empty() ? name : ns + "/" + name);
  if (!found) return api::not_found_error({"", plural}, name);
  return tree_of(*resource, *found->tail());
}

Outcome<Backend> Connector::kubelet_of(const std::string& name) const {
  TRY_OUTCOME(const json::value node, object("nodes", "", name));
  const std::string host = node_address(node);
  const std::int64_t port = get_int(node, "status.daemonEndpoints.kubeletEndpoint.Port");
  if (host.empty() || port <= 0) {
    return api::internal_api_error("node " + name + " tells no address of its kubelet");
  }
  return Backend{Backend::Kind::kKubelet, host, static_cast<int>(port)};
}

Task<Connector::MaybeReply> Connector::connect(Context& c) {
  const std::string& verb = c.info.verb;
  const bool log = c.info.subresource == "log", proxied = c.info.subresource == "proxy";
  if (!proxied && verb != "get" && (log || verb != "create")) {
    co_return api::method_not_allowed_error();
  }
  const Outcome<Done> fresh = co_await reader_.freshen(std::nullopt);
  if (!fresh.ok()) co_return fresh.error();
  if (proxied) co_return co_await proxy(c);
  co_return co_await stream(c);
}

Task<Connector::MaybeReply> Connector::stream(Context& c) {
  const std::string& sub = c.info.subresource;
  CO_TRY_OUTCOME(const json::value pod, object("pods", c.info.ns, c.info.name));
  std::string container;
  if (sub != "portforward") {
    CO_TRY_OUTCOME(container, choose_container(pod, std::string(c.request.query.get("container"))));
  }
  const std::string node(get_string(pod, "spec.nodeName"));
  if (node.empty() && sub == "log") {  // nothing has run, nothing was said
    co_return std::optional(net::make_response(200, "", "text/plain"));
  }
  if (node.empty()) {
    co_return api::bad_request_error("pod " + c.info.name + " does not have a host assigned");
  }
  if (backends_ == nullptr) co_return api::not_found_error({"", "nodes"}, node);
  BackendCall call;
  CO_TRY_OUTCOME(call.backend, kubelet_of(node));
  call.upgrade = sub != "log";
  if (call.upgrade && !net::asks_upgrade(c.request)) {
    co_return api::bad_request_error("Upgrade request required");
  }
  call.request = kubelet_request(c.request, sub, {c.info.ns, c.info.name, container});
  if (sub == "log" && net::is_websocket_upgrade(c.request)) {
    auto socket = net::accept_websocket(c.request, *c.exchange, SocketExchange::subprotocols());
    if (!socket.ok()) co_return api::bad_request_error(socket.status().message());
    call.exchange = std::make_shared<SocketExchange>(*std::move(socket));
  } else {
    call.exchange = std::move(c.exchange);
  }
  backends_->connect(std::move(call));
  co_return std::optional<net::Response>();
}

Task<Connector::MaybeReply> Connector::proxy(Context& c) {
  const ProxyPath path = proxy_path(c.request.path, c.resource->namespaced);
  const bool upgrade = net::asks_upgrade(c.request);
  const std::string& method = c.request.method;
  if (path.rest.empty() && !upgrade && (method == "GET" || method == "HEAD")) {
    // Relative links of the page at the root would lead beside it.
    net::Response moved = net::make_response(301, "", "text/plain");
    const std::size_t mark = c.request.target.find('?');
    moved.headers.add("Location", path.prefix + "/" +
                                      (mark == std::string::npos ? std::string()
                                                                 : c.request.target.substr(mark)));
    co_return std::optional(std::move(moved));
  }
  BackendCall call;
  const std::string& plural = c.resource->plural;
  CO_TRY_OUTCOME(call.backend, plural == "pods"       ? proxy_pod(c)
                               : plural == "services" ? proxy_service(c)
                                                      : proxy_node(c));
  if (backends_ == nullptr) co_return api::service_unavailable_error("nothing can be reached");
  call.request = proxied_request(c.request, path, upgrade);
  call.upgrade = upgrade;
  call.prefix = path.prefix;
  call.client_host = c.request.headers.get("Host");
  call.exchange = std::move(c.exchange);
  backends_->connect(std::move(call));
  co_return std::optional<net::Response>();
}

Outcome<Backend> Connector::proxy_pod(const Context& c) const {
  const auto id = split_scheme_name_port(c.info.name);
  if (!id) return api::bad_request_error("invalid pod request " + quoted(c.info.name));
  TRY_OUTCOME(const json::value pod, object("pods", c.info.ns, id->name));
  int port = default_port(id->scheme);
  if (!id->port.empty()) {
    TRY_OUTCOME(port, port_number(id->port));
  } else {
    for (const json::value& container : get_array(pod, "spec.containers")) {
      const json::array& ports = get_array(container, "ports");
      if (ports.empty()) continue;
      port = static_cast<int>(get_int(ports[0], "containerPort"));
      break;
    }
  }
  const std::string address(get_string(pod, "status.podIP"));
  if (address.empty()) return api::bad_request_error("address not allowed");
  return Backend{kind_of(id->scheme), address, port};
}

Outcome<Backend> Connector::proxy_service(const Context& c) const {
  const auto id = split_scheme_name_port(c.info.name);
  if (!id) return api::bad_request_error("invalid service request " + quoted(c.info.name));
  std::string port_name = id->port;
  if (long long number = 0; parse_int(id->port, &number)) {
    TRY_OUTCOME(const json::value service, object("services", c.info.ns, id->name));
    bool found = false;
    for (const json::value& port : get_array(service, "spec.ports")) {
      if (get_int(port, "port") != number) continue;
      port_name = get_string(port, "name");
      found = true;
      break;
    }
    if (!found) {
      return api::service_unavailable_error("no service port " + id->port + " found for service " +
                                            quoted(id->name));
    }
  }
  TRY_OUTCOME(const json::value endpoints, object("endpoints", c.info.ns, id->name));
  std::vector<Backend> choices;
  for (const json::value& subset : get_array(endpoints, "subsets")) {
    for (const json::value& port : get_array(subset, "ports")) {
      if (get_string(port, "name") != port_name) continue;
      for (const json::value& address : get_array(subset, "addresses")) {
        choices.push_back({kind_of(id->scheme), std::string(get_string(address, "ip")),
                           static_cast<int>(get_int(port, "port"))});
      }
    }
  }
  if (choices.empty()) {
    return api::service_unavailable_error("no endpoints available for service " + quoted(id->name));
  }
  return choices[m_.rng.below(choices.size())];
}

Outcome<Backend> Connector::proxy_node(const Context& c) const {
  const auto id = split_scheme_name_port(c.info.name);
  if (!id) return api::bad_request_error("invalid node request " + quoted(c.info.name));
  TRY_OUTCOME(Backend backend, kubelet_of(id->name));
  if (id->port.empty() || id->port == std::to_string(backend.port)) return backend;
  TRY_OUTCOME(backend.port, port_number(id->port));
  backend.kind = kind_of(id->scheme);
  return backend;
}

}  // namespace coracle::apiserver
