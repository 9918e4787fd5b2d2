#include <set>
#include <string>

#include "api/quantity.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

using Names = std::set<std::string, std::less<>>;

// Adds the name, or says `Duplicate value`.
void unique_name(std::string_view name, Names& seen, const FieldPath& path, FieldErrors& errors) {
  if (!name.empty() && !seen.emplace(name).second) {
    errors.duplicate(path, checks::text_value(name));
  }
}

void ports(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  Names names;
  std::size_t index = 0;
  for (const json::value& port : get_array(container, "ports")) {
    const FieldPath at = path.child("ports").index(index++);
    const std::string_view name = text_of(port, "name");
    if (!name.empty()) {
      const Messages messages = check_port_name(name);
      errors.invalid_each(at.child("name"), checks::text_value(name), messages);
      if (messages.empty()) {
        unique_name(name, names, at.child("name"), errors);
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

void volume_mounts(const json::value& container, const Volumes& volumes, const FieldPath& path,
                   FieldErrors& errors) {
  Names mount_points;
  std::size_t index = 0;
  for (const json::value& mount : get_array(container, "volumeMounts")) {
    const FieldPath at = path.child("volumeMounts").index(index++);
    const std::string_view name = text_of(mount, "name");
    if (name.empty()) {
      errors.required(at.child("name"));
    }
    if (volumes.find(name) == volumes.end()) {
      errors.not_found(at.child("name"), checks::text_value(name));
    }
    const std::string_view mount_path = text_of(mount, "mountPath");
    if (mount_path.empty()) {
      errors.required(at.child("mountPath"));
    }
    if (!mount_points.emplace(mount_path).second) {
      errors.invalid(at.child("mountPath"), checks::text_value(mount_path), "must be unique");
    }
    const std::string_view sub_path = text_of(mount, "subPath");
    const std::string_view expression = text_of(mount, "subPathExpr");
    if (!sub_path.empty()) {
      checks::descending_path(sub_path, path.child("volumeMounts").child("subPath"), errors);
    }
    if (!expression.empty() && !sub_path.empty()) {
      errors.invalid(at.child("subPathExpr"), checks::text_value(expression),
                     "subPathExpr and subPath are mutually exclusive");
    }
  }
}

bool is_overcommit_allowed(std::string_view resource) {
  return resource == "cpu" || resource == "memory" || resource == "ephemeral-storage";
}

bool is_standard(std::string_view resource) {
  return is_overcommit_allowed(resource) || resource.starts_with("hugepages-");
}

void resource_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  const json::value bad = checks::text_value(name);
  const Messages messages = check_qualified_name(name);
  errors.invalid_each(path, bad, messages);
  if (!messages.empty() || name.find('/') != std::string_view::npos || is_standard(name)) {
    return;
  }
  errors.invalid(path, bad, "must be a standard resource type or fully qualified");
  errors.invalid(path, bad, "must be a standard resource for containers");
}

void resource_amount(std::string_view name, const Quantity& amount, const FieldPath& path,
                     FieldErrors& errors) {
  const json::value bad = checks::text_value(amount.text());
  if (amount.sign() < 0) {
    errors.invalid(path, bad, checks::kNotNegative);
  }
  // Devices and other extended resources come in whole pieces.
  const bool whole = name.find('/') != std::string_view::npos;
  if (whole && amount.milli_value() % 1000 != 0) {
    errors.invalid(path, bad, "must be an integer");
  }
}

using Amounts = std::map<std::string, Quantity, std::less<>>;

Amounts resource_list(const json::value& requirements, std::string_view key, const FieldPath& path,
                      FieldErrors& errors) {
  Amounts out;
  const json::object& list = get_object(requirements, key);
  for (const std::string& name : checks::sorted_names(list)) {
    const FieldPath at = path.child(key).key(name);
    resource_name(name, at, errors);
    const json::value& value = list.at(name);
    auto amount =
        value.is_string() ? Quantity::parse(value.get_string()) : Quantity::parse(to_json(value));
    if (!amount.ok()) {
      errors.invalid(at, value, amount.status().message());
      continue;
    }
    resource_amount(name, *amount, at, errors);
    out.emplace(name, *amount);
  }
  return out;
}

void request_against_limit(const std::string& name, const Quantity& request, const Amounts& limits,
                           const FieldPath& path, FieldErrors& errors) {
  const auto limit = limits.find(name);
  if (limit == limits.end()) {
    if (!is_overcommit_allowed(name)) {
      errors.required(path.child("limits"), "Limit must be set for non overcommitable resources");
    }
    return;
  }
  const std::string rest = name + " limit of " + limit->second.text();
  const json::value bad = checks::text_value(request.text());
  if (!is_overcommit_allowed(name) && !(request == limit->second)) {
    errors.invalid(path.child("requests"), bad, "must be equal to " + rest);
  } else if (limit->second < request) {
    errors.invalid(path.child("requests"), bad, "must be less than or equal to " + rest);
  }
}

void security_context(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  const json::value* context = member(container, "securityContext");
  if (context == nullptr) {
    return;
  }
  const FieldPath at = path.child("securityContext");
  checks::non_negative(*context, {"runAsUser", "runAsGroup"}, at, errors);
  const json::value* escalation = member(*context, "allowPrivilegeEscalation");
  const bool forbids = escalation != nullptr && escalation->is_bool() && !escalation->get_bool();
  if (forbids && get_bool(*context, "privileged")) {
    errors.invalid(at, *context,
                   "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
}

void common(const json::value& container, const Volumes& volumes, const FieldPath& path,
            FieldErrors& errors) {
  const std::string_view name = text_of(container, "name");
  if (name.empty()) {
    errors.required(path.child("name"));
  } else {
    checks::dns_label(name, path.child("name"), errors);
  }
  const std::string_view image = text_of(container, "image");
  if (image.empty()) {
    errors.required(path.child("image"));
  } else if (trim(image).size() != image.size()) {
    errors.invalid(path.child("image"), checks::text_value(image),
                   "must not have leading or trailing whitespace");
  }
  checks::one_of(container, "terminationMessagePolicy", path, {"FallbackToLogsOnError", "File"},
                 errors);
  ports(container, path, errors);
  environment(container, path, errors);
  volume_mounts(container, volumes, path, errors);
  checks::one_of(container, "imagePullPolicy", path, {"Always", "IfNotPresent", "Never"}, errors);
  resources(member(container, "resources"), path.child("resources"), errors);
  security_context(container, path, errors);
}

// Two containers cannot listen on the same port of the node.
void host_port_conflicts(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  Names taken;
  std::size_t container_index = 0;
  for (const json::value& container : get_array(spec, "containers")) {
    const FieldPath ports_path = path.child("containers").index(container_index++).child("ports");
    std::size_t index = 0;
    for (const json::value& port : get_array(container, "ports")) {
      const FieldPath at = ports_path.index(index++);
      const std::int64_t number = get_int(port, "hostPort");
      if (number == 0) {
        continue;
      }
      const std::string key = std::string(text_of(port, "protocol")) + "/" +
                              std::string(text_of(port, "hostIP")) + "/" + std::to_string(number);
      if (!taken.insert(key).second) {
        errors.duplicate(at.child("hostPort"), checks::text_value(key));
      }
    }
  }
}

void init_container(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  const json::value* policy = member(container, "restartPolicy");
  if (policy != nullptr && text_of(container, "restartPolicy") == "Always") {
    container_hooks(container, path, errors);
    return;
  }
  // A container that runs once to its end has nothing to probe.
  for (const std::string_view key :
       {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (member(container, key) != nullptr) {
      errors.forbidden(path.child(key),
                       "may not be set for init containers without restartPolicy=Always");
    }
  }
}

}  // namespace

void resources(const json::value* requirements, const FieldPath& path, FieldErrors& errors) {
  if (requirements == nullptr) {
    return;
  }
  const Amounts limits = resource_list(*requirements, "limits", path, errors);
  const Amounts requests = resource_list(*requirements, "requests", path, errors);
  for (const auto& [name, amount] : requests) {
    request_against_limit(name, amount, limits, path, errors);
  }
}

void containers(const json::value& spec, const Volumes& volumes, const FieldPath& path,
                FieldErrors& errors) {
  Names names;
  const json::array& main = get_array(spec, "containers");
  if (main.empty()) {
    errors.required(path.child("containers"));
  }
  std::size_t index = 0;
  for (const json::value& container : main) {
    const FieldPath at = path.child("containers").index(index++);
    common(container, volumes, at, errors);
    unique_name(text_of(container, "name"), names, at.child("name"), errors);
    container_hooks(container, at, errors);
  }
  host_port_conflicts(spec, path, errors);
  index = 0;
  for (const json::value& container : get_array(spec, "initContainers")) {
    const FieldPath at = path.child("initContainers").index(index++);
    common(container, volumes, at, errors);
    unique_name(text_of(container, "name"), names, at.child("name"), errors);
    init_container(container, at, errors);
  }
}

}  // namespace coracle::api::validation
