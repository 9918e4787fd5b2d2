#include "kubelet/pod_environment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/quantity.hpp"
#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

std::string* value_of(Environment& environment, std::string_view name) {
  for (auto& [key, value] : environment) {
    if (key == name) return &value;
  }
  return nullptr;
}

void put(Environment* environment, const std::string& name, std::string value) {
  if (std::string* there = value_of(*environment, name)) {
    *there = std::move(value);
  } else {
    environment->emplace_back(name, std::move(value));
  }
}

const json::value* source_of(const std::map<std::string, json::value, std::less<>>& sources,
                             std::string_view name) {
  const auto found = sources.find(name);
  return found == sources.end() || found->second.is_null() ? nullptr : &found->second;
}

// A key of a ConfigMap (data, binaryData) or Secret (whose data the driver has decoded).
std::optional<std::string> data_of(const json::value& object, std::string_view key) {
  for (const char* field : {"data", "binaryData"}) {
    const json::value* value = find_keys(object, {field, key});
    if (value != nullptr && value->is_string()) return std::string(value->get_string());
  }
  return std::nullopt;
}

Result<std::optional<std::string>> by_key(const EnvironmentInput& in, const json::value& selector,
                                          bool secret) {
  const std::string_view name = get_string(selector, "name"), key = get_string(selector, "key");
  const bool optional = get_bool(selector, "optional");
  const json::value* source = source_of(secret ? in.sources.secrets : in.sources.config_maps, name);
  if (source == nullptr) {
    if (optional) return std::optional<std::string>();
    return failed_precondition(
        fmt::format("{} \"{}\" not found", secret ? "secret" : "configmap", name));
  }
  auto value = data_of(*source, key);
  if (!value && !optional) {
    return failed_precondition(fmt::format("couldn't find key {} in {} {}/{}", key,
                                           secret ? "Secret" : "ConfigMap",
                                           get_string(in.pod, "metadata.namespace"), name));
  }
  return value;
}

Status add_from(const EnvironmentInput& in, const json::value& from, Environment* out) {
  const std::string prefix(get_string(from, "prefix"));
  for (const bool secret : {false, true}) {
    const json::value* reference = find(from, secret ? "secretRef" : "configMapRef");
    if (reference == nullptr) continue;
    const std::string_view name = get_string(*reference, "name");
    const json::value* source =
        source_of(secret ? in.sources.secrets : in.sources.config_maps, name);
    if (source == nullptr) {
      if (get_bool(*reference, "optional")) continue;
      return failed_precondition(
          fmt::format("{} \"{}\" not found", secret ? "secret" : "configmap", name));
    }
    for (const auto& member : get_object(*source, "data")) {
      if (!member.value().is_string() || member.key().find('=') != std::string_view::npos) continue;
      put(out, prefix + std::string(member.key()), std::string(member.value().get_string()));
    }
  }
  return {};
}

