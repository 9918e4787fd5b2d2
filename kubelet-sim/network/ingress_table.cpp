#include "network/ingress_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::network {
namespace {

std::string_view annotation(const json::value& ingress, std::string_view name) {
  return api::annotation_of(ingress, fmt::format("nginx.ingress.kubernetes.io/{}", name));
}

std::string class_of(const json::value& ingress) {
  const std::string_view named = get_string(ingress, "spec.ingressClassName");
  return std::string(named.empty() ? api::annotation_of(ingress, "kubernetes.io/ingress.class")
                                   : named);
}

bool prefix_of(std::string_view prefix, std::string_view path) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || path[prefix.size()] == '/';
}

std::string rewritten(const std::string& target, const std::vector<std::string>& groups) {
  std::string out;
  for (size_t i = 0; i < target.size(); ++i) {
    const bool group =
        target[i] == '$' && i + 1 < target.size() && target[i + 1] >= '1' && target[i + 1] <= '9';
    if (!group) {
      out += target[i];
      continue;
    }
    const size_t number = static_cast<size_t>(target[++i] - '0');
    if (number < groups.size()) out += groups[number];
  }
  return out.empty() ? "/" : out;
}

// The port of a backend: {"number": 80} or {"name": "http"}.
const json::value* service_port(const json::value& service, const json::value& backend) {
  const std::int64_t number = get_int(backend, "service.port.number");
  const std::string_view name = get_string(backend, "service.port.name");
  for (const json::value& port : get_array(service, "spec.ports")) {
    const bool same = number != 0 ? get_int(port, "port") == number
                                  : !name.empty() && get_string(port, "name") == name;
    if (same) return &port;
  }
  return nullptr;
}

// Better ones first.
bool better(const IngressRoute& a, const IngressRoute& b) {
  const auto rank = [](const IngressRoute& r) {
    const bool exact = r.match == IngressRoute::Match::kExact;
    return std::tuple(exact ? 0 : 1, -static_cast<long>(r.path.size()));
  };
  return rank(a) < rank(b);
}

}  // namespace

class IngressBuilder {
 public:
  IngressBuilder(const Objects& classes, const Objects& services, const Objects& slices)
      : slices_(slices_by_service(slices)) {
    for (const client::ObjectPtr& c : classes) {
      if (get_string(*c, "spec.controller") == kIngressController) {
        ours_.emplace(api::name_of(*c));
      }
    }
    for (const client::ObjectPtr& s : services) services_.emplace(client::object_key(*s), s);
  }

  void add(const json::value& ingress) {
    if (!ours_.contains(class_of(ingress))) return;
    table_.served_.push_back(client::object_key(ingress));
    std::vector<std::string> hosts;
    for (const json::value& rule : get_array(ingress, "spec.rules")) {
      const std::string host = to_lower(get_string(rule, "host"));
      if (!host.empty()) hosts.push_back(host);
      for (const json::value& path : get_array(rule, "http.paths")) {
        add_path(ingress, host, path);
      }
    }
    if (const json::value* fallback = coracle::find(ingress, "spec.defaultBackend")) {
      IngressRoute route;
      route.path = "/";
      route.backend = backend(ingress, *fallback);
      // Of a host that has rules, too, when none of them fits.
      std::set<std::string> all(hosts.begin(), hosts.end());
      all.insert("");
      for (const std::string& host : all) table_.hosts_[host].push_back(route);
    }
    for (const json::value& tls : get_array(ingress, "spec.tls")) {
      IngressTls entry;
      for (const json::value& host : get_array(tls, "hosts")) {
        if (host.is_string()) entry.hosts.push_back(to_lower(host.get_string()));
      }
      if (entry.hosts.empty()) entry.hosts = hosts;
      const std::string_view secret = get_string(tls, "secretName");
      if (secret.empty()) continue;
      entry.secret = fmt::format("{}/{}", api::namespace_of(ingress), secret);
      table_.tls_.push_back(std::move(entry));
    }
  }

  IngressTable take() {
    for (auto& [host, routes] : table_.hosts_) {
      std::stable_sort(routes.begin(), routes.end(), better);
    }
    return std::move(table_);
  }

