#include "apiserver/admission/pod_security_checks.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

using Names = std::vector<std::string>;
using Set = std::set<std::string>;

template <class Range>
std::string quoted_list(const Range& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "\"" : ", \"") + item + "\"";
  return out;
}
template <class Range>
std::string plural(std::string_view one, const Range& items) {
  return std::string(one) + (items.size() == 1 ? "" : "s");
}
std::string containers_text(const Names& names) {
  return plural("container", names) + " " + quoted_list(names);
}

class Checks {
 public:
  explicit Checks(const json::value& pod) : pod_(pod) {
    const json::value* users = find(pod, "spec.hostUsers");
    own_users_ = users != nullptr && users->is_bool() && !users->get_bool();
    windows_ = get_string(pod, "spec.os.name") == "windows";
  }

  std::vector<Violation> run(SecurityLevel level) {
    if (level == SecurityLevel::kPrivileged) return {};
    const bool restricted = level == SecurityLevel::kRestricted;
    app_armor();
    if (!restricted) default_capabilities();
    host_namespaces();
    if (!restricted) host_paths();
    host_ports();
    probe_hosts();
    privileged();
    if (!restricted && !own_users_) proc_mount();
    se_linux();
    if (!restricted) seccomp(false);
    sysctls();
    host_process();
    if (!restricted) return std::move(out_);
    escalation();
    restricted_capabilities();
    proc_mount();
    volumes();
    if (!own_users_) non_root();
    if (!own_users_) root_user();
    if (!windows_) seccomp(true);
    return std::move(out_);
  }

 private:
  using Visit = std::function<void(const json::value& container, const std::string& name)>;
  void each(const Visit& visit) const {
    for (const char* list :
         {"spec.initContainers", "spec.containers", "spec.ephemeralContainers"}) {
      for (const json::value& c : get_array(pod_, list))
        visit(c, std::string(get_string(c, "name")));
    }
  }
  void add(std::string reason, std::string detail) {
    out_.push_back({std::move(reason), std::move(detail)});
  }
  const json::value* in_pod(std::string_view path) const {
    return find(pod_, "spec.securityContext." + std::string(path));
  }
  static const json::value* in(const json::value& container, std::string_view path) {
    return find(container, "securityContext." + std::string(path));
  }
  static bool is_false(const json::value* v) { return v && v->is_bool() && !v->get_bool(); }
  static bool is_true(const json::value* v) { return v && v->is_bool() && v->get_bool(); }

  // Who sets something bad: `pod and containers "a", "b"`; empty when nobody does.
  std::string setters(std::string_view path,
                      const std::function<bool(const json::value&)>& bad) const {
    Names parts, names;
    if (const json::value* v = in_pod(path); v && bad(*v)) parts.emplace_back("pod");
    each([&](const json::value& c, const std::string& name) {
      if (const json::value* v = in(c, path); v && bad(*v)) names.push_back(name);
    });
    if (!names.empty()) parts.push_back(containers_text(names));
    return join(parts, " and ");
  }

  void app_armor() {
    Set values;
    std::string who = setters("appArmorProfile", [&](const json::value& profile) {
      const std::string type(get_string(profile, "type"));
      if (type == "RuntimeDefault" || type == "Localhost") return false;
      values.insert(type);
      return true;
    });
    Names all(values.begin(), values.end()), marks;
    for (const auto& [key, value] : get_object(pod_, "metadata.annotations")) {
      const std::string_view text = value.is_string() ? value.get_string() : std::string_view();
      const bool good = text.empty() || text == "runtime/default" || text.starts_with("localhost/");
      if (!key.starts_with("container.apparmor.security.beta.kubernetes.io/") || good) continue;
      marks.push_back(std::string(key) + "=" + quoted(text));
    }
    std::ranges::sort(marks);
    if (!marks.empty()) who += (who.empty() ? "" : " and ") + plural("annotation", marks);
    all.insert(all.end(), marks.begin(), marks.end());
    if (who.empty()) return;
    add(plural("forbidden AppArmor profile", all),
        who + " must not set AppArmor profile type to " + quoted_list(all));
  }

  void default_capabilities() {
    static const Set kAllowed = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                 "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                 "SETPCAP",     "SETUID", "SYS_CHROOT"};
    Names names;
    Set added;
    added_capabilities(kAllowed, names, added);
    if (names.empty()) return;
    add("non-default capabilities", containers_text(names) + " must not include " +
                                        quoted_list(added) +
                                        " in securityContext.capabilities.add");
  }
  void added_capabilities(const Set& allowed, Names& names, Set& added) const {
    each([&](const json::value& c, const std::string& name) {
      bool bad = false;
      for (const json::value& one : get_array(c, "securityContext.capabilities.add")) {
        const std::string text(one.is_string() ? one.get_string() : std::string_view());
        if (allowed.contains(text)) continue;
        bad = true;
        added.insert(text);
      }
      if (bad) names.push_back(name);
    });
  }

