#include "apiserver/server/kubelet_proxy.hpp"

#include "apiserver/registry/codec.hpp"

namespace coracle::apiserver {

namespace {

// One answer on its way. The exchange's on_close keeps it alive; finish() lets go.
struct Pipe {
  std::shared_ptr<net::Exchange> exchange;
  std::unique_ptr<net::StreamHandle> handle;
  bool started = false;
  bool refused = false;  // the kubelet answered an error: collected, then sent as a Status
  int code = 200;
  std::string error_text;

  void finish() {
    if (handle) handle->cancel();
    exchange.reset();
  }
};

void on_head(const std::shared_ptr<Pipe>& pipe, const net::Response& head) {
  if (!pipe->exchange) return;
  pipe->code = head.status;
  if (head.status >= 400) {
    pipe->refused = true;
    return;
  }
  net::Headers headers;
  const std::string_view type = head.headers.get("content-type");
  headers.add("Content-Type", std::string(type.empty() ? "text/plain" : type));
  pipe->exchange->begin_stream(head.status, std::move(headers));
  pipe->started = true;
}

void on_data(const std::shared_ptr<Pipe>& pipe, std::string_view bytes) {
  if (!pipe->exchange) return;
  if (pipe->refused) {
    pipe->error_text.append(bytes);
    return;
  }
  pipe->exchange->write(net::make_bytes(std::string(bytes)));
  if (pipe->exchange->queued_bytes() > KubeletProxy::kBacklogMax) pipe->exchange->abort();
}

void on_end(const std::shared_ptr<Pipe>& pipe, const Status& status) {
  if (!pipe->exchange) return;
  const auto exchange = std::move(pipe->exchange);
  if (pipe->started) {
    return status.ok() ? exchange->end() : exchange->abort();
  }
  api::ApiError error = api::internal_api_error(status.message());
  if (pipe->refused) {
    while (pipe->error_text.ends_with('\n')) pipe->error_text.pop_back();
    error = pipe->code == 404 ? api::not_found_error({}, "") : api::bad_request_error("");
    error.http_code = pipe->code;
    error.status.as_object()["message"] = pipe->error_text;
    error.status.as_object()["code"] = pipe->code;
  }
  exchange->respond(reply_error({}, error));
}

}  // namespace

Result<net::Client*> KubeletProxy::client(const std::string& host, int port) {
  const std::string key = host + ":" + std::to_string(port);
  if (const auto known = clients_.find(key); known != clients_.end()) return known->second.get();
  net::ClientConfig config;
  config.host = host;
  config.port = static_cast<std::uint16_t>(port);
  config.ca_pem = credentials_.ca_pem;
  config.cert_pem = credentials_.cert_pem;
  config.key_pem = credentials_.key_pem;
  config.insecure_skip_verify = credentials_.ca_pem.empty();
  config.user_agent = "coracle-apiserver";
  ASSIGN_OR_RETURN(auto made, net::Client::create(executor_, std::move(config)));
  net::Client* out = made.get();
  clients_[key] = std::move(made);
  return out;
}

void KubeletProxy::pipe(std::string host, int port, std::string target,
                        std::shared_ptr<net::Exchange> exchange) {
  const auto kubelet = client(host, port);
  if (!kubelet.ok()) {
    exchange->respond(reply_error({}, api::internal_api_error(kubelet.status().message())));
    return;
  }
  auto pipe = std::make_shared<Pipe>();
  pipe->exchange = exchange;
  exchange->on_close([pipe] { pipe->finish(); });
  net::ClientRequest request;
  request.target = std::move(target);
  net::StreamSink sink;
  sink.on_headers = [pipe](net::Response head) { on_head(pipe, head); };
  sink.on_data = [pipe](std::string_view bytes) { on_data(pipe, bytes); };
  sink.on_end = [pipe](Status status) { on_end(pipe, status); };
  pipe->handle = (*kubelet)->start_stream(std::move(request), std::move(sink));
}

}  // namespace coracle::apiserver
