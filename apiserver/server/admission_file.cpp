#include "apiserver/server/admission_file.hpp"

#include <fstream>
#include <sstream>

#include "base/encoding.hpp"
#include "client/kubeconfig.hpp"
#include "net/client.hpp"

namespace coracle::apiserver {

namespace {

constexpr const char* kFlag = "--admission-control-config-file";

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return not_found("open " + path + ": no such file or directory");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<HookConfig> target_of(const std::string& kubeconfig) {
  ASSIGN_OR_RETURN(const client::Kubeconfig file, client::Kubeconfig::load(kubeconfig, "", ""));
  ASSIGN_OR_RETURN(const client::ClientConfig found, file.resolve());
  if (found.servers.size() != 1) return invalid_argument("no server in " + kubeconfig);
  if (!found.servers[0].starts_with("https://")) {
    return invalid_argument("server " + found.servers[0] + ": must begin with https://");
  }
  ASSIGN_OR_RETURN(const net::ClientConfig url, net::ClientConfig::from_url(found.servers[0]));
  HookConfig out;
  out.host = url.host;
  out.port = url.port;
  out.path = url.base_path;
  out.ca_pem = found.ca_pem;
  out.server_name = found.tls_server_name;
  out.cert_pem = found.cert_pem;
  out.key_pem = found.key_pem;
  out.insecure = found.insecure_skip_tls_verify;
  out.tells_timeout = false;
  std::string token = found.token;
  if (!found.token_file.empty()) {
    ASSIGN_OR_RETURN(token, read_file(found.token_file));
    token.erase(token.find_last_not_of(" \n\r\t") + 1);
  }
  if (!token.empty()) {
    out.authorization = "Bearer " + token;
  } else if (!found.username.empty()) {
    out.authorization = "Basic " + base64_encode(found.username + ":" + found.password);
  }
  return out;
}

}  // namespace

Result<AdmissionConfig> load_admission(const AdmissionFlags& flags) {
  AdmissionConfig out;
  RETURN_IF_ERROR(out.choose(flags.enable, flags.disable));
  if (!flags.config_file.empty()) {
    const auto named = [&](const Status& status) {
      return invalid_argument(std::string(kFlag) + " " + flags.config_file + ": " +
                              status.message());
    };
    const auto text = read_file(flags.config_file);
    if (!text.ok()) return named(text.status());
    if (const Status read = out.read(*text, flags.config_file, read_file); !read.ok()) {
      return named(read);
    }
    if (out.image_policy) {
      auto target = target_of(out.image_policy->kubeconfig_file);
      if (!target.ok()) {
        return named(invalid_argument("plugin ImagePolicyWebhook: kubeConfigFile " +
                                      out.image_policy->kubeconfig_file + ": " +
                                      target.status().message()));
      }
      out.image_policy->target = *std::move(target);
    }
  }
  if (out.is_on("ImagePolicyWebhook") && !out.image_policy) {
    return invalid_argument(
        "--enable-admission-plugins: ImagePolicyWebhook: no config specified: " +
        std::string(kFlag) + " is to say whom to ask");
  }
  return out;
}

}  // namespace coracle::apiserver
