// health: the pages /healthz, /livez and /readyz and a page below them for each check, as upstream
// prints them. Pure: the checks' results are arguments.
//
//   GET /readyz?verbose            [+]ping ok ... readyz check passed
//   GET /livez/etcd                ok, or 500 with the reason
//   GET /readyz?exclude=etcd       without it
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/http.hpp"

namespace coracle::apiserver {

struct HealthCheck {
  std::string name;   // "etcd", "poststarthook/rbac/bootstrap-roles"
  std::string fault;  // empty: it passed
};

// /healthz, /livez, /readyz and what is below them.
bool is_health_path(std::string_view path);
// "readyz" of "/readyz/etcd".
std::string health_page(std::string_view path);
// Whether the answer to this request depends on the check.
bool needs_check(const net::Request& request, std::string_view path, std::string_view name);

// nullopt: there is no such check.
std::optional<net::Response> health_response(const net::Request& request, std::string_view path,
                                             const std::vector<HealthCheck>& checks);

}  // namespace coracle::apiserver
