// IngressTable: which Service answers a request, by its host and path (networking.k8s.io/v1
// Ingress). Pure: Ingresses, IngressClasses, Services and EndpointSlices in, a table out.
//
//  - An Ingress is ours if its class names an IngressClass of the controller kIngressController.
//  There
//    is none in a new cluster, as in a real one: examples/ingress-class.yaml makes it.
//  - An exact host wins over a wildcard, which wins over no host; in a host an exact path wins over
//  a
//    prefix, a longer prefix over a shorter one, an older Ingress over a younger.
//  - Prefix compares whole elements: /shop is not a prefix of /shopping. ImplementationSpecific is
//    read as Prefix, or as a regular expression where the annotation below asks for one.
//  - Of the annotations of ingress-nginx, which courses use: rewrite-target (with $1..$9),
//    use-regex, ssl-redirect.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.hpp"
#include "network/service_table.hpp"

namespace coracle::network {

inline constexpr std::string_view kIngressController = "lab.coracle.dev/ingress";

struct IngressBackend {
  std::string service;  // "default/web:80", also a name for what is shared between rules
  bool exists = false;  // the Service has such a port
  std::vector<Endpoint> endpoints;
};

struct IngressRoute {
  std::string path;
  enum class Match { kExact, kPrefix, kRegex } match = Match::kPrefix;
  std::shared_ptr<const Regex> pattern;  // of kRegex, and of prefixes that are rewritten
  std::optional<std::string> rewrite;    // "/$2"
  bool to_https = false;                 // plain requests are sent there
  IngressBackend backend;
};

struct IngressTls {
  std::vector<std::string> hosts;  // empty: those of the rules
  std::string secret;              // "default/web-tls"
};

class IngressTable {
 public:
  static IngressTable make(const Objects& ingresses, const Objects& classes,
                           const Objects& services, const Objects& slices);

  struct Hit {
    const IngressRoute* route;
    std::string path;  // for the Service
  };
  // `host` as in the Host header, its port ignored; `path` without the query. Nothing: no rule
  // fits.
  std::optional<Hit> find(std::string_view host, std::string_view path) const;

  const std::vector<std::string>& served() const { return served_; }  // keys of our Ingresses
  const std::vector<IngressTls>& tls() const { return tls_; }
  std::vector<IngressBackend> backends() const;  // each once

 private:
  std::map<std::string, std::vector<IngressRoute>> hosts_;  // best first; "" is any host
  std::vector<std::string> served_;
  std::vector<IngressTls> tls_;

  friend class IngressBuilder;
};

}  // namespace coracle::network