std::string variable_name(std::string_view service) {
  std::string name;
  for (const char c : service) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

// As docker's links once were: NAME_SERVICE_HOST, NAME_PORT_80_TCP_ADDR and their kin.
Environment service_links(const EnvironmentInput& in) {
  Environment out;
  const bool all = get_bool(in.pod, "spec.enableServiceLinks", true);
  const std::string_view ns = get_string(in.pod, "metadata.namespace");
  for (const json::value& service : in.sources.services) {
    const std::string_view name = get_string(service, "metadata.name");
    const bool master =
        name == "kubernetes" && get_string(service, "metadata.namespace") == "default";
    if (!master && (!all || get_string(service, "metadata.namespace") != ns)) continue;
    const std::string ip(get_string(service, "spec.clusterIP"));
    const json::array& ports = get_array(service, "spec.ports");
    if (ip.empty() || ip == "None" || ports.empty()) continue;
    const std::string prefix = variable_name(name);
    put(&out, prefix + "_SERVICE_HOST", ip);
    put(&out, prefix + "_SERVICE_PORT", std::to_string(get_int(ports[0], "port")));
    for (const json::value& port : ports) {
      const std::string_view port_name = get_string(port, "name");
      if (port_name.empty()) continue;
      put(&out, prefix + "_SERVICE_PORT_" + variable_name(port_name),
          std::to_string(get_int(port, "port")));
    }
    for (size_t i = 0; i < ports.size(); ++i) {
      const std::string number = std::to_string(get_int(ports[i], "port"));
      const std::string protocol = to_lower(get_string(ports[i], "protocol", "TCP"));
      const std::string url = fmt::format("{}://{}:{}", protocol, ip, number);
      const std::string stem =
          fmt::format("{}_PORT_{}_{}", prefix, number, variable_name(protocol));
      if (i == 0) put(&out, prefix + "_PORT", url);
      put(&out, stem, url);
      put(&out, stem + "_PROTO", protocol);
      put(&out, stem + "_PORT", number);
      put(&out, stem + "_ADDR", ip);
    }
  }
  return out;
}

Result<std::optional<std::string>> value_from(const EnvironmentInput& in, const json::value& from) {
  if (const json::value* field = find(from, "fieldRef")) {
    ASSIGN_OR_RETURN(std::string text,
                     pod_field(in.pod, in.place, get_string(*field, "fieldPath")));
    return std::optional(std::move(text));
  }
  if (const json::value* resource = find(from, "resourceFieldRef")) {
    ASSIGN_OR_RETURN(std::string text, resource_field(in.pod, *resource, in.container, in.node));
    return std::optional(std::move(text));
  }
  if (const json::value* key = find(from, "configMapKeyRef")) return by_key(in, *key, false);
  if (const json::value* key = find(from, "secretKeyRef")) return by_key(in, *key, true);
  return std::optional<std::string>();
}

std::vector<std::string> strings(const json::value& spec, std::string_view key) {
  std::vector<std::string> out;
  for (const json::value& v : get_array(spec, key)) {
    if (v.is_string()) out.emplace_back(v.get_string());
  }
  return out;
}

}  // namespace

SourceNames environment_sources(const json::value& container) {
  SourceNames names;
  for (const json::value& from : get_array(container, "envFrom")) {
    if (const auto n = get_string(from, "configMapRef.name"); !n.empty()) {
      names.config_maps.emplace(n);
    }
    if (const auto n = get_string(from, "secretRef.name"); !n.empty()) names.secrets.emplace(n);
  }
  for (const json::value& env : get_array(container, "env")) {
    if (const auto n = get_string(env, "valueFrom.configMapKeyRef.name"); !n.empty()) {
      names.config_maps.emplace(n);
    }
    if (const auto n = get_string(env, "valueFrom.secretKeyRef.name"); !n.empty()) {
      names.secrets.emplace(n);
    }
  }
  return names;
}

Result<Environment> container_environment(const EnvironmentInput& in) {
  Environment out;
  for (const json::value& from : get_array(in.container, "envFrom")) {
    RETURN_IF_ERROR(add_from(in, from, &out));
  }
  const Environment links = service_links(in);
  for (const json::value& env : get_array(in.container, "env")) {
    const std::string name(get_string(env, "name"));
    if (const json::value* from = find(env, "valueFrom")) {
      ASSIGN_OR_RETURN(auto value, value_from(in, *from));
      if (value) put(&out, name, std::move(*value));
      continue;
    }
    Environment known = links;
    for (const auto& [key, value] : out) put(&known, key, value);
    put(&out, name, expand(get_string(env, "value"), known));
  }
  for (const auto& [name, value] : links) {
    if (value_of(out, name) == nullptr) out.emplace_back(name, value);
  }
  return out;
}

