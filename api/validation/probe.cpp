#include <algorithm>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

Messages header_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (!name.empty() && std::all_of(name.begin(), name.end(), fits)) {
    return {};
  }
  return {
      "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
      "'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"};
}

void http_get(const json::value& action, const FieldPath& path, FieldErrors& errors) {
  checks::required_text(action, "path", path, errors);
  checks::port_number_or_name(member(action, "port"), path.child("port"), errors);
  const std::string_view scheme = text_of(action, "scheme");
  if (scheme != "HTTP" && scheme != "HTTPS") {
    errors.not_supported(path.child("scheme"), scheme, {"HTTP", "HTTPS"});
  }
  for (const json::value& header : get_array(action, "httpHeaders")) {
    const std::string_view name = text_of(header, "name");
    errors.invalid_each(path.child("httpHeaders"), name, header_name(name));
  }
}

void handler(const json::value& holder, const PodAround& pod, const FieldPath& path,
             FieldErrors& errors) {
  int handlers = 0;
  const auto start = [&](std::string_view key) -> const json::value* {
    const json::value* action = member(holder, key);
    if (action == nullptr) {
      return nullptr;
    }
    if (handlers++ > 0) {
      errors.forbidden(path.child(key), "may not specify more than 1 handler type");
      return nullptr;
    }
    return action;
  };
  if (const json::value* exec = start("exec")) {
    if (get_array(*exec, "command").empty()) {
      errors.required(path.child("exec").child("command"));
    }
  }
  if (const json::value* get = start("httpGet")) {
    http_get(*get, path.child("httpGet"), errors);
  }
  for (const std::string_view key : {"tcpSocket", "grpc"}) {
    if (const json::value* socket = start(key)) {
      checks::port_number_or_name(member(*socket, "port"), path.child(key).child("port"), errors);
    }
  }
  if (const json::value* sleep = start("sleep")) {
    const std::int64_t seconds = get_int(*sleep, "seconds");
    if (pod.grace_seconds && (seconds < 0 || seconds > *pod.grace_seconds)) {
      errors.invalid(path.child("sleep"), seconds,
                     "must be non-negative and less than terminationGracePeriodSeconds (" +
                         std::to_string(*pod.grace_seconds) + ")");
    }
  }
  if (handlers == 0) {
    errors.required(path, "must specify a handler type");
  }
}

void probe(const json::value& probe, const PodAround& pod, const FieldPath& path,
           FieldErrors& errors) {
  handler(probe, pod, path, errors);
  checks::non_negative(probe,
                       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                        "successThreshold", "failureThreshold"},
                       path, errors);
  const json::value* grace = member(probe, "terminationGracePeriodSeconds");
  if (grace != nullptr && grace->is_int64() && grace->get_int64() <= 0) {
    errors.invalid(path.child("terminationGracePeriodSeconds"), *grace, checks::kPositive);
  }
}

}  // namespace

void container_hooks(const json::value& container, const PodAround& pod, const FieldPath& path,
                     FieldErrors& errors) {
  if (const json::value* lifecycle = member(container, "lifecycle")) {
    for (const std::string_view moment : {"postStart", "preStop"}) {
      if (const json::value* action = member(*lifecycle, moment)) {
        handler(*action, pod, path.child("lifecycle").child(moment), errors);
      }
    }
    if (member(*lifecycle, "stopSignal") != nullptr && member(pod.spec, "os") == nullptr) {
      errors.forbidden(path.child("lifecycle").child("stopSignal"),
                       "may not be set for containers with empty `spec.os.name`");
    }
  }
  for (const std::string_view key : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const json::value* present = member(container, key);
    if (present == nullptr) {
      continue;
    }
    probe(*present, pod, path.child(key), errors);
    // What restarts a container must do so at the first success-less streak.
    const std::int64_t successes = get_int(*present, "successThreshold", 1);
    if (key != "readinessProbe" && successes != 1) {
      errors.invalid(path.child(key).child("successThreshold"), successes, "must be 1");
    }
    if (key == "readinessProbe" && member(*present, "terminationGracePeriodSeconds") != nullptr) {
      errors.invalid(path.child(key).child("terminationGracePeriodSeconds"),
                     *member(*present, "terminationGracePeriodSeconds"),
                     "must not be set for readinessProbes");
    }
  }
}

}  // namespace coracle::api::validation
