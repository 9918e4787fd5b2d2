// audit: who did what, one JSON line a stage, as audit.k8s.io/v1 has it; which requests and how
// much of them a policy file says. Pure but for the sink.
//
// Thread: apiserver strand. A line is made only for requests the policy names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "apiserver/chain/user.hpp"
#include "base/clock.hpp"
#include "net/http.hpp"

namespace coracle::apiserver {

enum class AuditLevel { kNone, kMetadata, kRequest, kRequestResponse };

class AuditPolicy {
 public:
  // YAML of kind Policy; InvalidArgument says what is wrong with it.
  static Result<AuditPolicy> parse(std::string_view text);
  // Everything, as metadata.
  static AuditPolicy metadata();

  struct Verdict {
    AuditLevel level = AuditLevel::kNone;
    bool received = true, started = true, complete = true;  // stages that are not left out
    bool managed_fields = true;                             // of the objects in it
  };
  // The first rule that fits decides; none: not logged.
  Verdict decide(const UserInfo& user, const RequestInfo& request) const;

 private:
  struct Resources {
    std::string group;
    std::vector<std::string> resources, names;  // empty: all
  };
  struct Rule {
    Verdict verdict;
    std::vector<std::string> users, groups, verbs, namespaces, urls;
    std::vector<Resources> resources;
  };
  static Result<Rule> parse_rule(const json::value& in, const std::set<std::string>& omitted,
                                 bool managed_fields);
  static bool fits(const Rule& rule, const UserInfo& user, const RequestInfo& request);

  std::vector<Rule> rules_;
};

// What is known of a request when it is answered, or when the stream it became has ended.
struct AuditRecord {
  enum class Stage { kStarted, kComplete, kStreamEnded };

  std::string id;
  const net::Request& request;
  const RequestInfo& info;
  const UserInfo& user;  // who asked, by his own credentials: the policy goes by him
  WallTime received, now;
  const UserInfo* impersonated = nullptr;
  int code = 0;
  Stage stage = Stage::kComplete;
  const json::value* object = nullptr;    // the request's body when it is known as a tree
  const json::value* response = nullptr;  // the answer's
  // "allow", "forbid" or "" when it did not come to that, and why.
  std::string decision, reason;
  // What admission has to say of it; may be null.
  const std::map<std::string, std::string>* annotations = nullptr;
};

class AuditLog {
 public:
  using Sink = std::function<void(const std::string& line)>;  // lines end with \n
  AuditLog(AuditPolicy policy, Sink sink) : policy_(std::move(policy)), sink_(std::move(sink)) {}

  AuditLevel level(const UserInfo& user, const RequestInfo& request) const {
    return policy_.decide(user, request).level;
  }
  void record(const AuditRecord& record) const;

 private:
  AuditPolicy policy_;
  Sink sink_;
};

}  // namespace coracle::apiserver
