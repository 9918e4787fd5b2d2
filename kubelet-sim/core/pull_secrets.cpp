#include "kubelet/pull_secrets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"

namespace coracle::kubelet {
namespace {

// "https://registry.example.com/v1/" -> "registry.example.com"
std::string host_of(std::string_view server) {
  if (const size_t scheme = server.find("://"); scheme != std::string_view::npos) {
    server.remove_prefix(scheme + 3);
  }
  const std::string host(server.substr(0, server.find('/')));
  return host == "index.docker.io" ? "docker.io" : host;
}

std::pair<std::string, std::string> login_of(const json::value& entry) {
  std::pair<std::string, std::string> login{get_string(entry, "username"),
                                            get_string(entry, "password")};
  if (!login.first.empty()) return login;
  const auto both = base64_decode(get_string(entry, "auth"));
  if (!both.ok()) return login;
  const size_t colon = both->find(':');
  if (colon == std::string::npos) return login;
  return {both->substr(0, colon), both->substr(colon + 1)};
}

}  // namespace

std::string registry_of(std::string_view reference) {
  const std::string_view host = reference.substr(0, reference.find('/'));
  const bool named = host.size() < reference.size() &&
                     (host.find('.') != std::string_view::npos ||
                      host.find(':') != std::string_view::npos || host == "localhost");
  return named ? std::string(host) : "docker.io";
}

Status may_pull(std::string_view reference, const ImageBehaviour& image, const Sources& sources) {
  if (image.credentials.empty()) return {};
  const std::string registry = registry_of(reference);
  for (const auto& [name, secret] : sources.secrets) {
    for (const char* key : {".dockerconfigjson", ".dockercfg"}) {
      const json::value* text = find_keys(secret, {"data", key});
      if (text == nullptr || !text->is_string()) continue;
      const auto config = parse_json(text->get_string());
      if (!config.ok() || !config->is_object()) continue;
      const json::value* auths = find_keys(*config, {"auths"});
      const json::value& servers = auths != nullptr ? *auths : *config;
      if (!servers.is_object()) continue;
      for (const auto& server : servers.get_object()) {
        if (host_of(server.key()) != registry) continue;
        const auto login = login_of(server.value());
        if (std::find(image.credentials.begin(), image.credentials.end(), login) !=
            image.credentials.end()) {
          return {};
        }
      }
    }
  }
  const ImageName parsed = parse_image(reference);
  const std::string full =
      fmt::format("{}{}:{}", registry == "docker.io" ? "docker.io/" : "", parsed.name, parsed.tag);
  return {
      Code::kPermissionDenied,
      fmt::format("failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": "
                  "pull access denied, repository does not exist or may require authorization: "
                  "server message: insufficient_scope: authorization failed",
                  full)};
}

}  // namespace coracle::kubelet