  void host_namespaces() {
    Names found;
    for (const char* name : {"hostNetwork", "hostPID", "hostIPC"}) {
      if (get_bool(pod_, "spec." + std::string(name))) found.push_back(std::string(name) + "=true");
    }
    if (!found.empty()) add("host namespaces", join(found, ", "));
  }

  void host_paths() {
    Names found;
    for (const json::value& volume : get_array(pod_, "spec.volumes")) {
      if (find(volume, "hostPath")) found.emplace_back(get_string(volume, "name"));
    }
    if (!found.empty()) add("hostPath volumes", plural("volume", found) + " " + quoted_list(found));
  }

  void host_ports() {
    Names names;
    Set ports;
    each([&](const json::value& c, const std::string& name) {
      bool bad = false;
      for (const json::value& port : get_array(c, "ports")) {
        const std::int64_t number = get_int(port, "hostPort");
        if (number == 0) continue;
        bad = true;
        ports.insert(std::to_string(number));
      }
      if (bad) names.push_back(name);
    });
    if (names.empty()) return;
    add("hostPort", containers_text(names) + (names.size() == 1 ? " uses " : " use ") +
                        plural("hostPort", ports) + " " + join({ports.begin(), ports.end()}, ", "));
  }

  void probe_hosts() {
    Set names, hosts;
    each([&](const json::value& c, const std::string& name) {
      for (const char* handler : {"livenessProbe", "readinessProbe", "startupProbe",
                                  "lifecycle.postStart", "lifecycle.preStop"}) {
        for (const char* how : {".httpGet.host", ".tcpSocket.host"}) {
          const std::string_view host = get_string(c, std::string(handler) + how);
          if (host.empty()) continue;
          names.insert(name);
          hosts.emplace(host);
        }
      }
    });
    if (names.empty()) return;
    add("probe or lifecycle host", plural("container", names) + " " + quoted_list(names) +
                                       (names.size() == 1 ? " uses " : " use ") +
                                       plural("probe or lifecycle host", hosts) + " " +
                                       quoted_list(hosts));
  }

  void privileged() {
    Names names;
    each([&](const json::value& c, const std::string& name) {
      if (is_true(in(c, "privileged"))) names.push_back(name);
    });
    if (!names.empty()) {
      add("privileged", containers_text(names) + " must not set securityContext.privileged=true");
    }
  }

  void proc_mount() {
    Names names;
    Set types;
    each([&](const json::value& c, const std::string& name) {
      const std::string type(get_string(c, "securityContext.procMount", "Default"));
      if (type == "Default") return;
      names.push_back(name);
      types.insert(type);
    });
    if (names.empty()) return;
    add("procMount", containers_text(names) + " must not set securityContext.procMount to " +
                         quoted_list(types));
  }

  void se_linux() {
    static const Set kTypes = {"", "container_t", "container_init_t", "container_kvm_t",
                               "container_engine_t"};
    Set types;
    bool user = false, role = false;
    const std::string who = setters("seLinuxOptions", [&](const json::value& options) {
      const std::string type(get_string(options, "type"));
      const bool bad_type = !kTypes.contains(type);
      if (bad_type) types.insert(type);
      const bool has_user = !get_string(options, "user").empty();
      const bool has_role = !get_string(options, "role").empty();
      user = user || has_user;
      role = role || has_role;
      return bad_type || has_user || has_role;
    });
    if (who.empty()) return;
    Names why;
    if (!types.empty()) why.push_back(plural("type", types) + " " + quoted_list(types));
    if (user) why.emplace_back("user may not be set");
    if (role) why.emplace_back("role may not be set");
    add("seLinuxOptions",
        who + " set forbidden securityContext.seLinuxOptions: " + join(why, "; "));
  }

  static bool good_seccomp(const json::value& profile) {
    const std::string_view type = get_string(profile, "type");
    return type == "RuntimeDefault" || type == "Localhost";
  }
  void seccomp(bool must_be_set) {
    Set values;
    const std::string who = setters("seccompProfile", [&](const json::value& profile) {
      if (good_seccomp(profile)) return false;
      values.emplace(get_string(profile, "type"));
      return true;
    });
    if (!who.empty()) {
      add("seccompProfile",
          who + " must not set securityContext.seccompProfile.type to " + quoted_list(values));
      return;
    }
    if (!must_be_set || in_pod("seccompProfile")) return;
    Names names;
    each([&](const json::value& c, const std::string& name) {
      if (!in(c, "seccompProfile")) names.push_back(name);
    });
    if (names.empty()) return;
    add("seccompProfile", "pod or " + containers_text(names) +
                              " must set securityContext.seccompProfile.type to "
                              "\"RuntimeDefault\" or \"Localhost\"");
  }

