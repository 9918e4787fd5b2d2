#include "metrics_driver/api_server.hpp"

#include <fmt/format.h>

#include "api/status_object.hpp"

namespace coracle::metrics {
namespace {

net::Response json_response(int status, const json::value& body) {
  return net::make_response(status, to_json(body), "application/json");
}

net::Response failure(const api::ApiError& error) {
  return json_response(error.http_code, error.status);
}

std::string in_words(const ApiTarget& target, const std::string& user, const std::string& path) {
  if (!target.resource) {
    return fmt::format("User \"{}\" cannot {} path \"{}\"", user, target.verb, path);
  }
  std::string text =
      fmt::format("User \"{}\" cannot {} resource \"{}\" in API group \"metrics.k8s.io\"", user,
                  target.verb, target.resource_name);
  return text + (target.ns.empty() ? " at the cluster scope"
                                   : fmt::format(" in the namespace \"{}\"", target.ns));
}

}  // namespace

Status ApiServer::listen(net::Server::Options options) {
  auto server = net::Server::listen(
      executor_, std::move(options),
      [this](net::Request request, ExchangePtr exchange) { handle(std::move(request), exchange); });
  if (!server.ok()) return server.status();
  server_ = std::move(*server);
  return {};
}

void ApiServer::handle(net::Request request, const ExchangePtr& exchange) {
  if (request.path == "/healthz" || request.path == "/livez" || request.path == "/readyz") {
    const std::string why = request.path == "/readyz" ? not_ready_() : std::string();
    return exchange->respond(net::make_response(why.empty() ? 200 : 500, why.empty() ? "ok" : why,
                                                "text/plain; charset=utf-8"));
  }
  spawn<net::Response>(answer(std::move(request)), [exchange](net::Response response) {
    exchange->respond(std::move(response));
  });
}

Task<net::Response> ApiServer::answer(net::Request request) {
  const auto user = co_await auth_.user_of(request.peer, request.headers);
  if (!user) co_return failure(api::unauthorized_error());
  const bool watch = request.query.get("watch") == "true" || request.query.get("watch") == "1";
  const ApiTarget target = target_of(request.method, request.path, watch);
  const auto decision = co_await auth_.decide(*user, target, request.path);
  if (!decision.ok()) co_return failure(api::internal_api_error(decision.status().message()));
  if (!decision->allowed) {
    std::string why = in_words(target, user->name, request.path);
    if (!decision->reason.empty()) why += ": " + decision->reason;
    co_return failure(api::forbidden_error(
        {target.resource ? "metrics.k8s.io" : "", target.resource_name}, target.name, why));
  }
  if (request.path == "/metrics") {
    co_return net::make_response(200, metrics_.render(), "text/plain; version=0.0.4");
  }
  ApiAsk ask;
  ask.method = request.method;
  ask.path = request.path;
  ask.accept = request.headers.get("Accept");
  ask.label_selector = request.query.get("labelSelector");
  ask.field_selector = request.query.get("fieldSelector");
  ask.watch = watch;
  ask.include_object = request.query.get("includeObject");
  const ApiAnswer said = api_.answer(ask, executor_.wall_now());
  co_return json_response(said.status, said.body);
}

}  // namespace coracle::metrics
