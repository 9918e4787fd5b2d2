// RequestInfo: what a path and a method ask for, as upstream reads them. Pure.
//
//   GET /api/v1/namespaces/a/pods/x/log    resource request: verb get, core/v1 pods/log "x" in a
//   GET /healthz                           everything else: verb get, path /healthz
#pragma once

#include <string>

#include "net/http.hpp"

namespace coracle::apiserver {

struct RequestInfo {
  bool is_resource = false;
  std::string verb;  // get list watch create update patch delete deletecollection; else the method
  std::string path;  // without a trailing slash; escapes kept
  std::string group, version, ns, resource, subresource, name;
  std::string rest;  // behind the subresource: of proxy
  // What a field selector narrows a list, watch or deletecollection to: metadata.name (`name` is
  // for the path's) and spec.nodeName.
  std::string selected_name, selected_node;
};

// nullopt-like: `is_resource` is false for what is no resource path.
RequestInfo parse_request_info(const net::Request& request);

// "", "0", "false" in any case are false; anything else given is true.
bool query_flag(const net::Query& query, std::string_view name);

}  // namespace coracle::apiserver
