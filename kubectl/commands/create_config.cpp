// create configmap, secret generic, secret docker-registry, secret tls
#include <algorithm>
#include <filesystem>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "kubectl/manifest.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;
namespace fs = std::filesystem;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What is made: a ConfigMap or a Secret, and its name.
struct Noun {
  std::string name, owner;
};

Status add_pair(Pairs& pairs, const std::string& key, std::string value, const Noun& kind) {
  if (!api::check_config_map_key(key).empty()) {
    const std::string why = api::check_config_map_key(key).front();
    return fail(coracle::quoted(key) + (kind.name == "Secret"
                                            ? " is not valid key name for a Secret " + why
                                            : " is not a valid key name for a ConfigMap: " + why));
  }
  for (const auto& [known, unused] : pairs) {
    if (known == key) {
      if (kind.name == "Secret") {
        return fail("cannot add key " + key + ", another key by that name already exists");
      }
      return fail("cannot add key " + coracle::quoted(key) +
                  ", another key by that name already exists in Data for ConfigMap " +
                  coracle::quoted(kind.owner));
    }
  }
  pairs.emplace_back(key, std::move(value));
  return {};
}

Status add_file(Pairs& pairs, const std::string& spec, const Noun& kind) {
  const size_t equals = spec.find('=');
  const std::string path = equals == spec.npos ? spec : spec.substr(equals + 1);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    if (equals != spec.npos) {
      return fail("cannot give a key name for a directory path");
    }
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.is_regular_file(error)) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      ASSIGN_OR_RETURN(std::string text, read_file(file));
      RETURN_IF_ERROR(add_pair(pairs, fs::path(file).filename().string(), std::move(text), kind));
    }
    return {};
  }
  if (!fs::exists(path, error)) {
    return fail("error reading " + path + ": no such file or directory");
  }
  ASSIGN_OR_RETURN(std::string text, read_file(path));
  const std::string key =
      equals == spec.npos ? fs::path(path).filename().string() : spec.substr(0, equals);
  return add_pair(pairs, key, std::move(text), kind);
}

Status add_env_file(Pairs& pairs, const std::string& path, const Noun& kind) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  for (const std::string& raw : split(text, '\n')) {
    std::string line(trim(raw));
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = line.find('=');
    const std::string key = line.substr(0, equals);
    const char* from_environment = equals == line.npos ? std::getenv(key.c_str()) : nullptr;
    if (equals == line.npos && !from_environment) continue;
    RETURN_IF_ERROR(add_pair(
        pairs, key, equals == line.npos ? from_environment : line.substr(equals + 1), kind));
  }
  return {};
}

Result<Pairs> read_pairs(const Invocation& call, const Noun& kind) {
  Pairs pairs;
  const auto literals = call.flags.list("from-literal");
  const auto files = call.flags.list("from-file");
  const auto env_files = call.flags.list("from-env-file");
  if (!env_files.empty() && (!literals.empty() || !files.empty())) {
    return fail("from-env-file cannot be combined with from-file or from-literal");
  }
  for (const std::string& literal : literals) {
    const size_t equals = literal.find('=');
    if (equals == literal.npos || equals == 0) {
      return fail("invalid literal source " + literal + ", expected key=value");
    }
    std::string value = literal.substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.front() == value.back()) {
      value = value.substr(1, value.size() - 2);
    }
    RETURN_IF_ERROR(add_pair(pairs, literal.substr(0, equals), std::move(value), kind));
  }
  for (const std::string& file : files) RETURN_IF_ERROR(add_file(pairs, file, kind));
  for (const std::string& file : env_files) RETURN_IF_ERROR(add_env_file(pairs, file, kind));
  return pairs;
}

Status create_configmap(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  ASSIGN_OR_RETURN(const Pairs pairs, read_pairs(call, {"ConfigMap", name}));
  json::value object = new_object("v1", "ConfigMap", name);
  json::object data, binary;
  for (const auto& [key, value] : pairs) {
    if (is_utf8(value)) {
      data[key] = value;
    } else {
      binary[key] = base64_encode(value);
    }
  }
  if (!data.empty()) object.as_object()["data"] = std::move(data);
  if (!binary.empty()) object.as_object()["binaryData"] = std::move(binary);
  return create_object(call, std::move(object), "failed to create configmap");
}

json::value new_secret(const std::string& name, const std::string& type, const Pairs& pairs) {
  json::value object = new_object("v1", "Secret", name);
  json::object data;
  for (const auto& [key, value] : pairs) data[key] = base64_encode(value);
  if (!data.empty()) object.as_object()["data"] = std::move(data);
  if (!type.empty()) object.as_object()["type"] = type;
  return object;
}

Status create_generic_secret(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  ASSIGN_OR_RETURN(const Pairs pairs, read_pairs(call, {"Secret", name}));
  return create_object(call, new_secret(name, call.flags.get("type"), pairs),
                       "failed to create secret");
}

