#include "kubelet_runtime/container_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "kubelet_runtime/files.hpp"

namespace coracle::kubelet {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kTerminationLog = "/dev/termination-log";

// The kernel's names by number, and those a container runtime leaves by default.
constexpr std::array kCapabilities = {"CHOWN",
                                      "DAC_OVERRIDE",
                                      "DAC_READ_SEARCH",
                                      "FOWNER",
                                      "FSETID",
                                      "KILL",
                                      "SETGID",
                                      "SETUID",
                                      "SETPCAP",
                                      "LINUX_IMMUTABLE",
                                      "NET_BIND_SERVICE",
                                      "NET_BROADCAST",
                                      "NET_ADMIN",
                                      "NET_RAW",
                                      "IPC_LOCK",
                                      "IPC_OWNER",
                                      "SYS_MODULE",
                                      "SYS_RAWIO",
                                      "SYS_CHROOT",
                                      "SYS_PTRACE",
                                      "SYS_PACCT",
                                      "SYS_ADMIN",
                                      "SYS_BOOT",
                                      "SYS_NICE",
                                      "SYS_RESOURCE",
                                      "SYS_TIME",
                                      "SYS_TTY_CONFIG",
                                      "MKNOD",
                                      "LEASE",
                                      "AUDIT_WRITE",
                                      "AUDIT_CONTROL",
                                      "SETFCAP",
                                      "MAC_OVERRIDE",
                                      "MAC_ADMIN",
                                      "SYSLOG",
                                      "WAKE_ALARM",
                                      "BLOCK_SUSPEND",
                                      "AUDIT_READ"};
constexpr std::uint64_t kDefaultCapabilities = 0xa80425fb;

std::uint64_t bit_of(std::string_view name) {
  if (name.starts_with("CAP_")) name.remove_prefix(4);
  for (size_t i = 0; i < kCapabilities.size(); ++i) {
    if (name == kCapabilities[i]) return 1ull << i;
  }
  return 0;
}

std::uint64_t capabilities(const json::value& container) {
  if (get_bool(container, "securityContext.privileged")) return ~0ull;
  std::uint64_t set = kDefaultCapabilities;
  for (const json::value& c : get_array(container, "securityContext.capabilities.drop")) {
    if (!c.is_string()) continue;
    set = c.get_string() == "ALL" ? 0 : set & ~bit_of(c.get_string());
  }
  for (const json::value& c : get_array(container, "securityContext.capabilities.add")) {
    if (!c.is_string()) continue;
    set = c.get_string() == "ALL" ? ~0ull : set | bit_of(c.get_string());
  }
  return set;
}

// The container's own word, else the pod's, else the fallback.
std::int64_t id_of(const ContainerInput& in, const char* name, std::int64_t fallback) {
  const std::string path = std::string("securityContext.") + name;
  return get_int(in.container, path, get_int(in.pod, "spec." + path, fallback));
}

// The groups that /etc/passwd of our roots gives its users.
std::int64_t own_group(std::int64_t uid) {
  for (const auto& [user, group] : {std::pair{405, 100}, std::pair{101, 101}, std::pair{33, 33},
                                    std::pair{100, 101}, std::pair{999, 999}, std::pair{8, 12},
                                    std::pair{1, 1}, std::pair{2, 2}, std::pair{65534, 65534}}) {
    if (uid == user) return group;
  }
  return 0;
}

Status set_user(const ContainerInput& in, StartOrder* order) {
  order->uid = id_of(in, "runAsUser", in.image.user);
  order->gid =
      id_of(in, "runAsGroup", order->uid == in.image.user ? in.image.group : own_group(order->uid));
  const bool non_root = get_bool(in.container, "securityContext.runAsNonRoot",
                                 get_bool(in.pod, "spec.securityContext.runAsNonRoot"));
  if (non_root && order->uid == 0) {
    const bool said = id_of(in, "runAsUser", -1) == 0;
    return failed_precondition(fmt::format(
        "container has runAsNonRoot and {} (pod: \"{}_{}({})\", container: {})",
        said ? "container's runAsUser breaks non-root policy" : "image will run as root",
        get_string(in.pod, "metadata.name"), get_string(in.pod, "metadata.namespace"),
        get_string(in.pod, "metadata.uid"), get_string(in.container, "name")));
  }
  if (const auto group = fs_group(in.pod); group >= 0) order->groups.push_back(group);
  for (const json::value& group : get_array(in.pod, "spec.securityContext.supplementalGroups")) {
    if (group.is_int64()) order->groups.push_back(group.get_int64());
  }
  return {};
}

void set_environment(const ContainerInput& in, StartOrder* order) {
  Environment& out = order->environment;
  const auto put = [&](const std::string& name, const std::string& value) {
    for (auto& [key, there] : out) {
      if (key != name) continue;
      there = value;
      return;
    }
    out.emplace_back(name, value);
  };
  put("PATH", kPath);
  put("HOSTNAME", in.hostname);
  if (get_bool(in.container, "tty")) put("TERM", "xterm");
  for (const auto& [name, value] : in.image.environment(in.image_tag)) put(name, value);
  for (const auto& [name, value] : in.environment) put(name, value);
  if (std::none_of(out.begin(), out.end(), [](const auto& e) { return e.first == "HOME"; })) {
    put("HOME", order->uid == 0 ? "/root" : "/");
  }
  if (in.isolated) return;
  put("PATH", fmt::format("{0}/usr/local/bin:{0}/usr/sbin:{0}/bin", in.root));
  put("CORACLE_POD_ADDRESS", in.place.pod_ip);
}

// The folder or file of a volume that a mount shows.
Result<std::string> mount_source(const ContainerInput& in, const json::value& mount) {
  const auto volume = in.volumes.find(std::string(get_string(mount, "name")));
  if (volume == in.volumes.end()) {
    return failed_precondition(
        fmt::format("cannot find volume \"{}\" to mount into container \"{}\"",
                    get_string(mount, "name"), get_string(in.container, "name")));
  }
  std::string sub(get_string(mount, "subPath"));
  if (sub.empty()) {
    std::set<std::string> missing;
    sub = expand(get_string(mount, "subPathExpr"), in.environment, &missing);
    if (!missing.empty()) {
      return failed_precondition(
          fmt::format("missing value for {}", join({missing.begin(), missing.end()}, ", ")));
    }
  }
  if (sub.empty()) return volume->second;
  if (sub.starts_with("/")) {
    return failed_precondition(fmt::format("error SubPath `{}` must not be an absolute path", sub));
  }
  if (!stays_inside(sub)) {
    return failed_precondition(
        fmt::format("unable to provision SubPath `{}`: must not contain '..'", sub));
  }
  return volume->second + "/" + sub;
}

Status set_mounts(const ContainerInput& in, StartOrder* order) {
  for (const char* file : {"hosts", "hostname", "resolv.conf"}) {
    order->binds.push_back({in.etc + "/" + file, std::string("/etc/") + file, false});
  }
  std::string log(get_string(in.container, "terminationMessagePath", kTerminationLog));
  if (!log.starts_with("/") || !stays_inside(log)) log = kTerminationLog;
  order->binds.push_back({in.termination_log, log, false});
  for (const json::value& mount : get_array(in.container, "volumeMounts")) {
    std::string path(get_string(mount, "mountPath"));
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (!path.starts_with("/")) path.insert(0, "/");
    if (!stays_inside(path) || path == "/") {
      return failed_precondition(fmt::format("mountPath \"{}\" cannot be mounted", path));
    }
    ASSIGN_OR_RETURN(const std::string source, mount_source(in, mount));
    std::erase_if(order->binds, [&](const BindMount& b) { return b.target == path; });
    order->binds.push_back({source, path, get_bool(mount, "readOnly")});
  }
  return {};
}

}  // namespace

