#include "live/http_extenders.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace coracle::scheduler {
namespace {

Status read_if_named(const std::string& file, std::string* out) {
  if (file.empty() || !out->empty()) return {};
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return invalid_argument(fmt::format("open {}: cannot be read", file));
  *out = text.str();
  return {};
}

Result<net::ClientConfig> client_config(const ExtenderConfig& extender) {
  ASSIGN_OR_RETURN(net::ClientConfig config, net::ClientConfig::from_url(extender.url_prefix));
  config.base_path.clear();  // urls are made of the whole prefix
  config.ca_pem = extender.ca_pem;
  config.cert_pem = extender.cert_pem;
  config.key_pem = extender.key_pem;
  RETURN_IF_ERROR(read_if_named(extender.ca_file, &config.ca_pem));
  RETURN_IF_ERROR(read_if_named(extender.cert_file, &config.cert_pem));
  RETURN_IF_ERROR(read_if_named(extender.key_file, &config.key_pem));
  config.server_name = extender.server_name;
  // As upstream: enableHTTPS without a CA takes the server's word for it.
  config.insecure_skip_verify =
      extender.insecure || (extender.enable_https && config.ca_pem.empty());
  config.request_timeout = extender.timeout;
  config.user_agent = "kube-scheduler";
  return config;
}

// The path and query of a URL.
std::string target_of(std::string_view url) {
  const size_t host = url.find("://") + 3;
  const size_t path = url.find('/', host);
  return path == std::string_view::npos ? "/" : std::string(url.substr(path));
}

}  // namespace

Result<std::unique_ptr<HttpExtenders>> HttpExtenders::create(
    net::AsioExecutor& executor, const std::vector<ExtenderConfig>& configs) {
  std::unique_ptr<HttpExtenders> all(new HttpExtenders());
  for (size_t i = 0; i < configs.size(); ++i) {
    const std::string at = fmt::format("extenders[{}]", i);
    auto config = client_config(configs[i]);
    if (!config.ok()) return config.status().with_context(at);
    auto client = net::Client::create(executor, std::move(*config));
    if (!client.ok()) return client.status().with_context(at);
    all->clients_[configs[i].url_prefix] = std::move(*client);
  }
  return all;
}

Task<Result<ExtenderPort::Answer>> HttpExtenders::post(const ExtenderConfig& extender,
                                                       std::string url, std::string body) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = target_of(url);
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  request.repeatable = true;
  auto answer = co_await clients_.at(extender.url_prefix)->request(std::move(request));
  if (!answer.ok()) co_return answer.status();
  co_return Answer{answer->status, std::move(answer->body)};
}

}  // namespace coracle::scheduler
