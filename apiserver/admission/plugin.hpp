// Plugin: one admission plugin. Each is a file of this folder; plugins.cpp lists them in the order
// in which they are asked.
//
// Thread: apiserver strand. Objects are in the storage version. First `fill` and `change` of all
// plugins, before the object is checked: these may change it. Then, of a valid object, `check` and
// `ask`, which may wait, of all: these say yes or no. All may be asked several times for one
// request: a write starts over when it lost a race.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include "apiserver/registry/context.hpp"

namespace coracle::api::cel {
class Program;
}

namespace coracle::apiserver {

// What others were allowed and the caches do not show yet (plugin ResourceQuota).
struct QuotaClaim {
  std::string ns, storage_prefix, name;
  TimePoint until;
  json::object usage;
  std::vector<std::string> quotas;  // which of the namespace count it
};

class WebhookBook;
class ImagePolicy;
struct AdmissionConfig;

// State of the chain; one for all requests.
struct AdmissionState {
  explicit AdmissionState(const AdmissionConfig* given);  // null: the defaults
  ~AdmissionState();
  const std::unique_ptr<const AdmissionConfig> config;
  static constexpr std::size_t kClaimsMax = 10000;
  std::deque<QuotaClaim> claims;
  // Compiled expressions of policies by uid, generation and place; the oldest go.
  static constexpr std::size_t kProgramsMax = 2000;
  std::map<std::string, std::shared_ptr<const Result<api::cel::Program>>> programs;
  const std::unique_ptr<WebhookBook> mutating, validating;
  const std::unique_ptr<ImagePolicy> images;  // null: nobody is asked
};

// What a request's mutating webhooks did: one that changes the object makes the chain run a second
// time, in which only those are called that asked for it and came before a change.
struct Rounds {
  bool second = false, wanted = false;
  std::set<std::string> called, again;  // webhooks with reinvocationPolicy IfNeeded
  json::value seen;                     // the object after the last webhook
};

using TreePtr = std::shared_ptr<const json::value>;  // null: there is none

struct Admitted {
  Machinery& m;
  Context& c;
  AdmissionState& state;
  std::string_view operation;  // CREATE, UPDATE, DELETE, CONNECT
  json::value options = {};    // DELETE: the DeleteOptions
  Rounds rounds = {};
  bool own_body = false;  // what is admitted is no object of the storage kind (admit_body)

  bool is(std::string_view group, std::string_view kind) const {
    return c.storage->group == group && c.storage->kind == kind;
  }
  // 403 `pods "x" is forbidden: WHY`.
  api::ApiError forbidden(const json::value& object, std::string_view why) const;

  // From the caches. `key` is "name" or "namespace/name".
  TreePtr find(std::string_view prefix, std::string_view key) const;
  // The same, after a question to the store when it is not there.
  Task<TreePtr> find_settled(std::string prefix, std::string key) const;
  // Those of the namespace ("": all) in order of their keys, until fn says false.
  void scan(std::string_view prefix, std::string_view ns,
            const std::function<bool(const json::value&)>& fn) const;
};

struct Plugin {
  std::string_view name;
  // Creates only.
  Task<Outcome<Done>> (*fill)(Admitted& a, json::value& object) = nullptr;
  // `object` is null on DELETE, `old` on CREATE.
  Outcome<Done> (*check)(Admitted& a, const json::value* object, const json::value* old) = nullptr;
  Task<Outcome<Done>> (*change)(Admitted& a, json::value* object, const json::value* old) = nullptr;
  Task<Outcome<Done>> (*ask)(Admitted& a, const json::value* object,
                             const json::value* old) = nullptr;
  bool bodies = false;  // asked about what is no object of its kind, too (Admission::admit_body)
};

std::span<const Plugin> admission_plugins();

// "a, b" in brackets when there are several, as Go's aggregates of errors print.
std::string aggregate_text(const std::vector<std::string>& errors);
// The pod template of a workload (or the pod itself); null when the kind has none.
const json::value* pod_template_of(std::string_view kind, const json::value& object);
// Whether the list there holds the text.
bool lists_text(const json::value& root, std::string_view path, std::string_view text);
json::array& array_at(json::object& parent, std::string_view name);

}  // namespace coracle::apiserver
