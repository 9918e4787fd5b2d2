#include "apiserver/server/live_backends.hpp"

#include "apiserver/registry/codec.hpp"
#include "apiserver/server/proxy_rewrite.hpp"
#include "base/strings.hpp"
#include "net_streams/forward.hpp"

namespace coracle::apiserver {

namespace {

// What went wrong on the way, not with the request: a Status without a reason, as upstream's.
net::Response broken_way(const std::string& message) {
  api::ApiError error = api::internal_api_error(message);
  error.status.as_object()["message"] = message;
  error.status.as_object().erase("reason");
  error.status.as_object().erase("details");
  return reply_error({}, error);
}

// A kubelet's plain text as a Status.
net::Response kubelet_refusal(net::Response answer) {
  std::string text(trim(answer.body));
  if (answer.status == 500) return reply_error({}, api::internal_api_error(text));
  api::ApiError error = answer.status == 404   ? api::not_found_error({}, "")
                        : answer.status == 401 ? api::unauthorized_error()
                        : answer.status == 403 ? api::forbidden_error({}, "", "")
                                               : api::bad_request_error("");
  error.http_code = answer.status;
  error.status.as_object()["message"] = std::move(text);
  error.status.as_object()["code"] = answer.status;
  return reply_error({}, error);
}

std::string host_port(const Backend& backend) {
  const bool six = backend.host.find(':') != std::string::npos;
  return (six ? "[" + backend.host + "]" : backend.host) + ":" + std::to_string(backend.port);
}

}  // namespace

Result<std::shared_ptr<net::Client>> LiveBackends::client(const Backend& backend) {
  const bool kubelet = backend.kind == Backend::Kind::kKubelet;
  const std::string key = host_port(backend);
  if (const auto known = kubelets_.find(key); kubelet && known != kubelets_.end()) {
    return known->second;
  }
  net::ClientConfig config;
  config.host = backend.host;
  config.port = static_cast<std::uint16_t>(backend.port);
  config.tls = backend.kind != Backend::Kind::kPlain;
  config.insecure_skip_verify = true;
  config.user_agent = "coracle-apiserver";
  if (kubelet) {
    config.ca_pem = credentials_.ca_pem;
    config.cert_pem = credentials_.cert_pem;
    config.key_pem = credentials_.key_pem;
    config.insecure_skip_verify = credentials_.ca_pem.empty();
  }
  ASSIGN_OR_RETURN(auto made, net::Client::create(executor_, std::move(config)));
  std::shared_ptr<net::Client> out = std::move(made);
  if (!kubelet) return out;
  if (kubelets_.size() >= kClientsMax) kubelets_.clear();  // those in use are held by their calls
  kubelets_[key] = out;
  return out;
}

void LiveBackends::connect(BackendCall call) {
  auto made = client(call.backend);
  if (!made.ok()) return call.exchange->respond(broken_way(made.status().message()));
  const bool kubelet = call.backend.kind == Backend::Kind::kKubelet && call.prefix.empty();
  net::Forwarding forwarding;
  forwarding.client = *std::move(made);
  forwarding.exchange = call.exchange;
  if (kubelet) {
    forwarding.on_refusal = kubelet_refusal;
    const std::string url = "https://" + host_port(call.backend) + call.request.target;
    forwarding.on_failure = [url, upgrade = call.upgrade](const Status& status) {
      return broken_way(upgrade ? "error dialing backend: " + status.message()
                                : "Get " + quoted(url) + ": " + status.message());
    };
  } else {
    forwarding.on_head = [rewrite =
                              ProxyRewrite{call.prefix, host_port(call.backend), call.client_host}](
                             net::Response& head) { return rewrite.apply(head); };
    forwarding.on_failure = [](const Status& status) {
      return reply_error(
          {}, api::service_unavailable_error("error trying to reach service: " + status.message()));
    };
  }
  forwarding.request = std::move(call.request);
  if (call.upgrade) return net::forward_upgrade(executor_, std::move(forwarding));
  net::forward(executor_, std::move(forwarding));
}

}  // namespace coracle::apiserver
