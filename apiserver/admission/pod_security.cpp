// PodSecurity: the levels a namespace's labels name: enforce refuses pods, warn warns of pods and
// of workloads that would make them, audit notes both in the audit log.
#include <algorithm>

#include "api/object.hpp"
#include "apiserver/admission/admission_config.hpp"
#include "apiserver/admission/plugins.hpp"
#include "apiserver/admission/pod_security_checks.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";
constexpr std::size_t kPodsMax = 3000;  // looked at when a namespace's level rises

// Those of one namespace, and what is wrong with its labels.
struct Policies : SecurityPolicies {
  api::FieldErrors errors;
};

void read_mode(const json::value& ns, const std::string& mode, SecurityLevel otherwise,
               SecurityPolicy& out, Policies& all) {
  const auto field = [](const std::string& key) {
    return api::FieldPath("metadata").child("labels").key(key);
  };
  const std::string label = std::string(kPrefix) + mode;
  if (const json::value* level = find_member(api::labels_of(ns), label)) {
    const std::string_view text = level->is_string() ? level->get_string() : std::string_view();
    if (const auto known = security_level(text)) {
      out.level = *known;
    } else {
      out.level = otherwise;
      all.errors.invalid(field(label), *level, "must be one of privileged, baseline, restricted");
    }
  }
  if (const json::value* version = find_member(api::labels_of(ns), label + "-version")) {
    const std::string_view text = version->is_string() ? version->get_string() : std::string_view();
    if (is_security_version(text)) {
      out.version = text;
    } else {
      all.errors.invalid(field(label + "-version"), *version, "must be \"latest\" or \"v1.x\"");
    }
  }
}

Policies policies_of(const json::value& ns, const SecurityPolicies& defaults) {
  Policies out{defaults, {}};
  // A level nobody understands is the strictest; warnings and audits fail open.
  read_mode(ns, "enforce", SecurityLevel::kRestricted, out.enforce, out);
  const bool understood = out.errors.empty();
  read_mode(ns, "audit", SecurityLevel::kPrivileged, out.audit, out);
  read_mode(ns, "warn", SecurityLevel::kPrivileged, out.warn, out);
  const json::object& labels = api::labels_of(ns);
  const auto has = [&](const char* label) { return labels.contains(std::string(kPrefix) + label); };
  if (!has("warn") && has("enforce") && understood && out.enforce.level > out.warn.level) {
    out.warn.level = out.enforce.level;
    if (!has("warn-version")) out.warn.version = out.enforce.version;
  }
  return out;
}

// Why nobody is asked; "" when one is.
std::string exemption(const Admitted& a, const json::value& pod) {
  const PodSecurityConfig& config = a.state.config->pod_security;
  if (config.namespaces.contains(a.c.info.ns)) return "namespace";
  if (config.usernames.contains(a.c.user.name)) return "user";
  const std::string_view runtime = get_string(pod, "spec.runtimeClassName");
  return !runtime.empty() && config.runtime_classes.contains(runtime) ? "runtimeClass" : "";
}

// Which existing pods the new level would have refused.
void warn_of_pods(Admitted& a, const std::string& ns, const SecurityPolicy& policy) {
  struct Group {
    std::string reason, first;
    int count = 0;
  };
  std::vector<Group> groups;
  std::size_t seen = 0;
  a.scan("pods", ns, [&](const json::value& pod) {
    std::vector<std::string> reasons;
    for (const Violation& v : pod_violations(policy.level, pod)) reasons.push_back(v.reason);
    if (reasons.empty()) return ++seen < kPodsMax;
    const std::string reason = join(reasons, ", ");
    auto at = std::ranges::find(groups, reason, &Group::reason);
    if (at == groups.end()) {
      at = groups.insert(groups.end(), {reason, std::string(api::name_of(pod)), 0});
    }
    ++at->count;
    return ++seen < kPodsMax;
  });
  if (groups.empty()) return;
  a.c.warnings.push_back("existing pods in namespace \"" + ns +
                         "\" violate the new PodSecurity enforce level \"" + policy.text() + "\"");
  std::vector<std::string> lines;
  for (const Group& g : groups) {
    const std::string others = g.count == 1 ? ""
                               : g.count == 2
                                   ? " (and 1 other pod)"
                                   : " (and " + std::to_string(g.count - 1) + " other pods)";
    lines.push_back(g.first + others + ": " + g.reason);
  }
  std::ranges::sort(lines);
  a.c.warnings.insert(a.c.warnings.end(), lines.begin(), lines.end());
}