std::int64_t fs_group(const json::value& pod) {
  return get_int(pod, "spec.securityContext.fsGroup", -1);
}

Result<ContainerStart> container_start(const ContainerInput& in) {
  ContainerStart start;
  StartOrder& order = start.order;
  order.isolate = in.isolated;
  order.root = in.root;
  order.hostname = in.hostname;
  order.address = in.place.pod_ip;
  order.first_outside_id = in.first_outside_id;
  order.outside_ids = in.outside_ids;
  RETURN_IF_ERROR(set_user(in, &order));
  order.capabilities = capabilities(in.container);
  order.read_only_root = get_bool(in.container, "securityContext.readOnlyRootFilesystem");
  order.working_dir = get_string(in.container, "workingDir", in.image.working_dir);
  if (!order.working_dir.starts_with("/") || !stays_inside(order.working_dir)) {
    order.working_dir = "/";
  }
  set_environment(in, &order);
  RETURN_IF_ERROR(set_mounts(in, &order));
  order.args = container_command(in.container, in.image, in.environment);
  order.tty = get_bool(in.container, "tty");
  start.input = get_bool(in.container, "stdin");
  start.input_once = get_bool(in.container, "stdinOnce");
  if (const auto limit = get_string(in.container, "resources.limits.memory"); !limit.empty()) {
    const auto amount = api::Quantity::parse(limit);
    if (amount.ok()) start.memory_limit_bytes = amount->value();
  }
  return start;
}

}  // namespace coracle::kubelet