  void sysctls() {
    static const Set kSafe = {"kernel.shm_rmid_forced",
                              "net.ipv4.ip_local_port_range",
                              "net.ipv4.tcp_syncookies",
                              "net.ipv4.ping_group_range",
                              "net.ipv4.ip_unprivileged_port_start",
                              "net.ipv4.ip_local_reserved_ports",
                              "net.ipv4.tcp_keepalive_time",
                              "net.ipv4.tcp_fin_timeout",
                              "net.ipv4.tcp_keepalive_intvl",
                              "net.ipv4.tcp_keepalive_probes",
                              "net.ipv4.tcp_rmem",
                              "net.ipv4.tcp_wmem"};
    Names bad;
    for (const json::value& one : get_array(pod_, "spec.securityContext.sysctls")) {
      const std::string name(get_string(one, "name"));
      if (!kSafe.contains(name)) bad.push_back(name);
    }
    if (!bad.empty()) add("forbidden sysctls", join(bad, ", "));
  }

  void host_process() {
    const std::string who =
        setters("windowsOptions.hostProcess", [](const json::value& v) { return is_true(&v); });
    if (who.empty()) return;
    add("hostProcess", who + " must not set securityContext.windowsOptions.hostProcess=true");
  }

  void escalation() {
    if (windows_) return;
    Names names;
    each([&](const json::value& c, const std::string& name) {
      if (!is_false(in(c, "allowPrivilegeEscalation"))) names.push_back(name);
    });
    if (names.empty()) return;
    add("allowPrivilegeEscalation != false",
        containers_text(names) + " must set securityContext.allowPrivilegeEscalation=false");
  }

  void restricted_capabilities() {
    if (windows_) return;
    Names keeping, adding, why;
    Set added;
    each([&](const json::value& c, const std::string& name) {
      for (const json::value& one : get_array(c, "securityContext.capabilities.drop")) {
        if (one == "ALL") return;
      }
      keeping.push_back(name);
    });
    added_capabilities({"NET_BIND_SERVICE"}, adding, added);
    if (!keeping.empty()) {
      why.push_back(containers_text(keeping) +
                    " must set securityContext.capabilities.drop=[\"ALL\"]");
    }
    if (!adding.empty()) {
      why.push_back(containers_text(adding) + " must not include " + quoted_list(added) +
                    " in securityContext.capabilities.add");
    }
    if (!why.empty()) add("unrestricted capabilities", join(why, "; "));
  }

  void volumes() {
    static const Set kAllowed = {"configMap", "csi",   "downwardAPI",           "emptyDir",
                                 "ephemeral", "image", "persistentVolumeClaim", "projected",
                                 "secret"};
    Names bad;
    Set types;
    for (const json::value& volume : get_array(pod_, "spec.volumes")) {
      std::string type = "unknown";
      if (!volume.is_object()) continue;
      for (const auto& [key, source] : volume.get_object()) {
        if (key != "name" && !source.is_null()) type = key;
      }
      if (kAllowed.contains(type)) continue;
      bad.emplace_back(get_string(volume, "name"));
      types.insert(type);
    }
    if (bad.empty()) return;
    add("restricted volume types",
        plural("volume", bad) + " " + quoted_list(bad) + (bad.size() == 1 ? " uses " : " use ") +
            plural("restricted volume type", types) + " " + quoted_list(types));
  }

  void non_root() {
    const std::string who =
        setters("runAsNonRoot", [](const json::value& v) { return is_false(&v); });
    if (!who.empty()) {
      add("runAsNonRoot != true", who + " must not set securityContext.runAsNonRoot=false");
      return;
    }
    if (is_true(in_pod("runAsNonRoot"))) return;
    Names names;
    each([&](const json::value& c, const std::string& name) {
      if (!in(c, "runAsNonRoot")) names.push_back(name);
    });
    if (names.empty()) return;
    add("runAsNonRoot != true",
        "pod or " + containers_text(names) + " must set securityContext.runAsNonRoot=true");
  }

  void root_user() {
    const std::string who = setters("runAsUser", [](const json::value& v) { return v == 0; });
    if (!who.empty()) add("runAsUser=0", who + " must not set runAsUser=0");
  }

  const json::value& pod_;
  bool own_users_ = false, windows_ = false;
  std::vector<Violation> out_;
};

}  // namespace

std::optional<SecurityLevel> security_level(std::string_view text) {
  if (text == "privileged") return SecurityLevel::kPrivileged;
  if (text == "baseline") return SecurityLevel::kBaseline;
  if (text == "restricted") return SecurityLevel::kRestricted;
  return std::nullopt;
}

bool is_security_version(std::string_view text) {
  if (text == "latest") return true;
  return text.size() > 3 && text.starts_with("v1.") && (text[3] != '0' || text.size() == 4) &&
         std::ranges::all_of(text.substr(3), [](char c) { return c >= '0' && c <= '9'; });
}

std::string SecurityPolicy::text() const {
  static constexpr std::string_view kNames[] = {"privileged", "baseline", "restricted"};
  return std::string(kNames[static_cast<int>(level)]) + ":" + version;
}

std::vector<Violation> pod_violations(SecurityLevel level, const json::value& pod) {
  return Checks(pod).run(level);
}

std::string violations_text(const std::vector<Violation>& violations) {
  std::vector<std::string> out;
  for (const auto& [reason, detail] : violations) {
    out.push_back(detail.empty() ? reason : reason + " (" + detail + ")");
  }
  return join(out, ", ");
}

}  // namespace coracle::apiserver
