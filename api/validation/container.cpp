#include <algorithm>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

using Names = std::set<std::string, std::less<>>;

constexpr std::size_t kRestartRulesMax = 20;
constexpr std::size_t kExitCodesMax = 255;

void ports(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  Names names;
  std::size_t index = 0;
  for (const json::value& port : get_array(container, "ports")) {
    const FieldPath at = path.child("ports").index(index++);
    const std::string_view name = text_of(port, "name");
    if (!name.empty()) {
      const Messages messages = check_port_name(name);
      errors.invalid_each(at.child("name"), name, messages);
      if (messages.empty() && !names.emplace(name).second) {
        errors.duplicate(at.child("name"), name);
      }
    }
    if (get_int(port, "containerPort") == 0) {
      errors.required(at.child("containerPort"));
    } else {
      checks::port_number(member(port, "containerPort"), at.child("containerPort"), errors);
    }
    if (get_int(port, "hostPort") != 0) {
      checks::port_number(member(port, "hostPort"), at.child("hostPort"), errors);
    }
    checks::protocol(port, at, errors);
  }
}

void resize_policy(const json::value& container, const json::value& spec, const FieldPath& path,
                   FieldErrors& errors) {
  Names seen;
  std::size_t index = 0;
  const FieldPath at = path.child("resizePolicy");
  for (const json::value& policy : get_array(container, "resizePolicy")) {
    const std::string_view name = text_of(policy, "resourceName");
    const std::string_view restart = text_of(policy, "restartPolicy");
    if (!seen.emplace(name).second) {
      errors.duplicate(at.index(index), name);
    }
    ++index;
    if (name.empty()) {
      errors.required(at);
    } else if (name != "cpu" && name != "memory") {
      errors.not_supported(at, name, {"cpu", "memory"});
    }
    if (restart.empty()) {
      errors.required(at);
    } else if (restart != "NotRequired" && restart != "RestartContainer") {
      errors.not_supported(at, restart, {"NotRequired", "RestartContainer"});
    }
    if (text_of(spec, "restartPolicy") == "Never" && restart != "NotRequired") {
      errors.invalid(at, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
    }
  }
}

// What a container asks of the pod's claims to devices.
void device_claims(const json::value& container, const json::value& spec, const FieldPath& path,
                   FieldErrors& errors) {
  std::vector<std::string> known;
  for (const json::value& claim : get_array(spec, "resourceClaims")) {
    known.emplace_back(text_of(claim, "name"));
  }
  std::sort(known.begin(), known.end());
  Names seen;
  std::size_t index = 0;
  for (const json::value& claim : get_array(container, "resources.claims")) {
    const FieldPath at = path.child("resources").child("claims").index(index++);
    const std::string name(text_of(claim, "name"));
    if (name.empty()) {
      errors.required(at);
      continue;
    }
    const std::string_view request = text_of(claim, "request");
    if (!seen.insert(request.empty() ? name : name + "/" + std::string(request)).second) {
      errors.duplicate(at, name);
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      errors.add({FieldErrorType::kNotFound, at.text(), json::value(name), false,
                  "must be one of the names in pod.spec.resourceClaims" +
                      (known.empty() ? " which is empty" : ": " + join(known, ", "))});
    }
  }
}

void common(const json::value& container, const PodAround& pod, const FieldPath& path,
            FieldErrors& errors) {
  const std::string_view name = text_of(container, "name");
  if (name.empty()) {
    errors.required(path.child("name"));
  } else {
    checks::dns_label(name, path.child("name"), errors);
  }
  if (text_of(container, "image").empty()) {
    errors.required(path.child("image"));
  }
  checks::one_of(container, "terminationMessagePolicy", path, {"File", "FallbackToLogsOnError"},
                 errors);
  ports(container, path, errors);
  environment(container, path, errors);
  volume_mounts(container, pod.volumes, path, errors);
  volume_devices(container, pod.volumes, path, errors);
  checks::one_of(container, "imagePullPolicy", path, {"Always", "IfNotPresent", "Never"}, errors);
  resource::requirements(member(container, "resources"), resource::container_name,
                         path.child("resources"), errors);
  device_claims(container, pod.spec, path, errors);
  resize_policy(container, pod.spec, path, errors);
  container_security_context(container, pod.host_users, path, errors);
}

// Two containers cannot listen on the same port of the node.
void host_port_conflicts(const json::value& container, const FieldPath& path, Names& taken,
                         FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& port : get_array(container, "ports")) {
    const FieldPath at = path.child("ports").index(index++);
    const std::int64_t number = get_int(port, "hostPort");
    if (number == 0) {
      continue;
    }
    const std::string key = std::string(text_of(port, "protocol")) + "/" +
                            std::string(text_of(port, "hostIP")) + "/" + std::to_string(number);
    if (!taken.insert(key).second) {
      errors.duplicate(at.child("hostPort"), key);
    }
  }
}

