#include "client/kubeconfig.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "client/kubeconfig_entries.hpp"

namespace coracle::client {
namespace {

json::value empty_config() {
  json::object config;
  config["apiVersion"] = "v1";
  config["clusters"] = json::array();
  config["contexts"] = json::array();
  config["current-context"] = "";
  config["kind"] = "Config";
  config["preferences"] = json::object();
  config["users"] = json::array();
  return config;
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// Paths in a kubeconfig are relative to it.
void make_paths_absolute(json::value& tree, const std::string& path) {
  const std::string dir = directory_of(path);
  if (dir.empty()) return;
  for (const auto& [section, field] : kPathFields) {
    for (json::value& named : entry_array(tree, section)) {
      json::object* inner = inner_object(named, section);
      json::value* value = inner ? find_member(*inner, field) : nullptr;
      if (!value || !value->is_string() || value->as_string().empty()) continue;
      if (value->as_string().front() == '/') continue;
      *value = json::string(dir + std::string(value->as_string()));
    }
  }
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return not_found("open " + path + ": no such file or directory");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<json::value> parse_tree(const std::string& text, const std::string& path) {
  auto documents = parse_yaml(text);
  if (!documents.ok()) {
    return invalid_argument("error loading config file \"" + path +
                            "\": " + documents.status().message());
  }
  if (documents->empty()) return empty_config();
  json::value tree = std::move(documents->front().value);
  if (tree.is_null()) return empty_config();
  if (!tree.is_object()) {
    return invalid_argument("error loading config file \"" + path +
                            "\": couldn't get version/kind; json parse error");
  }
  return tree;
}

// Data in the file wins over a path, as kubectl has it.
Result<std::string> data_or_file(const json::object* object, const char* data_field,
                                 const char* file_field, const std::string& what) {
  if (!object) return std::string();
  const json::value whole = *object;
  const std::string data(get_string(whole, data_field));
  if (!data.empty()) {
    auto decoded = base64_decode(data);
    if (!decoded.ok()) return decoded.status().with_context(what + " " + data_field);
    return *decoded;
  }
  const std::string path(get_string(whole, file_field));
  if (path.empty()) return std::string();
  auto text = read_file(path);
  if (!text.ok()) {
    return invalid_argument("unable to read " + std::string(file_field) + " " + path + " for " +
                            what + " due to " + text.status().message());
  }
  return *text;
}

Status read_if_given(const std::string& path, const char* what, const std::string& of,
                     std::string* into) {
  if (path.empty()) return {};
  auto text = read_file(path);
  if (!text.ok()) {
    return invalid_argument("unable to read " + std::string(what) + " " + path + " for " + of +
                            " due to " + text.status().message());
  }
  *into = std::move(*text);
  return {};
}

std::string or_else(const std::string& first, std::string_view second) {
  return first.empty() ? std::string(second) : first;
}

}  // namespace

Result<Kubeconfig> Kubeconfig::load(const std::string& explicit_path, const std::string& env,
                                    const std::string& home) {
  std::vector<std::string> paths;
  if (!explicit_path.empty()) {
    paths = {explicit_path};
  } else {
    for (const std::string& path : split(env, ':')) {
      if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) {
        paths.push_back(path);
      }
    }
    if (paths.empty()) paths.push_back(home + "/.kube/config");
  }
  Kubeconfig config;
  for (const std::string& path : paths) {
    File file{.path = path, .tree = empty_config()};
    if (auto text = read_file(path); text.ok()) {
      ASSIGN_OR_RETURN(file.tree, parse_tree(*text, path));
      file.exists = true;
    } else if (!explicit_path.empty()) {
      return not_found("stat " + path + ": no such file or directory");
    }
    config.files_.push_back(std::move(file));
  }
  config.merge();
  return config;
}

Result<Kubeconfig> Kubeconfig::load_default(const std::string& explicit_path) {
  const char* env = std::getenv("KUBECONFIG");
  const char* home = std::getenv("HOME");
  return load(explicit_path, env ? env : "", home ? home : "");
}

Result<Kubeconfig> Kubeconfig::parse(std::string_view text, const std::string& path) {
  Kubeconfig config;
  File file{.path = path, .exists = true};
  ASSIGN_OR_RETURN(file.tree, parse_tree(std::string(text), path));
  config.files_.push_back(std::move(file));
  config.merge();
  return config;
}

void Kubeconfig::merge() {
  merged_ = empty_config();
  json::object& whole = merged_.as_object();
  for (const char* section : kSections) {
    std::map<std::string, json::value> by_name;  // the first file to name a thing wins
    for (const File& file : files_) {
      json::value tree = file.tree;
      make_paths_absolute(tree, file.path);
      for (const json::value& named : entry_array(tree, section)) {
        by_name.emplace(std::string(get_string(named, "name")), named);
      }
    }
    json::array& all = whole[section].emplace_array();
    for (auto& [name, named] : by_name) all.push_back(std::move(named));
  }
  for (const File& file : files_) {
    const std::string_view current = get_string(file.tree, "current-context");
    if (get_string(merged_, "current-context").empty() && !current.empty()) {
      whole["current-context"] = current;
    }
    for (const auto& [key, value] : get_object(file.tree, "preferences")) {
      whole["preferences"].as_object().emplace(key, value);
    }
  }
}

std::string Kubeconfig::current_context() const {
  return std::string(get_string(merged_, "current-context"));
}

const json::object* Kubeconfig::entry(const std::string& section, const std::string& name) const {
  return find_entry(merged_, section, name);
}

bool Kubeconfig::has(const std::string& section, const std::string& name) const {
  for (const json::value& named : get_array(merged_, section)) {
    if (get_string(named, "name") == name) return true;
  }
  return false;
}

std::vector<std::string> Kubeconfig::names(const std::string& section) const {
  std::vector<std::string> names;
  for (const json::value& named : get_array(merged_, section)) {
    names.emplace_back(get_string(named, "name"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

Status read_cluster(const json::object* cluster, const std::string& name,
                    const ConfigOverrides& overrides, ClientConfig& config) {
  const json::value whole = cluster ? json::value(*cluster) : json::value(json::object());
  const std::string server = or_else(overrides.server, get_string(whole, "server"));
  if (!server.empty()) config.servers = {server};
  config.tls_server_name = or_else(overrides.tls_server_name, get_string(whole, "tls-server-name"));
  config.insecure_skip_tls_verify =
      overrides.insecure_skip_tls_verify || get_bool(whole, "insecure-skip-tls-verify");
  if (!overrides.certificate_authority.empty()) {
    RETURN_IF_ERROR(read_if_given(overrides.certificate_authority, "certificate-authority", name,
                                  &config.ca_pem));
  } else if (!overrides.insecure_skip_tls_verify) {
    ASSIGN_OR_RETURN(config.ca_pem, data_or_file(cluster, "certificate-authority-data",
                                                 "certificate-authority", name));
  }
  if (config.insecure_skip_tls_verify && !config.ca_pem.empty()) {
    return invalid_argument(
        "specifying a root certificates file with the insecure flag is not allowed");
  }
  return {};
}

Status read_user(const json::object* user, const std::string& name,
                 const ConfigOverrides& overrides, ClientConfig& config) {
  const json::value whole = user ? json::value(*user) : json::value(json::object());
  if (!overrides.client_certificate.empty()) {
    RETURN_IF_ERROR(
        read_if_given(overrides.client_certificate, "client-cert", name, &config.cert_pem));
    RETURN_IF_ERROR(read_if_given(overrides.client_key, "client-key", name, &config.key_pem));
  } else {
    ASSIGN_OR_RETURN(config.cert_pem,
                     data_or_file(user, "client-certificate-data", "client-certificate", name));
    ASSIGN_OR_RETURN(config.key_pem, data_or_file(user, "client-key-data", "client-key", name));
  }
  if (config.cert_pem.empty() != config.key_pem.empty()) {
    return invalid_argument(config.key_pem.empty()
                                ? "client-key-data or client-key must be specified for " + name +
                                      " to use the clientCert authentication method."
                                : "tls: failed to find any PEM data in certificate input");
  }
  config.token = or_else(overrides.token, get_string(whole, "token"));
  if (overrides.token.empty()) config.token_file = get_string(whole, "tokenFile");
  config.username = or_else(overrides.username, get_string(whole, "username"));
  config.password = or_else(overrides.password, get_string(whole, "password"));
  config.impersonate_user = or_else(overrides.as_user, get_string(whole, "as"));
  config.impersonate_groups = overrides.as_groups;
  if (overrides.as_groups.empty()) {
    for (const json::value& group : get_array(whole, "as-groups")) {
      if (group.is_string()) config.impersonate_groups.emplace_back(group.as_string());
    }
  }
  return {};
}

}  // namespace

Result<ClientConfig> Kubeconfig::resolve(const ConfigOverrides& overrides) const {
  ClientConfig config;
  config.context = or_else(overrides.context, current_context());
  const json::object* context = entry("contexts", config.context);
  if (!config.context.empty() && !context) {
    return invalid_argument("context was not found for specified context: " + config.context);
  }
  const json::value whole = context ? json::value(*context) : json::value(json::object());
  config.cluster = or_else(overrides.cluster, get_string(whole, "cluster"));
  config.user = or_else(overrides.user, get_string(whole, "user"));
  config.namespace_name = or_else(overrides.namespace_name, get_string(whole, "namespace"));
  if (config.namespace_name.empty()) config.namespace_name = "default";
  const json::object* cluster = entry("clusters", config.cluster);
  const json::object* user = entry("users", config.user);
  if (!config.cluster.empty() && !cluster) {
    return invalid_argument(overrides.cluster.empty()
                                ? "cluster \"" + config.cluster + "\" does not exist"
                                : "no cluster named \"" + config.cluster + "\" exists");
  }
  if (!config.user.empty() && !user) {
    return invalid_argument("auth info \"" + config.user + "\" does not exist");
  }
  RETURN_IF_ERROR(read_cluster(cluster, config.cluster, overrides, config));
  RETURN_IF_ERROR(read_user(user, config.user, overrides, config));
  if (config.servers.empty()) config.servers = {"http://localhost:8080"};  // kubectl's last resort
  return config;
}

}  // namespace coracle::client
