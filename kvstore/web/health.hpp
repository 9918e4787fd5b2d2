// Health: what /health, /livez and /readyz answer, as etcd does. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "net/http.hpp"

namespace coracle::store {

// What is known when the question is answered. `linearizable` and `serializable` are the outcomes
// of such reads.
struct HealthFacts {
  bool nospace = false;
  bool corrupt = false;
  bool has_leader = true;
  bool learner = false;
  Status linearizable;
  Status serializable;
};

// {"health":"true","reason":""}, or 503 and the first reason. ?exclude=NOSPACE (repeatable),
// ?serializable=true.
net::Response health_page(const HealthFacts& facts, const net::Query& query);
// Does the page need the outcome of a linearizable read?
bool health_needs_read(const net::Query& query);

// "/livez", "/readyz", or one check below: "/readyz/linearizable_read". Empty: no such page.
std::vector<std::string> checks_of(std::string_view path);
// "ok", with ?verbose a line for each check, or 503 and those lines. ?exclude=CHECK (repeatable).
net::Response checks_page(const std::vector<std::string>& checks, const HealthFacts& facts,
                          const net::Query& query);
bool checks_need_read(const std::vector<std::string>& checks, const net::Query& query);

}  // namespace coracle::store
