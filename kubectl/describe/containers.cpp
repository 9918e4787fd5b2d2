// How `describe` prints containers: image, ports, state, resources, probes, environment, mounts.
#include <algorithm>
#include <cmath>
#include <vector>

#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "describe/pod_template.hpp"

namespace coracle::kubectl {
namespace {

std::string ports_text(const json::array& ports, const char* field) {
  std::vector<std::string> parts;
  for (const json::value& port : ports) {
    parts.push_back(std::to_string(get_int(port, field)) + "/" +
                    std::string(get_string(port, "protocol", "TCP")));
  }
  return join(parts, ", ");
}

void write_ports(DescribeWriter& out, const json::value& container) {
  const json::array& ports = get_array(container, "ports");
  for (const auto& [title, field] :
       {std::pair{"Port", "containerPort"}, std::pair{"Host Port", "hostPort"}}) {
    const std::string text = ports_text(ports, field);
    out.field(2, std::string(title) + (text.find(',') != text.npos ? "s" : ""), or_none(text));
  }
}

void write_words(DescribeWriter& out, const char* title, const json::array& words) {
  if (words.empty()) return;
  out.line(2, std::string(title) + ":");
  for (const json::value& word : words) {
    for (const std::string& line : split(word.as_string(), '\n')) out.line(3, line);
  }
}

void write_state(DescribeWriter& out, const char* title, const json::value& state) {
  if (const json::value* running = find(state, "running")) {
    out.field(2, title, "Running");
    out.field(3, "Started", long_time(get_string(*running, "startedAt")));
  } else if (const json::value* ended = find(state, "terminated")) {
    out.field(2, title, "Terminated");
    if (!text_at(*ended, "reason").empty()) out.field(3, "Reason", text_at(*ended, "reason"));
    if (!text_at(*ended, "message").empty()) out.field(3, "Message", text_at(*ended, "message"));
    out.field(3, "Exit Code", std::to_string(get_int(*ended, "exitCode")));
    if (get_int(*ended, "signal") > 0) out.field(3, "Signal", text_at(*ended, "signal"));
    out.field(3, "Started", long_time(get_string(*ended, "startedAt")));
    out.field(3, "Finished", long_time(get_string(*ended, "finishedAt")));
  } else {
    out.field(2, title, "Waiting");
    const std::string reason = text_at(state, "waiting.reason");
    if (!reason.empty()) out.field(3, "Reason", reason);
  }
}

void write_status(DescribeWriter& out, const json::value& status) {
  write_state(out, "State", json::value(get_object(status, "state")));
  if (find(status, "lastState.terminated")) {
    write_state(out, "Last State", json::value(get_object(status, "lastState")));
  }
  out.field(2, "Ready", bool_text(get_bool(status, "ready")));
  out.field(2, "Restart Count", std::to_string(get_int(status, "restartCount")));
}

void write_amounts(DescribeWriter& out, const char* title, const json::object& amounts) {
  if (amounts.empty()) return;
  out.line(2, std::string(title) + ":");
  std::vector<std::string> names;
  for (const auto& [name, amount] : amounts) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const json::value& amount = amounts.at(name);
    out.field(3, name, amount.is_string() ? std::string(amount.as_string()) : to_json(amount));
  }
}

std::string probe_text(const json::value& probe) {
  const std::string times = "delay=" + std::to_string(get_int(probe, "initialDelaySeconds")) +
                            "s timeout=" + std::to_string(get_int(probe, "timeoutSeconds")) +
                            "s period=" + std::to_string(get_int(probe, "periodSeconds")) +
                            "s #success=" + std::to_string(get_int(probe, "successThreshold")) +
                            " #failure=" + std::to_string(get_int(probe, "failureThreshold"));
  if (find(probe, "exec")) {
    std::vector<std::string> words;
    for (const json::value& word : get_array(probe, "exec.command")) {
      words.emplace_back(word.as_string());
    }
    return "exec [" + join(words, " ") + "] " + times;
  }
  if (const json::value* http = find(probe, "httpGet")) {
    return "http-get " + to_lower(get_string(*http, "scheme", "HTTP")) + "://" +
           text_at(*http, "host") + ":" + text_at(*http, "port") + text_at(*http, "path") + " " +
           times;
  }
  if (const json::value* tcp = find(probe, "tcpSocket")) {
    return "tcp-socket " + text_at(*tcp, "host") + ":" + text_at(*tcp, "port") + " " + times;
  }
  if (const json::value* grpc = find(probe, "grpc")) {
    return "grpc <pod>:" + text_at(*grpc, "port") + " " + text_at(*grpc, "service") + " " + times;
  }
  return "unknown " + times;
}

void write_probes(DescribeWriter& out, const json::value& container) {
  for (const auto& [field, title] :
       {std::pair{"livenessProbe", "Liveness"}, std::pair{"readinessProbe", "Readiness"},
        std::pair{"startupProbe", "Startup"}}) {
    if (const json::value* probe = find(container, field)) {
      out.field(2, title, probe_text(*probe));
    }
  }
}

std::string yes_no(const json::value& source) {
  return get_bool(source, "optional") ? "true" : "false";
}

void write_env_from(DescribeWriter& out, const json::value& container) {
  const json::array& sources = get_array(container, "envFrom");
  if (sources.empty()) return;
  out.line(2, "Environment Variables from:");
  for (const json::value& source : sources) {
    const json::value* map = find(source, "configMapRef");
    const json::value* from = map ? map : find(source, "secretRef");
    if (!from) continue;
    const std::string prefix = text_at(source, "prefix");
    out.line(3, text_at(*from, "name") + "\t" + (map ? "ConfigMap" : "Secret") +
                    (prefix.empty() ? "" : " with prefix '" + prefix + "'") +
                    "\tOptional: " + yes_no(*from));
  }
}

// The value of a pod's field: kubectl tells these two, and nothing of others.
std::string field_value(const json::value& pod, const std::string& path) {
  return path == "metadata.name" || path == "metadata.namespace" ? text_at(pod, path) : "";
}

// What a container is given of a resource, in the units asked for; rounded up.
std::string amount_value(const json::value& container, const json::value& reference) {
  const std::string resource = text_at(reference, "resource");
  const auto given = api::Quantity::parse(text_at(container, "resources." + resource));
  auto divisor = api::Quantity::parse(text_at(reference, "divisor"));
  if (!divisor.ok() || divisor->is_zero()) divisor = api::Quantity::from_units(1);
  if (!given.ok() || given->is_zero()) {
    return resource == "limits.cpu" || resource == "limits.memory" ? "node allocatable" : "0";
  }
  return std::to_string(
      static_cast<std::int64_t>(std::ceil(given->as_double() / divisor->as_double())));
}

void write_variable(DescribeWriter& out, const json::value& variable, const json::value& container,
                    const json::value* pod) {
  const std::string name = text_at(variable, "name");
  const json::value* from = find(variable, "valueFrom");
  if (!from) {
    const auto lines = split(text_at(variable, "value"), '\n');
    out.field(3, name, lines.empty() ? "" : lines[0]);
    for (size_t i = 1; i < lines.size(); ++i) out.line(3, "\t" + lines[i]);
  } else if (const json::value* field = find(*from, "fieldRef")) {
    const std::string path = text_at(*field, "fieldPath");
    out.field(3, name,
              (pod == nullptr ? "" : field_value(*pod, path)) + " (" +
                  text_at(*field, "apiVersion") + ":" + path + ")");
  } else if (const json::value* amount = find(*from, "resourceFieldRef")) {
    out.field(3, name,
              amount_value(container, *amount) + " (" + text_at(*amount, "resource") + ")");
  } else if (const json::value* secret = find(*from, "secretKeyRef")) {
    out.field(3, name,
              "<set to the key '" + text_at(*secret, "key") + "' in secret '" +
                  text_at(*secret, "name") + "'>\tOptional: " + yes_no(*secret));
  } else if (const json::value* map = find(*from, "configMapKeyRef")) {
    out.field(3, name,
              "<set to the key '" + text_at(*map, "key") + "' of config map '" +
                  text_at(*map, "name") + "'>\tOptional: " + yes_no(*map));
  }
}

void write_environment(DescribeWriter& out, const json::value& container, const json::value* pod) {
  write_env_from(out, container);
  const json::array& env = get_array(container, "env");
  out.line(2, env.empty() ? "Environment:\t<none>" : "Environment:");
  for (const json::value& variable : env) write_variable(out, variable, container, pod);
}

void write_mounts(DescribeWriter& out, const json::value& container) {
  std::vector<const json::value*> mounts;
  for (const json::value& mount : get_array(container, "volumeMounts")) mounts.push_back(&mount);
  std::sort(mounts.begin(), mounts.end(), [](const json::value* a, const json::value* b) {
    return get_string(*a, "mountPath") < get_string(*b, "mountPath");
  });
  out.line(2, mounts.empty() ? "Mounts:\t<none>" : "Mounts:");
  for (const json::value* mount : mounts) {
    std::string flags = get_bool(*mount, "readOnly") ? "ro" : "rw";
    const std::string sub = text_at(*mount, "subPath");
    if (!sub.empty()) flags += ",path=" + quoted(sub);
    out.line(
        3, text_at(*mount, "mountPath") + " from " + text_at(*mount, "name") + " (" + flags + ")");
  }
}

}  // namespace

void write_containers(DescribeWriter& out, std::string_view label, const json::array& containers,
                      const json::array& statuses, std::string_view space, const json::value* pod) {
  out.line(0,
           std::string(space) + std::string(label) + ":" + (containers.empty() ? " <none>" : ""));
  for (const json::value& container : containers) {
    const std::string name = text_at(container, "name");
    const json::value* status = nullptr;
    for (const json::value& one : statuses) {
      if (text_at(one, "name") == name) status = &one;
    }
    out.line(1, (space.empty() ? "" : " ") + name + ":");
    if (status) out.field(2, "Container ID", text_at(*status, "containerID"));
    out.field(2, "Image", text_at(container, "image"));
    if (status) out.field(2, "Image ID", text_at(*status, "imageID"));
    write_ports(out, container);
    write_words(out, "Command", get_array(container, "command"));
    write_words(out, "Args", get_array(container, "args"));
    if (status) write_status(out, *status);
    write_amounts(out, "Limits", get_object(container, "resources.limits"));
    write_amounts(out, "Requests", get_object(container, "resources.requests"));
    write_probes(out, container);
    write_environment(out, container, pod);
    write_mounts(out, container);
  }
}

}  // namespace coracle::kubectl