Outcome<Done> check_namespace(Admitted& a, const json::value& ns, const json::value* old) {
  const PodSecurityConfig& config = a.state.config->pod_security;
  const Policies now = policies_of(ns, config.defaults);
  const Policies before = old == nullptr ? Policies() : policies_of(*old, config.defaults);
  if (!now.errors.empty() && (old == nullptr || before.errors.size() != now.errors.size())) {
    return api::invalid_error(a.c.group_kind(), api::name_of(ns), now.errors);
  }
  const bool relaxed =
      now.enforce.version == before.enforce.version && now.enforce.level <= before.enforce.level;
  const bool exempt = config.namespaces.contains(api::name_of(ns));
  if (old != nullptr && !relaxed && !exempt && now.enforce.level != SecurityLevel::kPrivileged) {
    warn_of_pods(a, std::string(api::name_of(ns)), now.enforce);
  }
  return Done{};
}

// Only images and the number of containers make another pod of it.
bool significant(const json::value& pod, const json::value& old) {
  for (const char* list : {"spec.containers", "spec.initContainers", "spec.ephemeralContainers"}) {
    const json::array &now = get_array(pod, list), &before = get_array(old, list);
    if (now.size() != before.size()) return true;
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (get_string(now[i], "image") != get_string(before[i], "image")) return true;
    }
  }
  return false;
}

}  // namespace

Outcome<Done> check_pod_security(Admitted& a, const json::value* object, const json::value* old) {
  const std::string& sub = a.c.info.subresource;
  if (object == nullptr || !(sub.empty() || sub == "ephemeralcontainers" || sub == "resize")) {
    return Done{};
  }
  if (a.is("", "Namespace")) return check_namespace(a, *object, old);
  const json::value* pod = pod_template_of(a.c.storage->kind, *object);
  if (pod == nullptr || !a.c.resource->namespaced) return Done{};
  const auto ns = a.find("namespaces", a.c.info.ns);
  if (!ns) return Done{};
  const std::string key(kPrefix);
  const std::string exempt = exemption(a, *pod);
  if (!exempt.empty()) {
    a.c.audit_annotations[key + "exempt"] = exempt;
    return Done{};
  }
  const Policies policies = policies_of(*ns, a.state.config->pod_security.defaults);
  const bool is_pod = a.is("", "Pod");
  if (is_pod && old != nullptr && !significant(*pod, *old)) return Done{};
  if (is_pod) {
    a.c.audit_annotations[key + "enforce-policy"] = policies.enforce.text();
  }
  const auto noted = pod_violations(policies.audit.level, *pod);
  if (!noted.empty()) {
    a.c.audit_annotations[key + "audit-violations"] =
        "would violate PodSecurity \"" + policies.audit.text() + "\": " + violations_text(noted);
  }
  if (is_pod) {
    const auto violations = pod_violations(policies.enforce.level, *pod);
    if (!violations.empty()) {
      return a.forbidden(*object, "violates PodSecurity \"" + policies.enforce.text() +
                                      "\": " + violations_text(violations));
    }
  }
  const auto warnings = pod_violations(policies.warn.level, *pod);
  if (!warnings.empty()) {
    a.c.warnings.push_back("would violate PodSecurity \"" + policies.warn.text() +
                           "\": " + violations_text(warnings));
  }
  return Done{};
}

}  // namespace coracle::apiserver
