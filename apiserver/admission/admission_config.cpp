#include "apiserver/admission/admission_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/field_error.hpp"
#include "api/object.hpp"
#include "apiserver/admission/plugin.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"

namespace coracle::apiserver {

namespace {

using api::FieldErrors;
using api::FieldPath;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kImagePolicy = "ImagePolicyWebhook", kPodSecurity = "PodSecurity",
                           kNodeSelector = "PodNodeSelector";
constexpr std::string_view kNodeSelectorSection = "podNodeSelectorPluginConfig";

Status only_members(const json::value& object, std::string_view path,
                    std::initializer_list<std::string_view> names) {
  if (!object.is_object()) return invalid_argument(std::string(path) + ": must be a mapping");
  for (const auto& member : object.get_object()) {
    if (std::ranges::find(names, std::string_view(member.key())) != names.end()) continue;
    const std::string where = path.empty() ? "" : std::string(path) + ".";
    return invalid_argument("strict decoding error: unknown field " +
                            quoted(where + std::string(member.key())));
  }
  return {};
}

// As Go prints durations of whole units.
std::string go_duration(Duration value) {
  if (value >= minutes(1)) return fmt::format("{}m0s", value / minutes(1));
  if (value >= seconds(1)) return fmt::format("{}s", value / seconds(1));
  if (value >= milliseconds(1)) return fmt::format("{}ms", value / milliseconds(1));
  return fmt::format("{}ns", value.count());
}

struct Range {
  Duration scale, min, max, otherwise;
};

Result<Duration> read_duration(const json::value& section, std::string_view name,
                               const Range& range) {
  const json::value* given = find(section, name);
  const std::int64_t number = get_int(section, name);
  if (given != nullptr && !given->is_null() && !given->is_int64()) {
    return invalid_argument(fmt::format("imagePolicy.{}: must be a number", name));
  }
  if (number == -1) return Duration::zero();
  if (number == 0) return range.otherwise;
  // Far outside is outside, without the overflow.
  const std::int64_t far = range.max / range.scale + 1;
  const Duration value = range.scale * std::clamp(number, -far, far);
  if (value > range.min && value <= range.max) return value;
  return invalid_argument(fmt::format("imagePolicy.{}: valid value is between {} and {}, got {}",
                                      name, go_duration(range.min), go_duration(range.max),
                                      number));
}

void read_level(const json::value& defaults, const std::string& mode, SecurityPolicy& out,
                FieldErrors& errors) {
  const FieldPath path("defaults");
  const std::string level(get_string(defaults, mode, "privileged"));
  if (const auto known = security_level(level)) {
    out.level = *known;
  } else {
    errors.invalid(path.child(mode), json::value(level),
                   "must be one of privileged, baseline, restricted");
  }
  out.version = get_string(defaults, mode + "-version", "latest");
  if (!is_security_version(out.version)) {
    errors.invalid(path.child(mode + "-version"), json::value(out.version),
                   "must be \"latest\" or \"v1.x\"");
  }
}

std::set<std::string, std::less<>> read_exemptions(const json::value& section,
                                                   const std::string& name, bool any_text,
                                                   FieldErrors& errors) {
  std::set<std::string, std::less<>> out;
  const json::array& list = get_array(section, "exemptions." + name);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldPath path = FieldPath("exemptions").child(name).index(i);
    const std::string text(list[i].is_string() ? std::string_view(list[i].get_string())
                                               : std::string_view());
    if (any_text) {
      if (text.empty()) errors.invalid(path, json::value(text), "username must not be empty");
    } else {
      errors.invalid_each(path, json::value(text),
                          name == "namespaces" ? api::check_dns1123_label(text)
                                               : api::check_dns1123_subdomain(text));
    }
    if (!out.insert(text).second) errors.duplicate(path, json::value(text));
  }
  return out;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

Result<json::value> one_mapping(std::string_view text) {
  ASSIGN_OR_RETURN(json::value tree, parse_yaml_strict(text));
  if (!tree.is_object()) return invalid_argument("must be a mapping");
  return tree;
}

bool is_plugin(std::string_view name) {
  return std::ranges::any_of(admission_plugins(),
                             [&](const Plugin& plugin) { return plugin.name == name; });
}

}  // namespace

Result<ImagePolicyConfig> ImagePolicyConfig::parse(const json::value& section) {
  constexpr Range kAllow{seconds(1), seconds(1), minutes(30), minutes(5)};
  constexpr Range kDeny{seconds(1), seconds(1), minutes(30), seconds(30)};
  constexpr Range kBackoff{milliseconds(1), Duration(1), minutes(5), milliseconds(500)};
  RETURN_IF_ERROR(
      only_members(section, "imagePolicy",
                   {"kubeConfigFile", "allowTTL", "denyTTL", "retryBackoff", "defaultAllow"}));
  ImagePolicyConfig out;
  out.kubeconfig_file = get_string(section, "kubeConfigFile");
  if (out.kubeconfig_file.empty()) return invalid_argument("imagePolicy.kubeConfigFile: is needed");
  ASSIGN_OR_RETURN(out.retry_backoff, read_duration(section, "retryBackoff", kBackoff));
  ASSIGN_OR_RETURN(out.allow_ttl, read_duration(section, "allowTTL", kAllow));
  ASSIGN_OR_RETURN(out.deny_ttl, read_duration(section, "denyTTL", kDeny));
  out.default_allow = get_bool(section, "defaultAllow");
  return out;
}

Result<PodSecurityConfig> PodSecurityConfig::parse(const json::value& section) {
  const std::string_view version = api::api_version_of(section), kind = api::kind_of(section);
  const bool known = version == "pod-security.admission.config.k8s.io/v1" ||
                     version == "pod-security.admission.config.k8s.io/v1beta1" ||
                     version == "pod-security.admission.config.k8s.io/v1alpha1";
  if (!known || kind != "PodSecurityConfiguration") {
    return invalid_argument("no kind " + quoted(kind) + " is registered for version " +
                            quoted(version));
  }
  RETURN_IF_ERROR(only_members(section, "", {"apiVersion", "kind", "defaults", "exemptions"}));
  if (const json::value* defaults = find(section, "defaults")) {
    RETURN_IF_ERROR(only_members(
        *defaults, "defaults",
        {"enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version"}));
  }
  if (const json::value* exempt = find(section, "exemptions")) {
    RETURN_IF_ERROR(
        only_members(*exempt, "exemptions", {"usernames", "namespaces", "runtimeClasses"}));
  }
  PodSecurityConfig out;
  FieldErrors errors;
  const json::value defaults = get_object(section, "defaults");
  read_level(defaults, "enforce", out.defaults.enforce, errors);
  read_level(defaults, "audit", out.defaults.audit, errors);
  read_level(defaults, "warn", out.defaults.warn, errors);
  out.usernames = read_exemptions(section, "usernames", true, errors);
  out.namespaces = read_exemptions(section, "namespaces", false, errors);
  out.runtime_classes = read_exemptions(section, "runtimeClasses", false, errors);
  if (!errors.empty()) return invalid_argument(errors.text());
  return out;
}

Result<NodeSelectorConfig::Labels> NodeSelectorConfig::parse_labels(std::string_view text) {
  Labels out;
  if (trim(text).empty()) return out;
  for (const std::string& part : split(text, ',')) {
    const std::size_t mark = part.find('=');
    if (mark == std::string::npos) return invalid_argument("invalid selector: [" + part + "]");
    const std::string key(trim(std::string_view(part).substr(0, mark)));
    const std::string value(trim(std::string_view(part).substr(mark + 1)));
    for (const api::Messages& problems :
         {api::check_qualified_name(key), api::check_label_value(value)}) {
      if (!problems.empty()) return invalid_argument(quoted(part) + ": " + problems[0]);
    }
    out[key] = value;
  }
  return out;
}

Result<NodeSelectorConfig> NodeSelectorConfig::parse(const json::value& section) {
  if (!section.is_object()) return invalid_argument("must be a mapping");
  NodeSelectorConfig out;
  for (const auto& member : section.get_object()) {
    const std::string name(member.key());
    if (!member.value().is_string()) return invalid_argument(name + ": must be a text");
    auto labels = parse_labels(member.value().get_string());
    if (!labels.ok()) return invalid_argument(name + ": " + labels.status().message());
    if (name == "clusterDefaultNodeSelector") {
      out.cluster_default = *std::move(labels);
    } else {
      out.allowed[name] = *std::move(labels);
    }
  }
  return out;
}

std::set<std::string, std::less<>> AdmissionConfig::off_by_default() {
  return {"AlwaysPullImages", "DenyServiceExternalIPs", std::string(kImagePolicy),
          std::string(kNodeSelector)};
}

Status AdmissionConfig::choose(const std::vector<std::string>& enable,
                               const std::vector<std::string>& disable) {
  const auto check = [](const std::vector<std::string>& names, std::string_view flag) -> Status {
    for (const std::string& name : names) {
      if (is_plugin(name)) continue;
      return invalid_argument(fmt::format("{}: plugin {} is unknown", flag, quoted(name)));
    }
    return {};
  };
  RETURN_IF_ERROR(check(enable, "--enable-admission-plugins"));
  RETURN_IF_ERROR(check(disable, "--disable-admission-plugins"));
  for (const std::string& name : enable) {
    if (std::ranges::find(disable, name) != disable.end()) {
      return invalid_argument(
          "--enable-admission-plugins and --disable-admission-plugins: both name " + name);
    }
    off.erase(name);
  }
  off.insert(disable.begin(), disable.end());
  return {};
}

Status AdmissionConfig::read_section(std::string_view plugin, const json::value& section) {
  const auto named = [&](const Status& status) {
    return invalid_argument("plugin " + std::string(plugin) + ": " + status.message());
  };
  if (plugin == kImagePolicy) {
    const json::value* inner = find(section, "imagePolicy");
    auto parsed = ImagePolicyConfig::parse(inner == nullptr ? json::value(json::object()) : *inner);
    if (!parsed.ok()) return named(parsed.status());
    image_policy = *std::move(parsed);
  } else if (plugin == kPodSecurity) {
    auto parsed = PodSecurityConfig::parse(section);
    if (!parsed.ok()) return named(parsed.status());
    pod_security = *std::move(parsed);
  } else if (plugin == kNodeSelector) {
    const json::value* inner = find(section, kNodeSelectorSection);
    auto parsed =
        NodeSelectorConfig::parse(inner == nullptr ? json::value(json::object()) : *inner);
    if (!parsed.ok()) return named(parsed.status());
    node_selector = *std::move(parsed);
  } else {
    return named(
        invalid_argument(is_plugin(plugin) ? "takes no configuration here" : "is unknown"));
  }
  return {};
}

Status AdmissionConfig::read(std::string_view text, const std::string& path,
                             const ReadFile& reader) {
  ASSIGN_OR_RETURN(const json::value tree, one_mapping(text));
  const std::string_view version = api::api_version_of(tree), kind = api::kind_of(tree);
  if (version.empty() && kind.empty()) {
    const bool images = find(tree, "imagePolicy") != nullptr;
    if (!images && find(tree, kNodeSelectorSection) == nullptr) {
      return invalid_argument("Object 'Kind' is missing");
    }
    return read_section(images ? kImagePolicy : kNodeSelector, tree);
  }
  const bool known =
      version == "apiserver.config.k8s.io/v1" || version == "apiserver.k8s.io/v1alpha1";
  if (!known || kind != "AdmissionConfiguration") {
    return invalid_argument("no kind " + quoted(kind) + " is registered for version " +
                            quoted(version));
  }
  RETURN_IF_ERROR(only_members(tree, "", {"apiVersion", "kind", "plugins"}));
  const json::array& plugins = get_array(tree, "plugins");
  for (std::size_t i = 0; i < plugins.size(); ++i) {
    RETURN_IF_ERROR(
        only_members(plugins[i], fmt::format("plugins[{}]", i), {"name", "path", "configuration"}));
    const std::string name(get_string(plugins[i], "name"));
    std::string file(get_string(plugins[i], "path"));
    const json::value* section = find(plugins[i], "configuration");
    if (section != nullptr && !section->is_null()) {
      RETURN_IF_ERROR(read_section(name, *section));
    } else if (!file.empty()) {
      if (!file.starts_with('/')) file.insert(0, directory_of(path));
      ASSIGN_OR_RETURN(const std::string inner, reader(file));
      auto parsed = one_mapping(inner);
      if (!parsed.ok()) return invalid_argument(file + ": " + parsed.status().message());
      RETURN_IF_ERROR(read_section(name, *parsed));
    }
  }
  return {};
}

}  // namespace coracle::apiserver
