#include "apiserver/server/live_server.hpp"

#include <sys/resource.h>

#include <csignal>

#include "api/hooks/custom_rules.hpp"
#include "apiserver/api_handler.hpp"
#include "apiserver/at_rest/sealed_store.hpp"
#include "apiserver/server/gzip_thread.hpp"
#include "apiserver/server/remote_clients.hpp"
#include "base/log.hpp"
#include "client/embedded_store.hpp"
#include "client/etcd_store.hpp"
#include "net/strand_lag.hpp"

namespace coracle::apiserver {

namespace {

constexpr Duration kStopGrace = std::chrono::seconds(5);

// What net answers by itself, as a Status where clients look for one.
net::Response transport_error(net::RequestError error) {
  switch (error) {
    case net::RequestError::kBodyTooLarge:
      return reply_error({}, api::too_large_error("limit is 3145728"));
    case net::RequestError::kHeaderTooLarge:
      return net::make_response(431, "request header too large\n", "text/plain");
    case net::RequestError::kRequestTimeout:
      return net::make_response(408, "request timed out\n", "text/plain");
    default:
      return net::make_response(400, "400 Bad Request\n", "text/plain");
  }
}

std::unique_ptr<client::Store> store_or_die(net::AsioExecutor& executor,
                                            const ServerOptions& options) {
  if (!options.embedded_store_dir.empty()) {
    auto store = client::make_embedded_store(executor, {.data_dir = options.embedded_store_dir});
    if (store.ok()) return *std::move(store);
    fail_startup("--embedded-store-dir " + options.embedded_store_dir + ": " +
                 store.status().message());
  }
  client::EtcdStoreOptions wanted;
  wanted.endpoints = options.etcd_servers;
  wanted.tls = options.etcd_tls;
  auto store = client::make_etcd_store(executor, std::move(wanted));
  if (!store.ok()) fail_startup("--etcd-servers: " + store.status().message());
  return *std::move(store);
}

// A connection is a descriptor: as many as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("the limit of open files stays low");
}

// All but its ports.
ApiHandlerOptions handler_options(ServerOptions& options) {
  ApiHandlerOptions out;
  out.address = {options.advertise_address, options.secure_port};
  out.services = options.ranges;
  out.cas = {options.tls.client_ca_pem, options.front_proxy_ca_pem,
             options.requestheader_allowed_names};
  out.seed = secure_random_seed();
  out.tokens = std::move(options.tokens);
  out.custom_rules = api::check_custom_rules;
  out.request_timeout = options.request_timeout;
  out.limits = {options.max_requests_inflight, options.max_mutating_requests_inflight,
                options.request_timeout / 4};
  out.audit = options.audit;
  out.admission = std::move(options.admission);
  return out;
}

}  // namespace

int run_server(ServerOptions options) {
  raise_descriptor_limit();
  net::AsioExecutor executor;
  const std::unique_ptr<client::Store> plain = store_or_die(executor, options);
  std::optional<SealedStore> sealed;
  if (options.encryption) {
    sealed.emplace(*plain, *std::move(options.encryption), api::Catalog::builtin(),
                   secure_random_bytes);
  }
  client::Store& store = sealed ? static_cast<client::Store&>(*sealed) : *plain;
  LiveBackends backends(executor, options.kubelet);
  GzipThread gzip(executor);
  RemoteClients remote(executor, std::move(options.front_proxy));
  ApiHandlerOptions wanted = handler_options(options);
  wanted.backends = &backends;
  wanted.gzip = &gzip;
  wanted.remote = &remote;
  ApiHandler handler(executor, store, api::Catalog::builtin(), api::builtin_hooks(),
                     std::move(wanted));
  if (!options.token_csv.empty()) {
    auto tokens = Authenticator::static_tokens(options.token_csv);
    if (!tokens.ok()) {
      fail_startup("--token-auth-file " + options.token_auth_file + ": " +
                   tokens.status().message());
    }
    handler.authenticator().add(*std::move(tokens));
  }
  net::Server::Options listen;
  listen.address = options.bind_address;
  listen.port = static_cast<std::uint16_t>(options.secure_port);
  listen.tls = options.tls;
  listen.on_error = transport_error;
  auto server = net::Server::listen(
      executor, std::move(listen),
      [&handler](net::Request request, std::shared_ptr<net::Exchange> exchange) {
        handler.handle(std::move(request), std::move(exchange));
      });
  if (!server.ok()) {
    const bool taken = server.status().code() == Code::kUnavailable;
    fail_startup((taken ? "--secure-port: " : "--tls-cert-file or --client-ca-file: ") +
                 server.status().message());
  }
  log::info("serving on https://{}:{}", options.bind_address, (*server)->port());
  net::measure_lag(executor, handler.metrics());
  handler.start();
  bool stopping = false;
  const auto stop = [&] {
    if (std::exchange(stopping, true)) return executor.stop();  // asked twice: at once
    log::info("stopping");
    handler.begin_shutdown();
    executor.after(options.shutdown_delay_duration, [&] {
      handler.stop();
      (*server)->stop(kStopGrace, [&executor] { executor.stop(); });
    });
  };
  executor.on_signal(SIGTERM, stop);
  executor.on_signal(SIGINT, stop);
  executor.run();
  server->reset();
  return 0;
}

}  // namespace coracle::apiserver
