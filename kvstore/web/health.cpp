#include "web/health.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"

namespace coracle::store {
namespace {

const std::vector<std::string> kLive = {"serializable_read"};
const std::vector<std::string> kReady = {"data_corruption", "serializable_read",
                                         "linearizable_read", "non_learner"};

bool excluded(const net::Query& query, std::string_view name) {
  const auto all = query.all("exclude");
  return std::find(all.begin(), all.end(), name) != all.end();
}

Status run(const std::string& check, const HealthFacts& facts) {
  if (check == "serializable_read") return facts.serializable;
  if (check == "linearizable_read") return facts.linearizable;
  if (check == "data_corruption" && facts.corrupt) return data_loss("alarm activated: CORRUPT");
  if (check == "non_learner" && facts.learner) return unavailable("this member is a learner");
  return {};
}

std::string unhealthy_because(const HealthFacts& facts, const net::Query& query) {
  if (facts.nospace && !excluded(query, "NOSPACE")) return "ALARM NOSPACE";
  if (facts.corrupt && !excluded(query, "CORRUPT")) return "ALARM CORRUPT";
  const bool serializable = query.get("serializable") == "true";
  if (!serializable && !facts.has_leader) return "RAFT NO LEADER";
  const Status& read = serializable ? facts.serializable : facts.linearizable;
  return read.ok() ? "" : "RANGE ERROR:" + std::string(read.message());
}

}  // namespace

net::Response health_page(const HealthFacts& facts, const net::Query& query) {
  json::object body;
  const std::string reason = unhealthy_because(facts, query);
  body["health"] = reason.empty() ? "true" : "false";
  body["reason"] = reason;
  return net::make_response(reason.empty() ? 200 : 503, to_json(json::value(std::move(body))),
                            "application/json");
}

bool health_needs_read(const net::Query& query) { return query.get("serializable") != "true"; }

std::vector<std::string> checks_of(std::string_view path) {
  if (path == "/livez") return kLive;
  if (path == "/readyz") return kReady;
  for (const auto& [root, checks] : {std::pair{"/livez/", &kLive}, {"/readyz/", &kReady}}) {
    for (const std::string& check : *checks) {
      if (path == root + check) return {check};
    }
  }
  return {};
}

net::Response checks_page(const std::vector<std::string>& checks, const HealthFacts& facts,
                          const net::Query& query) {
  std::string lines;
  bool ok = true;
  for (const std::string& check : checks) {
    if (excluded(query, check)) continue;
    const Status status = run(check, facts);
    ok = ok && status.ok();
    lines += status.ok() ? fmt::format("[+]{} ok\n", check)
                         : fmt::format("[-]{} failed: {}\n", check, status.message());
  }
  std::string body = !ok ? lines : query.has("verbose") ? lines + "ok\n" : "ok\n";
  auto response = net::make_response(ok ? 200 : 503, std::move(body), "text/plain; charset=utf-8");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

bool checks_need_read(const std::vector<std::string>& checks, const net::Query& query) {
  return std::find(checks.begin(), checks.end(), "linearizable_read") != checks.end() &&
         !excluded(query, "linearizable_read");
}

}  // namespace coracle::store
