#include <map>
#include <string>
#include <utility>

#include "api/defaults/defaults.hpp"
#include "api/defaults/fill.hpp"
#include "api/quantity.hpp"

namespace coracle::api::defaults {
namespace {

constexpr std::string_view kContainerLists[] = {"containers", "initContainers",
                                                "ephemeralContainers"};

// Without a tag and a digest an image means :latest, which is pulled every time.
bool is_latest(std::string_view image) {
  const bool has_digest = image.find('@') != std::string_view::npos;
  const std::string_view name = image.substr(0, image.find('@'));
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    return name.substr(colon + 1) == "latest";
  }
  return !has_digest;
}

void set_handler(json::object& handler) {
  if (json::object* get = child(handler, "httpGet")) {
    set_text_default(*get, "path", "/");
    set_text_default(*get, "scheme", "HTTP");
  }
}

void set_positive(json::object& object, std::string_view key, std::int64_t value) {
  const json::value* present = find_member(object, key);
  if (present == nullptr || (present->is_int64() && present->get_int64() == 0)) {
    object[key] = value;
  }
}

void set_probe(json::object& probe) {
  set_positive(probe, "timeoutSeconds", 1);
  set_positive(probe, "periodSeconds", 10);
  set_positive(probe, "successThreshold", 1);
  set_positive(probe, "failureThreshold", 3);
  set_handler(probe);
}

void set_container(json::object& container) {
  set_text_default(container, "imagePullPolicy",
                   is_latest(text(container, "image")) ? "Always" : "IfNotPresent");
  set_text_default(container, "terminationMessagePath", "/dev/termination-log");
  set_text_default(container, "terminationMessagePolicy", "File");
  set_default(container, "resources", json::object());
  each_object(container, "ports",
              [](json::object& port) { set_text_default(port, "protocol", "TCP"); });
  each_object(container, "env", [](json::object& variable) {
    if (json::object* from = child(variable, "valueFrom")) {
      if (json::object* field = child(*from, "fieldRef")) {
        set_text_default(*field, "apiVersion", "v1");
      }
    }
  });
  for (const std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    if (json::object* present = child(container, probe)) {
      set_probe(*present);
    }
  }
  if (json::object* lifecycle = child(container, "lifecycle")) {
    for (const std::string_view moment : {"postStart", "preStop"}) {
      if (json::object* handler = child(*lifecycle, moment)) {
        set_handler(*handler);
      }
    }
  }
}

void set_pod_spec(json::object& spec) {
  set_text_default(spec, "dnsPolicy", "ClusterFirst");
  set_text_default(spec, "restartPolicy", "Always");
  set_default(spec, "securityContext", json::object());
  set_default(spec, "terminationGracePeriodSeconds", 30);
  set_text_default(spec, "schedulerName", "default-scheduler");
  // Both names of the account are shown, whichever was given.
  if (const auto account = text(spec, "serviceAccountName"); !account.empty()) {
    set_text_default(spec, "serviceAccount", std::string(account));
  } else if (const auto old_name = text(spec, "serviceAccount"); !old_name.empty()) {
    set_text_default(spec, "serviceAccountName", std::string(old_name));
  }
  for (const std::string_view list : kContainerLists) {
    each_object(spec, list, set_container);
  }
  set_volumes(spec);
}

void set_requests_from_limits(json::object& container) {
  json::object* resources = child(container, "resources");
  const json::object* limits = resources == nullptr ? nullptr : child(*resources, "limits");
  if (limits == nullptr || limits->empty()) {
    return;
  }
  // Copied: making the requests may move the members of resources.
  const json::object wanted = *limits;
  if (json::object* requests = child_default(*resources, "requests")) {
    for (const auto& [name, amount] : wanted) {
      set_default(*requests, name, amount);
    }
  }
}

void set_host_ports(json::object& container) {
  each_object(container, "ports", [](json::object& port) {
    if (const json::value* number = find_member(port, "containerPort")) {
      const json::value copy = *number;
      set_default(port, "hostPort", copy);
    }
  });
}

using Amounts = std::map<std::string_view, Quantity>;

// Adds up the positive cpu and memory amounts; false if one of the two is missing.
bool add_amounts(const json::object& list, Amounts& sum) {
  int present = 0;
  for (const std::string_view name : {"cpu", "memory"}) {
    const json::value* value = find_member(list, name);
    if (value == nullptr || !value->is_string()) {
      continue;
    }
    auto amount = Quantity::parse(value->get_string());
    if (amount.ok() && amount->sign() > 0) {
      sum[name].add(*amount);
      ++present;
    }
  }
  return present == 2;
}

}  // namespace

void set_pod_template(json::object& pod_template) {
  if (json::object* spec = child(pod_template, "spec")) {
    set_pod_spec(*spec);
  }
}

void set_template_kind(json::object& object) {
  if (json::object* pod_template = child(object, "template")) {
    set_pod_template(*pod_template);
  }
}

void set_pod(json::object& pod) {
  json::object* spec = child(pod, "spec");
  if (spec == nullptr) {
    return;
  }
  set_pod_spec(*spec);
  set_default(*spec, "enableServiceLinks", true);
  const json::value* host_network = find_member(*spec, "hostNetwork");
  const bool on_host =
      host_network != nullptr && host_network->is_bool() && host_network->get_bool();
  for (const std::string_view list : {"containers", "initContainers"}) {
    each_object(*spec, list, [on_host](json::object& container) {
      set_requests_from_limits(container);
      if (on_host) {
        set_host_ports(container);
      }
    });
  }
}

std::string_view qos_class(const json::value& pod) {
  Amounts requests;
  Amounts limits;
  bool all_limited = true;
  for (const std::string_view list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& container : get_array(pod, list)) {
      add_amounts(get_object(container, "resources.requests"), requests);
      all_limited = add_amounts(get_object(container, "resources.limits"), limits) && all_limited;
    }
  }
  if (requests.empty() && limits.empty()) {
    return "BestEffort";
  }
  return all_limited && requests == limits ? "Guaranteed" : "Burstable";
}

void prepare_pod_create(json::object& pod) {
  json::value whole = std::move(pod);  // and back: questions are asked of values
  json::object status;
  status["phase"] = "Pending";
  status["qosClass"] = json::string(qos_class(whole));
  if (!get_array(whole, "spec.schedulingGates").empty()) {
    json::object gated;
    gated["type"] = "PodScheduled";
    gated["status"] = "False";
    gated["reason"] = "SchedulingGated";
    gated["message"] = "Scheduling is blocked due to non-empty scheduling gates";
    json::array conditions;
    conditions.emplace_back(std::move(gated));
    status["conditions"] = std::move(conditions);
  }
  pod = std::move(whole.get_object());
  pod["status"] = std::move(status);
}

}  // namespace coracle::api::defaults