std::string expand(std::string_view text, const Environment& environment,
                   std::set<std::string>* missing) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const size_t end = text[i + 1] == '(' ? text.find(')', i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += text[i];
      continue;
    }
    const std::string_view name = text.substr(i + 2, end - i - 2);
    const auto found = std::find_if(environment.begin(), environment.end(),
                                    [&](const auto& pair) { return pair.first == name; });
    const bool there = found != environment.end() && !found->second.empty();
    if (missing != nullptr && !there) missing->emplace(name);
    out += found == environment.end() ? std::string(text.substr(i, end - i + 1)) : found->second;
    i = end;
  }
  return out;
}

std::vector<std::string> container_command(const json::value& container,
                                           const ImageBehaviour& image,
                                           const Environment& environment) {
  std::vector<std::string> command = strings(container, "command");
  std::vector<std::string> args = strings(container, "args");
  for (auto* list : {&command, &args}) {
    for (std::string& word : *list) word = expand(word, environment);
  }
  if (command.empty()) {
    command = image.entrypoint;
    if (args.empty()) args = image.cmd;
  }
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

Result<std::string> pod_field(const json::value& pod, const PodPlace& place,
                              std::string_view path) {
  if (path == "status.podIP" || path == "status.podIPs") return place.pod_ip;
  if (path == "status.hostIP" || path == "status.hostIPs") return place.host_ip;
  for (const char* known : {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
                            "spec.serviceAccountName"}) {
    if (path == known) return std::string(get_string(pod, path));
  }
  for (const std::string_view map : {"metadata.labels", "metadata.annotations"}) {
    const json::object& members = get_object(pod, map);
    if (path == map) {
      std::vector<std::string> lines;
      for (const auto& m : members) {
        if (!m.value().is_string()) continue;
        lines.push_back(fmt::format("{}={}", std::string_view(m.key()),
                                    quoted(std::string_view(m.value().get_string()))));
      }
      std::sort(lines.begin(), lines.end());
      return join(lines, "\n");
    }
    if (!path.starts_with(map) || path.size() < map.size() + 4) continue;
    const std::string_view key = path.substr(map.size() + 2, path.size() - map.size() - 4);
    const json::value* value = members.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  }
  return failed_precondition(fmt::format("unsupported fieldPath: {}", path));
}

Result<std::string> resource_field(const json::value& pod, const json::value& selector,
                                   const json::value& container, const NodeResources& node) {
  const json::value* of = &container;
  if (const auto name = get_string(selector, "containerName"); !name.empty()) {
    of = nullptr;
    for (const char* list : {"spec.containers", "spec.initContainers"}) {
      for (const json::value& c : get_array(pod, list)) {
        if (get_string(c, "name") == name) of = &c;
      }
    }
    if (of == nullptr) return failed_precondition(fmt::format("container {} not found", name));
  }
  const std::string_view resource = get_string(selector, "resource");
  const size_t dot = resource.find('.');
  const std::string_view kind = resource.substr(0, dot);
  const std::string_view name =
      dot == std::string_view::npos ? std::string_view() : resource.substr(dot + 1);
  const json::value* given = find_keys(*of, {"resources", kind, name});
  if (given == nullptr && kind == "requests") given = find_keys(*of, {"resources", "limits", name});
  std::string text;
  if (given != nullptr && given->is_string()) {
    text = std::string(given->get_string());
  } else if (kind == "limits") {
    text = name == "cpu" ? node.cpu : name == "memory" ? node.memory : node.ephemeral_storage;
  } else {
    text = "0";
  }
  const std::string divisor_text(get_string(selector, "divisor", "1"));
  ASSIGN_OR_RETURN(const api::Quantity amount, api::Quantity::parse(text));
  ASSIGN_OR_RETURN(const api::Quantity divisor,
                   api::Quantity::parse(divisor_text == "0" ? "1" : divisor_text));
  const bool cpu = name == "cpu";
  const std::int64_t whole = cpu ? amount.milli_value() : amount.value();
  const std::int64_t unit =
      std::max<std::int64_t>(1, cpu ? divisor.milli_value() : divisor.value());
  return std::to_string((whole + unit - 1) / unit);
}

}  // namespace coracle::kubelet
