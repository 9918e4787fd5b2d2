// Security contexts of pods and containers, and what an operating system forbids.
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::size_t kSysctlNameMax = 253;
constexpr std::string_view kSysctlRegex =
    "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

void seccomp(const json::value& context, const FieldPath& path, FieldErrors& errors) {
  const json::value* profile = member(context, "seccompProfile");
  if (profile == nullptr) {
    return;
  }
  const FieldPath at = path.child("seccompProfile");
  if (checks::required_text(*profile, "type", at, errors,
                            "type is required when seccompProfile is set")) {
    checks::one_of_if_set(*profile, "type", at, {"Localhost", "RuntimeDefault", "Unconfined"},
                          errors);
  }
  const json::value* file = member(*profile, "localhostProfile");
  if (text_of(*profile, "type") == "Localhost") {
    if (file == nullptr) {
      errors.required(at.child("localhostProfile"), "must be set when seccomp type is Localhost");
    } else {
      checks::descending_path(text_of(*profile, "localhostProfile"), at.child("localhostProfile"),
                              errors);
    }
  } else if (file != nullptr) {
    json::object shown;  // upstream's own struct
    shown["Type"] = text_of(*profile, "type");
    shown["LocalhostProfile"] = *file;
    errors.invalid(at.child("localhostProfile"), json::value(std::move(shown)),
                   "can only be set when seccomp type is Localhost");
  }
}

void app_armor(const json::value& context, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kNeeded = "must be set when AppArmor type is Localhost";
  const json::value* profile = member(context, "appArmorProfile");
  if (profile == nullptr) {
    return;
  }
  const FieldPath at = path.child("appArmorProfile");
  const FieldPath name = at.child("localhostProfile");
  const std::string_view type = text_of(*profile, "type");
  const json::value* file = member(*profile, "localhostProfile");
  if (type == "Localhost") {
    const std::string_view text = text_of(*profile, "localhostProfile");
    if (file == nullptr) {
      errors.required(name, kNeeded);
    } else if (trim(text).size() != text.size()) {
      errors.invalid(name, text, "must not be padded with whitespace");
    } else if (text.empty()) {
      errors.required(name, kNeeded);
    }
  } else if (type == "RuntimeDefault" || type == "Unconfined") {
    if (file != nullptr) {
      errors.invalid(name, *file, "can only be set when AppArmor type is Localhost");
    }
  } else if (type.empty()) {
    errors.required(at.child("type"), "type is required when appArmorProfile is set");
  } else {
    errors.not_supported(at.child("type"), type, {"Localhost", "RuntimeDefault", "Unconfined"});
  }
}

bool is_sysctl_part(std::string_view part) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (part.empty() || !alnum(part.front()) || !alnum(part.back())) {
    return false;
  }
  for (const char c : part) {
    if (!alnum(c) && c != '-' && c != '_') {
      return false;
    }
  }
  return true;
}

bool is_sysctl_name(std::string_view name) {
  if (name.size() > kSysctlNameMax) {
    return false;
  }
  while (true) {
    const std::size_t end = name.find_first_of("./");
    if (!is_sysctl_part(name.substr(0, end))) {
      return false;
    }
    if (end == std::string_view::npos) {
      return true;
    }
    name.remove_prefix(end + 1);
  }
}

void sysctls(const json::value& spec, const json::value& context, const FieldPath& path,
             FieldErrors& errors) {
  std::set<std::string, std::less<>> names;
  std::size_t index = 0;
  for (const json::value& sysctl : get_array(context, "sysctls")) {
    const FieldPath at = path.child("sysctls").index(index++).child("name");
    const std::string name(text_of(sysctl, "name"));
    if (name.empty()) {
      errors.required(at);
    } else if (!is_sysctl_name(name)) {
      errors.invalid(
          at, name,
          "must have at most 253 characters and match regex " + std::string(kSysctlRegex));
    } else if (!names.insert(name).second) {
      errors.duplicate(at, name);
    }
    std::string dotted = name;
    for (char& c : dotted) {
      c = c == '/' ? '.' : c;
    }
    const bool ipc = dotted == "kernel.sem" || dotted.starts_with("kernel.shm") ||
                     dotted.starts_with("kernel.msg") || dotted.starts_with("fs.mqueue.");
    if (get_bool(spec, "hostNetwork") && dotted.starts_with("net.")) {
      errors.invalid(at, name, "may not be specified when 'hostNetwork' is true");
    } else if (get_bool(spec, "hostIPC") && ipc) {
      errors.invalid(at, name, "may not be specified when 'hostIPC' is true");
    }
  }
}

void forbid_on_windows(const json::value& holder, std::initializer_list<std::string_view> keys,
                       const FieldPath& path, FieldErrors& errors) {
  for (const std::string_view key : keys) {
    if (!checks::is_empty(member(holder, key))) {
      errors.forbidden(path.child(key), "cannot be set for a windows pod");
    }
  }
}