Status create_docker_secret(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  Pairs pairs;
  const auto files = call.flags.list("from-file");
  if (!files.empty()) {
    for (const std::string& file : files) RETURN_IF_ERROR(add_file(pairs, file, {"Secret", name}));
  } else {
    const std::string user = call.flags.get("docker-username");
    const std::string password = call.flags.get("docker-password");
    if (user.empty() || password.empty()) {
      return fail(
          "either --from-file or the combination of --docker-username, "
          "--docker-password and --docker-server is required");
    }
    json::object entry;
    entry["username"] = user;
    entry["password"] = password;
    if (!call.flags.get("docker-email").empty()) entry["email"] = call.flags.get("docker-email");
    entry["auth"] = base64_encode(user + ":" + password);
    json::object auths, config;
    auths[call.flags.get("docker-server")] = std::move(entry);
    config["auths"] = std::move(auths);
    pairs.emplace_back(".dockerconfigjson", to_json(json::value(std::move(config))));
  }
  return create_object(call, new_secret(name, "kubernetes.io/dockerconfigjson", pairs),
                       "failed to create secret");
}

Status create_tls_secret(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  for (const char* flag : {"cert", "key"}) {
    if (call.flags.get(flag).empty()) {
      return fail("required flag(s) " + coracle::quoted(flag) + " not set");
    }
  }
  Pairs pairs;
  for (const auto& [flag, entry] : {std::pair{"cert", "tls.crt"}, std::pair{"key", "tls.key"}}) {
    const std::string path = call.flags.get(flag);
    std::error_code error;
    if (!fs::exists(path, error)) {
      return fail("Cannot read file " + path + ", open " + path + ": no such file or directory");
    }
    ASSIGN_OR_RETURN(std::string text, read_file(path));
    pairs.emplace_back(entry, std::move(text));
  }
  return create_object(call, new_secret(name, "kubernetes.io/tls", pairs),
                       "failed to create secret");
}

void add_source_flags(std::vector<text::FlagSpec>& flags) {
  flags.push_back({"from-literal", 0, FlagType::kArray, "", "key=value; may be repeated"});
  flags.push_back({"from-file", 0, FlagType::kList, "", "[key=]file or a directory"});
  flags.push_back({"from-env-file", 0, FlagType::kList, "", "File of key=value lines"});
  flags.push_back({"append-hash", 0, FlagType::kBool, "false", "Not supported"});
}

}  // namespace

std::vector<Command> create_config_commands() {
  Command configmap{.name = "create configmap",
                    .usage = "NAME [--from-literal=K=V] [--from-file=F]",
                    .summary = "Create a config map",
                    .examples = "  kubectl create configmap app --from-literal=mode=test\n",
                    .flags = create_flags(),
                    .run = create_configmap,
                    .aliases = {"cm"}};
  add_source_flags(configmap.flags);
  Command group{.name = "create secret",
                .usage = "(generic | docker-registry | tls)",
                .summary = "Create a secret by a subcommand"};
  Command generic{.name = "create secret generic",
                  .usage = "NAME [--from-literal=K=V]",
                  .summary = "Create a secret from literals and files",
                  .examples = "  kubectl create secret generic db --from-literal=password=x\n",
                  .flags = create_flags(),
                  .run = create_generic_secret};
  add_source_flags(generic.flags);
  generic.flags.push_back({"type", 0, FlagType::kString, "", "The secret's type"});
  Command docker{.name = "create secret docker-registry",
                 .usage = "NAME --docker-username=U ...",
                 .summary = "Create a secret for an image registry",
                 .examples =
                     "  kubectl create secret docker-registry reg "
                     "--docker-server=https://reg --docker-username=u "
                     "--docker-password=p\n",
                 .flags = create_flags(),
                 .run = create_docker_secret};
  for (const char* flag : {"docker-username", "docker-password", "docker-email"}) {
    docker.flags.push_back({flag, 0, FlagType::kString, "", "As its name says"});
  }
  docker.flags.push_back({"docker-server", 0, FlagType::kString, "https://index.docker.io/v1/",
                          "The registry's address"});
  docker.flags.push_back({"from-file", 0, FlagType::kList, "", "[key=]file"});
  Command tls{.name = "create secret tls",
              .usage = "NAME --cert=FILE --key=FILE",
              .summary = "Create a secret of a certificate and its key",
              .examples = "  kubectl create secret tls web --cert=web.crt --key=web.key\n",
              .flags = create_flags(),
              .run = create_tls_secret};
  tls.flags.push_back({"cert", 0, FlagType::kString, "", "PEM file of the certificate"});
  tls.flags.push_back({"key", 0, FlagType::kString, "", "PEM file of the key"});
  return {configmap, group, generic, docker, tls};
}

}  // namespace coracle::kubectl