void restart_rules(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  const json::array& rules = get_array(container, "restartPolicyRules");
  const FieldPath at = path.child("restartPolicyRules");
  if (rules.size() > kRestartRulesMax) {
    errors.too_long(at, static_cast<int>(kRestartRulesMax));
  }
  std::size_t index = 0;
  for (const json::value& rule : rules) {
    const FieldPath here = at.index(index++);
    if (text_of(rule, "action") != "Restart") {
      errors.not_supported(here.child("action"), text_of(rule, "action"), {"Restart"});
    }
    const json::value* codes = member(rule, "exitCodes");
    if (codes == nullptr) {
      errors.required(here.child("exitCodes"), "must be specified");
      continue;
    }
    const std::string_view op = text_of(*codes, "operator");
    if (op != "In" && op != "NotIn") {
      errors.not_supported(here.child("exitCodes").child("operator"), op, {"In", "NotIn"});
    }
    if (get_array(*codes, "values").size() > kExitCodesMax) {
      errors.too_long(here.child("exitCodes").child("values"), static_cast<int>(kExitCodesMax));
    }
  }
}

void restart_policy(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  const json::value* policy = member(container, "restartPolicy");
  const bool has_rules = !get_array(container, "restartPolicyRules").empty();
  if (policy == nullptr) {
    if (has_rules) {
      errors.required(path.child("restartPolicy"),
                      "must specify restartPolicy when restart rules are used");
    }
  } else {
    checks::one_of_if_set(container, "restartPolicy", path, {"Always", "Never", "OnFailure"},
                          errors);
  }
  restart_rules(container, path, errors);
}

void init_restart_policy(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  if (text_of(container, "restartPolicy") != "Always") {
    restart_policy(container, path, errors);
  } else if (!get_array(container, "restartPolicyRules").empty()) {
    errors.forbidden(path.child("restartPolicyRules"),
                     "restartPolicyRules are not allowed for init containers with restart policy "
                     "Always");
  }
}

// A container that runs once to its end has nothing to probe.
void init_hooks(const json::value& container, const PodAround& pod, const FieldPath& path,
                FieldErrors& errors) {
  if (text_of(container, "restartPolicy") == "Always") {
    container_hooks(container, pod, path, errors);
    return;
  }
  for (const std::string_view key :
       {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (member(container, key) != nullptr) {
      errors.forbidden(path.child(key),
                       "may not be set for init containers without restartPolicy=Always");
    }
  }
}

void init_containers(const PodAround& pod, Names names, const FieldPath& path,
                     FieldErrors& errors) {
  const FieldPath list = path.child("initContainers");
  std::size_t index = 0;
  for (const json::value& container : get_array(pod.spec, "initContainers")) {
    const FieldPath at = list.index(index++);
    common(container, pod, at, errors);
    init_restart_policy(container, at, errors);
    const std::string_view name = text_of(container, "name");
    if (!name.empty() && !names.emplace(name).second) {
      errors.duplicate(at.child("name"), name);
    }
    Names taken;  // they run one after another
    host_port_conflicts(container, list.index(0), taken, errors);
    init_hooks(container, pod, at, errors);
  }
}

void whitespace(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  const std::string_view image = text_of(container, "image");
  if (trim(image).size() != image.size()) {
    errors.invalid(path.child("image"), image, "must not have leading or trailing whitespace");
  }
}

void ephemeral_fields(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kNot = "cannot be set for an Ephemeral Container";
  for (const std::string_view key :
       {"ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules",
        "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"}) {
    if (!checks::is_empty(member(container, key))) {
      errors.forbidden(path.child(key), kNot);
    }
  }
  std::size_t index = 0;
  for (const json::value& mount : get_array(container, "volumeMounts")) {
    const FieldPath at = path.child("volumeMounts").index(index++);
    for (const std::string_view key : {"subPath", "subPathExpr"}) {
      if (!text_of(mount, key).empty()) {
        errors.forbidden(at.child(key), kNot);
      }
    }
  }
}

void ephemeral_containers(const PodAround& pod, const FieldPath& path, FieldErrors& errors) {
  Names others;
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const json::value& container : get_array(pod.spec, list)) {
      others.emplace(text_of(container, "name"));
    }
  }
  Names names = others;
  std::size_t index = 0;
  for (const json::value& container : get_array(pod.spec, "ephemeralContainers")) {
    const FieldPath at = path.child("ephemeralContainers").index(index++);
    common(container, pod, at, errors);
    whitespace(container, at, errors);
    const std::string_view name = text_of(container, "name");
    if (!names.emplace(name).second) {
      errors.duplicate(at.child("name"), name);
    }
    const std::string_view target = text_of(container, "targetContainerName");
    if (!target.empty() && !others.contains(target)) {
      errors.not_found(at.child("targetContainerName"), target);
    }
    ephemeral_fields(container, at, errors);
  }
}

}  // namespace

void containers(const PodAround& pod, const FieldPath& path, FieldErrors& errors) {
  Names names;
  const json::array& main = get_array(pod.spec, "containers");
  if (main.empty()) {
    errors.required(path.child("containers"));
  }
  std::size_t index = 0;
  for (const json::value& container : main) {
    const FieldPath at = path.child("containers").index(index++);
    common(container, pod, at, errors);
    const std::string_view name = text_of(container, "name");
    if (!names.emplace(name).second) {
      errors.duplicate(at.child("name"), name);
    }
    container_hooks(container, pod, at, errors);
    restart_policy(container, at, errors);
  }
  Names taken;
  index = 0;
  for (const json::value& container : main) {
    host_port_conflicts(container, path.child("containers").index(index++), taken, errors);
  }
  init_containers(pod, names, path, errors);
  ephemeral_containers(pod, path, errors);
}

}  // namespace coracle::api::validation