// Calls visit(securityContext, its path) for every container that has one.
template <class Visit>
void each_context(const json::value& spec, const FieldPath& path, Visit visit) {
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    std::size_t index = 0;
    for (const json::value& container : get_array(spec, list)) {
      const FieldPath at = path.child(list).index(index++).child("securityContext");
      if (const json::value* context = member(container, "securityContext")) {
        visit(*context, at);
      }
    }
  }
}

void windows(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("securityContext");
  if (const json::value* context = member(spec, "securityContext")) {
    forbid_on_windows(*context, {"appArmorProfile", "seLinuxOptions"}, at, errors);
  }
  forbid_on_windows(spec, {"hostUsers", "hostPID", "hostIPC"}, path, errors);
  if (const json::value* context = member(spec, "securityContext")) {
    forbid_on_windows(*context, {"seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"}, at,
                      errors);
    forbid_on_windows(spec, {"shareProcessNamespace"}, path, errors);
    forbid_on_windows(*context,
                      {"runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
                       "seLinuxChangePolicy"},
                      at, errors);
  }
  each_context(spec, path, [&](const json::value& context, const FieldPath& here) {
    forbid_on_windows(context,
                      {"appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities",
                       "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation",
                       "procMount", "runAsUser", "runAsGroup"},
                      here, errors);
  });
}

void linux(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kNot = "windows options cannot be set for a linux pod";
  if (find(spec, "securityContext.windowsOptions") != nullptr) {
    errors.forbidden(path.child("securityContext").child("windowsOptions"), kNot);
  }
  each_context(spec, path, [&](const json::value& context, const FieldPath& here) {
    if (member(context, "windowsOptions") != nullptr) {
      errors.forbidden(here.child("windowsOptions"), kNot);
    }
  });
}

}  // namespace

void pod_security_context(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* context = member(spec, "securityContext");
  if (context == nullptr) {
    return;
  }
  const FieldPath at = path.child("securityContext");
  for (const std::string_view key : {"fsGroup", "runAsUser", "runAsGroup"}) {
    checks::user_or_group(member(*context, key), at.child(key), errors);
  }
  std::size_t index = 0;
  for (const json::value& group : get_array(*context, "supplementalGroups")) {
    checks::user_or_group(&group, at.child("supplementalGroups").index(index++), errors);
  }
  if (get_bool(spec, "shareProcessNamespace") && get_bool(spec, "hostPID")) {
    errors.invalid(at.child("shareProcessNamespace"), true,
                   "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  sysctls(spec, *context, at, errors);
  checks::one_of_if_set(*context, "fsGroupChangePolicy", at, {"Always", "OnRootMismatch"}, errors);
  seccomp(*context, at, errors);
  app_armor(*context, at, errors);
  checks::one_of_if_set(*context, "supplementalGroupsPolicy", at, {"Merge", "Strict"}, errors);
  checks::one_of_if_set(*context, "seLinuxChangePolicy", at, {"MountOption", "Recursive"}, errors);
}

void container_security_context(const json::value& container, bool host_users,
                                const FieldPath& path, FieldErrors& errors) {
  const json::value* context = member(container, "securityContext");
  if (context == nullptr) {
    return;
  }
  const FieldPath at = path.child("securityContext");
  for (const std::string_view key : {"runAsUser", "runAsGroup"}) {
    checks::user_or_group(member(*context, key), at.child(key), errors);
  }
  checks::one_of_if_set(*context, "procMount", at, {"Default", "Unmasked"}, errors);
  if (host_users && text_of(*context, "procMount") == "Unmasked") {
    errors.invalid(at.child("procMount"), "Unmasked",
                   "`hostUsers` must be false to use `Unmasked`");
  }
  seccomp(*context, at, errors);
  const json::value* escalation = member(*context, "allowPrivilegeEscalation");
  if (escalation != nullptr && escalation->is_bool() && !escalation->get_bool()) {
    const json::value shown = checks::go_struct(
        *context, {"capabilities", "privileged", "seLinuxOptions", "windowsOptions", "runAsUser",
                   "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem",
                   "allowPrivilegeEscalation", "procMount", "seccompProfile", "appArmorProfile"});
    if (get_bool(*context, "privileged")) {
      errors.invalid(at, shown,
                     "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    }
    for (const json::value& capability : get_array(*context, "capabilities.add")) {
      if (capability.is_string() && capability.get_string() == "CAP_SYS_ADMIN") {
        errors.invalid(at, shown,
                       "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                       "CAP_SYS_ADMIN");
      }
    }
  }
  app_armor(*context, at, errors);
}

void operating_system(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value* os = member(spec, "os");
  if (os == nullptr) {
    return;
  }
  const std::string_view name = text_of(*os, "name");
  if (name.empty()) {
    errors.required(path.child("os").child("name"));
  } else if (name == "linux") {
    linux(spec, path, errors);
  } else if (name == "windows") {
    windows(spec, path, errors);
  } else {
    errors.not_supported(path.child("os"), name, {"linux", "windows"});
  }
}

}  // namespace coracle::api::validation