 private:
  void add_path(const json::value& ingress, const std::string& host, const json::value& path) {
    IngressRoute route;
    route.path = get_string(path, "path", "/");
    if (route.path.empty()) route.path = "/";
    const std::string_view type = get_string(path, "pathType");
    const std::string_view rewrite = annotation(ingress, "rewrite-target");
    if (!rewrite.empty()) route.rewrite = rewrite;
    if (type == "Exact") route.match = IngressRoute::Match::kExact;
    const bool regex = annotation(ingress, "use-regex") == "true" || route.rewrite;
    if (regex && type != "Exact") {
      // As ingress-nginx does: from the start of the path, whatever the case.
      auto pattern = Regex::compile("(?i)^" + route.path);
      if (!pattern.ok()) return;  // a rule that can fit nothing
      route.match = IngressRoute::Match::kRegex;
      route.pattern = std::make_shared<const Regex>(std::move(*pattern));
    }
    route.to_https =
        !get_array(ingress, "spec.tls").empty() && annotation(ingress, "ssl-redirect") != "false";
    route.backend = backend(ingress, *coracle::find(path, "backend"));
    table_.hosts_[host].push_back(std::move(route));
  }

  IngressBackend backend(const json::value& ingress, const json::value& wanted) const {
    const std::string key =
        fmt::format("{}/{}", api::namespace_of(ingress), get_string(wanted, "service.name"));
    const std::int64_t number = get_int(wanted, "service.port.number");
    IngressBackend found;
    found.service = fmt::format("{}:{}", key,
                                number != 0 ? std::to_string(number)
                                            : std::string(get_string(wanted, "service.port.name")));
    const auto service = services_.find(key);
    if (service == services_.end()) return found;
    const json::value* port = service_port(*service->second, wanted);
    if (port == nullptr) return found;
    found.exists = true;
    const auto slices = slices_.find(key);
    if (slices == slices_.end()) return found;
    for (const SliceEndpoint& e :
         usable(endpoints_of(slices->second, get_string(*port, "name"), "TCP"))) {
      found.endpoints.push_back(e.endpoint);
    }
    std::sort(found.endpoints.begin(), found.endpoints.end());
    return found;
  }

  std::set<std::string> ours_;
  std::map<std::string, client::ObjectPtr> services_;
  const std::map<std::string, Objects> slices_;
  IngressTable table_;
};

IngressTable IngressTable::make(const Objects& ingresses, const Objects& classes,
                                const Objects& services, const Objects& slices) {
  IngressBuilder builder(classes, services, slices);
  Objects oldest_first = ingresses;
  std::stable_sort(oldest_first.begin(), oldest_first.end(), [](const auto& a, const auto& b) {
    return api::creation_timestamp_of(*a) < api::creation_timestamp_of(*b);
  });
  for (const client::ObjectPtr& ingress : oldest_first) builder.add(*ingress);
  return builder.take();
}

std::optional<IngressTable::Hit> IngressTable::find(std::string_view host,
                                                    std::string_view path) const {
  std::string name = to_lower(host.substr(0, host.find(':')));
  const size_t dot = name.find('.');
  const std::string wildcard = dot == name.npos ? "*" : "*" + name.substr(dot);
  for (const std::string& tried : {name, wildcard, std::string()}) {
    const auto routes = hosts_.find(tried);
    if (routes == hosts_.end()) continue;
    for (const IngressRoute& route : routes->second) {
      std::vector<std::string> groups;
      bool fits = false;
      switch (route.match) {
        case IngressRoute::Match::kExact:
          fits = path == route.path;
          break;
        case IngressRoute::Match::kPrefix:
          fits = prefix_of(route.path, path);
          break;
        case IngressRoute::Match::kRegex:
          fits = route.pattern->search(path, &groups);
          break;
      }
      if (!fits) continue;
      const bool keep = !route.rewrite;
      return Hit{&route, keep ? std::string(path) : rewritten(*route.rewrite, groups)};
    }
  }
  return std::nullopt;
}

std::vector<IngressBackend> IngressTable::backends() const {
  std::map<std::string, IngressBackend> each;
  for (const auto& [host, routes] : hosts_) {
    for (const IngressRoute& route : routes) each.emplace(route.backend.service, route.backend);
  }
  std::vector<IngressBackend> all;
  for (auto& [key, backend] : each) all.push_back(std::move(backend));
  return all;
}

}  // namespace coracle::network
