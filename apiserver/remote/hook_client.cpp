#include "apiserver/remote/hook_client.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// What Go's clients make of an answer that is no success: its Status' message, or a text for the
// code.
std::string refusal_text(const net::Response& response) {
  std::string body = response.body;
  for (const net::Bytes& chunk : response.chunks) body += *chunk;
  if (const auto status = parse_json(body);
      status.ok() && get_string(*status, "kind") == "Status") {
    const std::string_view message = get_string(*status, "message");
    if (!message.empty()) return std::string(message);
  }
  const std::string_view type = response.headers.get("content-type");
  const bool text = type.empty() || type.starts_with("text/");
  const std::string said = text && !trim(body).empty() ? std::string(trim(body)) : "unknown";
  switch (response.status) {
    case 400:
      return "the server rejected our request for an unknown reason";
    case 401:
      return "the server has asked for the client to provide credentials";
    case 403:
    case 406:
    case 415:
      return said;
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 409:
      return "the server reported a conflict";
    case 422:
      return "the server rejected our request due to an error in our request";
    case 429:
      return "the server has received too many requests and has asked us to try again later";
    case 503:
      return "the server is currently unable to handle the request";
    case 504:
      return "the server was unable to return a response in the time allotted, but may still be "
             "processing the request";
    default:
      break;
  }
  if (response.status >= 500) {
    return "an error on the server (" + quoted(said) +
           ") has prevented the request from succeeding";
  }
  return "the server responded with the status code " + std::to_string(response.status) +
         " but did not return more information";
}

}  // namespace

Result<HookConfig> HookConfig::parse(const json::value& client_config) {
  HookConfig out;
  ASSIGN_OR_RETURN(out.ca_pem, base64_decode(get_string(client_config, "caBundle")));
  if (!out.ca_pem.empty() && out.ca_pem.find("-----BEGIN") == std::string::npos) {
    return invalid_argument("unable to load root certificates: unable to parse bytes as PEM block");
  }
  if (const json::value* service = find(client_config, "service");
      service && service->is_object()) {
    out.by_service = true;
    out.service.ns = get_string(*service, "namespace");
    out.service.name = get_string(*service, "name");
    out.service.port = static_cast<int>(get_int(*service, "port", 443));
    out.path = get_string(*service, "path");
    return out;
  }
  ASSIGN_OR_RETURN(net::ClientConfig url,
                   net::ClientConfig::from_url(get_string(client_config, "url")));
  out.host = url.host;
  out.port = url.port;
  out.path = url.base_path;
  // from_url takes the slash off the end; a path keeps it.
  if (get_string(client_config, "url").ends_with('/')) out.path += '/';
  return out;
}

std::string HookConfig::url() const {
  const std::string& name = by_service ? service.server_name() : host;
  const int number = by_service ? service.port : port;
  const bool ipv6 = name.find(':') != std::string::npos;
  return "https://" + (ipv6 ? "[" + name + "]" : name) + ":" + std::to_string(number) + path;
}

Task<Result<json::value>> HookClient::post(HookConfig config, std::string review,
                                           Duration timeout) {
  const auto whole = std::chrono::ceil<std::chrono::seconds>(timeout).count();
  const std::string query =
      config.tells_timeout ? "?timeout=" + std::to_string(whole) + "s" : std::string();
  const std::string where = "Post " + quoted(config.url() + query) + ": ";
  RemoteServer server{config.host, config.port, config.server_name, config.ca_pem};
  server.insecure = config.insecure;
  server.cert_pem = config.cert_pem;
  server.key_pem = config.key_pem;
  if (config.by_service) {
    const auto route = route_to_service(feed_, rng_, config.service);
    if (!route.ok()) co_return unavailable(where + route.status().message());
    server.server_name = config.service.server_name();
    server.host = route->host;
    server.port = route->port;
  }
  if (remote_ == nullptr) co_return unavailable(where + "this server calls no webhooks");
  net::ClientRequest request;
  request.method = "POST";
  request.target = (config.path.empty() ? "/" : config.path) + query;
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json, */*"}};
  if (!config.authorization.empty()) request.headers.add("Authorization", config.authorization);
  request.body = std::move(review);
  request.timeout = timeout;
  request.repeatable = true;  // a question
  auto answer = co_await remote_->call(std::move(server), std::move(request));
  if (!answer.ok() && answer.status().code() == Code::kDeadlineExceeded) {
    co_return deadline_exceeded(where + "context deadline exceeded");
  }
  if (!answer.ok()) {
    const bool cut = answer.status().message().find("connection reset") != std::string::npos;
    co_return Status(cut ? Code::kAborted : Code::kUnavailable, where + answer.status().message());
  }
  if (answer->status < 200 || answer->status > 206) {
    const bool again = answer->status == 429 || answer->status == 500 || answer->status == 504 ||
                       answer->headers.has("retry-after");
    co_return Status(again ? Code::kAborted : Code::kUnavailable, refusal_text(*answer));
  }
  std::string body = std::move(answer->body);
  for (const net::Bytes& chunk : answer->chunks) body += *chunk;
  if (body.size() > kAnswerMax) co_return unavailable(where + "the answer is too large");
  auto tree = parse_json(body);
  if (!tree.ok() || !tree->is_object()) {
    co_return unavailable(
        "couldn't get version/kind; json parse error: " +
        (tree.ok() ? std::string("the answer is no object") : tree.status().message()));
  }
  co_return *std::move(tree);
}

}  // namespace coracle::apiserver
