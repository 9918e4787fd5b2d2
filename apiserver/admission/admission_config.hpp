// AdmissionConfig: which admission plugins are on, and what the file of
// --admission-control-config-file says to them (apiserver.config.k8s.io/v1 AdmissionConfiguration,
// or the older files that hold the section of one plugin alone). Pure but for the reader it is
// given.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/admission/pod_security_checks.hpp"
#include "apiserver/remote/hook_client.hpp"

namespace coracle::apiserver {

// Plugin ImagePolicyWebhook.
struct ImagePolicyConfig {
  std::string kubeconfig_file;  // where `target` comes from; the driver reads it
  HookConfig target;
  Duration allow_ttl{}, deny_ttl{};  // 0: an answer is not kept
  Duration retry_backoff{};
  bool default_allow = false;

  // Of the section `imagePolicy`: seconds, milliseconds of the backoff; 0 and absent are the
  // defaults, -1 is none.
  static Result<ImagePolicyConfig> parse(const json::value& section);
};

// Plugin PodSecurity: pod-security.admission.config.k8s.io/v1 PodSecurityConfiguration.
struct PodSecurityConfig {
  SecurityPolicies defaults;
  std::set<std::string, std::less<>> usernames, namespaces, runtime_classes;  // exempt

  static Result<PodSecurityConfig> parse(const json::value& section);
};

// Plugin PodNodeSelector: labels by namespace, and those of namespaces that say nothing.
struct NodeSelectorConfig {
  using Labels = std::map<std::string, std::string>;
  Labels cluster_default;
  std::map<std::string, Labels, std::less<>> allowed;

  static Result<NodeSelectorConfig> parse(const json::value& section);
  // `a=b,c=d`.
  static Result<Labels> parse_labels(std::string_view text);
};

struct AdmissionConfig {
  std::set<std::string, std::less<>> off = off_by_default();  // names of plugins
  std::optional<ImagePolicyConfig> image_policy;
  PodSecurityConfig pod_security;
  NodeSelectorConfig node_selector;

  bool is_on(std::string_view plugin) const { return !off.contains(plugin); }

  static std::set<std::string, std::less<>> off_by_default();
  // Names must be known, and in one of the lists at most.
  Status choose(const std::vector<std::string>& enable, const std::vector<std::string>& disable);
  // `path`: of the file, for what is relative to it.
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;
  Status read(std::string_view text, const std::string& path, const ReadFile& reader);

 private:
  Status read_section(std::string_view plugin, const json::value& section);
};

}  // namespace coracle::apiserver
