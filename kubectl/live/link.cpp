#include "live/link.hpp"

#include <fstream>
#include <sstream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "client/resource.hpp"

namespace coracle::kubectl {

Status Link::use(const client::ClientConfig& config) {
  if (config.servers.empty()) return invalid_argument("no server is given");
  ASSIGN_OR_RETURN(net::ClientConfig wire, net::ClientConfig::from_url(config.servers[0]));
  wire.ca_pem = config.ca_pem;
  wire.cert_pem = config.cert_pem;
  wire.key_pem = config.key_pem;
  wire.server_name = config.tls_server_name;
  wire.insecure_skip_verify = config.insecure_skip_tls_verify;
  wire.bearer_token = config.token;
  if (!config.token_file.empty()) {
    std::ifstream file(config.token_file);
    std::stringstream text;
    text << file.rdbuf();
    if (const std::string token(trim(text.str())); !token.empty()) wire.bearer_token = token;
  }
  wire.user_agent = "kubectl";
  ASSIGN_OR_RETURN(client_, net::Client::create(executor_, std::move(wire)));
  if (!config.username.empty()) {
    headers_.add("Authorization",
                 "Basic " + base64_encode(config.username + ":" + config.password));
  }
  if (!config.impersonate_user.empty()) {
    headers_.add("Impersonate-User", config.impersonate_user);
  }
  for (const std::string& group : config.impersonate_groups) {
    headers_.add("Impersonate-Group", group);
  }
  return {};
}

net::ClientRequest Link::request(std::string method, std::string target) const {
  net::ClientRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = headers_;
  return request;
}

client::ApiError upgrade_error(const Status& status, const net::Response& answer) {
  if (answer.status == 0) return client::error_from_no_answer(status);
  client::ApiResponse response;
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers) {
    response.headers.emplace_back(to_lower(name), value);
  }
  response.body = answer.body;
  return client::error_from_response(response);
}

}  // namespace coracle::kubectl
