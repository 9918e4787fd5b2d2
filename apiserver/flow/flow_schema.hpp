// FlowSchema and PriorityLevel: the objects of flowcontrol.apiserver.k8s.io as decisions need them:
// which requests a schema is about, and how a priority level treats those that are given to it.
//
// Pure values. Made from stored objects, which are valid: what is missing has upstream's default.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apiserver/chain/user.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

class FlowSchema {
 public:
  enum class Distinguisher { kNone, kByUser, kByNamespace };

  static FlowSchema from_json(const json::value& object);

  const std::string& name() const { return name_; }
  const std::string& uid() const { return uid_; }
  const std::string& level() const { return level_; }
  int precedence() const { return precedence_; }
  // Lower precedence first, then by name.
  bool before(const FlowSchema& other) const;

  bool matches(const UserInfo& user, const RequestInfo& request) const;
  // What tells one flow of this schema from another: "" when there is only one.
  const std::string& flow_of(const UserInfo& user, const RequestInfo& request) const;

 private:
  using Texts = std::vector<std::string>;
  struct Subject {
    enum class Kind { kUser, kGroup, kServiceAccount };
    Kind kind = Kind::kUser;
    std::string name, ns;
  };
  struct ResourceRule {
    Texts verbs, groups, resources, namespaces;
    bool cluster_scope = false;
  };
  struct UrlRule {
    Texts verbs, urls;
  };
  struct Rule {
    std::vector<Subject> subjects;
    std::vector<ResourceRule> resources;
    std::vector<UrlRule> urls;
  };
  static Rule rule_from_json(const json::value& in);
  static bool fits(const Subject& subject, const UserInfo& user);
  static bool fits(const Rule& rule, const RequestInfo& request);

  std::string name_, uid_, level_;
  int precedence_ = 0;
  Distinguisher distinguisher_ = Distinguisher::kNone;
  std::vector<Rule> rules_;
};

struct PriorityLevel {
  std::string name, uid;
  bool exempt = false;  // never waits, never refused
  int shares = 30;      // of the server's seats
  int lendable_percent = 0;
  std::optional<int> borrowing_limit_percent;  // none: as much as there is
  // 0 queues: what does not fit at once is refused.
  int queues = 0, hand_size = 0, queue_length_max = 0;

  static PriorityLevel from_json(const json::value& object);
};

}  // namespace coracle::apiserver
