#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

void http_get(const json::value& action, const FieldPath& path, FieldErrors& errors) {
  checks::required_text(action, "path", path, errors);
  checks::port_number_or_name(member(action, "port"), path.child("port"), errors);
  checks::one_of(action, "scheme", path, {"HTTP", "HTTPS"}, errors);
}

void handler(const json::value& holder, const FieldPath& path, FieldErrors& errors) {
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
    const json::value* seconds = member(*sleep, "seconds");
    if (seconds != nullptr && seconds->is_int64() && seconds->get_int64() < 0) {
      errors.invalid(path.child("sleep"), *seconds, "must be non-negative");
    }
  }
  if (handlers == 0) {
    errors.required(path, "must specify a handler type");
  }
}

void probe(const json::value& probe, const FieldPath& path, FieldErrors& errors) {
  handler(probe, path, errors);
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

void container_hooks(const json::value& container, const FieldPath& path, FieldErrors& errors) {
  if (const json::value* lifecycle = member(container, "lifecycle")) {
    for (const std::string_view moment : {"postStart", "preStop"}) {
      if (const json::value* action = member(*lifecycle, moment)) {
        handler(*action, path.child("lifecycle").child(moment), errors);
      }
    }
  }
  for (const std::string_view key : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const json::value* present = member(container, key);
    if (present == nullptr) {
      continue;
    }
    probe(*present, path.child(key), errors);
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
