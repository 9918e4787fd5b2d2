// Documents: what is served beside resources: discovery, OpenAPI, version, the list of paths. Texts
// are made once, with their ETags.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "api/catalog.hpp"
#include "apiserver/aggregation/merged_discovery.hpp"
#include "net/http.hpp"

namespace coracle::apiserver {

inline constexpr std::string_view kGitVersion = "v1.36.0-coracle";

class Documents {
 public:
  Documents(const api::Catalog& catalog, std::string address);

  // The catalog's custom kinds have changed.
  void reset();
  // So has what other servers serve.
  void set_remote(std::vector<RemoteDiscovery> remote);

  // nullopt when the path is none of these.
  std::optional<net::Response> get(const net::Request& request, const std::string& path);

 private:
  struct Document {
    std::string type;
    net::Bytes body;
    std::string etag;
  };
  const Document* discovery(const std::string& path, bool aggregated);
  std::optional<net::Response> openapi(const net::Request& request, const std::string& path);
  std::optional<net::Response> openapi_v2(const net::Request& request);
  void build_openapi();

  const api::Catalog& catalog_;
  const std::string address_;
  std::vector<RemoteDiscovery> remote_;
  std::map<std::string, Document> documents_;  // made when first asked for
  std::map<std::string, std::string> openapi_hashes_;
};

}  // namespace coracle::apiserver
