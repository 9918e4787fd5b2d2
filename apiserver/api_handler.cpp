#include "apiserver/api_handler.hpp"

#include "base/log.hpp"

namespace coracle::apiserver {

namespace {

using MaybeReply = Outcome<std::optional<net::Response>>;

constexpr Duration kBootstrapRetry = std::chrono::milliseconds(300);

ObjectShape shape_of(const api::ResourceInfo& info) {
  ObjectShape shape;
  shape.storage_prefix = info.storage_prefix;
  shape.kind = info.kind;
  shape.api_version = info.api_version;
  shape.namespaced = info.namespaced;
  shape.field_paths = info.selectable_fields;
  return shape;
}

bool is_stored(const api::ResourceInfo& info) { return info.has_verb("list"); }

RequestInfo impersonate_info() {
  RequestInfo info;
  info.is_resource = true;
  info.verb = "impersonate";
  info.resource = "users";
  return info;
}

}  // namespace

ApiHandler::ApiHandler(Executor& executor, client::Store& store, const api::Catalog& catalog,
                       const api::HookTable& hooks, ApiHandlerOptions options)
    : options_(std::move(options)),
      rng_(options_.seed),
      catalog_(api::Catalog::over(catalog)),
      feed_(executor, store),
      m_{executor, store, *catalog_, hooks, feed_, rng_},
      authorizer_(std::make_unique<AuthenticatedAuthorizer>()),
      registry_(m_, options_.services, options_.kubelets,
                options_.tokens ? &*options_.tokens : nullptr),
      documents_(*catalog_, options_.address.ip + ":" + std::to_string(options_.address.port)),
      custom_kinds_(m_, *catalog_, registry_, [this] { documents_.reset(); }),
      compactor_(executor, store) {
  for (const api::ResourceInfo& info : catalog.resources()) {
    if (!is_stored(info) || !info.storage || feed_.cache(info.storage_prefix)) continue;
    caches_.push_back(std::make_unique<ResourceCache>(shape_of(info)));
    feed_.add(caches_.back().get());
  }
  if (options_.tokens) {
    authenticator_.add([this](std::string_view token) {
      return options_.tokens->check(feed_, m_.executor.wall_now(), token);
    });
  }
}

ApiHandler::~ApiHandler() {
  *alive_ = false;
  stop();
}

void ApiHandler::set_authorizer(std::unique_ptr<Authorizer> authorizer) {
  authorizer_ = std::move(authorizer);
}

void ApiHandler::start() {
  feed_.start();
  compactor_.start();
  spawn(run_bootstrap(), std::function<void(bool)>([](bool) {}));
}

void ApiHandler::stop() {
  stopped_ = true;
  ready_ = false;
  custom_kinds_.stop();
  registry_.end_watches();
  feed_.stop();
}

Task<bool> ApiHandler::run_bootstrap() {
  const auto alive = alive_;
  while (true) {
    const Status made = co_await bootstrap(m_, registry_, options_.address, options_.client_ca_pem);
    if (!*alive || stopped_) co_return false;
    // Ready means: the caches hold at least what was just made.
    const Status settled = made.ok() ? co_await feed_.read_barrier() : made;
    if (!*alive || stopped_) co_return false;
    if (settled.ok()) settled = co_await start_custom_kinds();
    if (!*alive || stopped_) co_return false;
    if (settled.ok()) break;
    log::warn("cannot start yet: {}", settled.to_string());
    co_await sleep_on(m_.executor, kBootstrapRetry);
    if (!*alive || stopped_) co_return false;
  }
  ready_ = true;
  log::info("ready at revision {}", feed_.revision());
  co_return true;
}

Task<Status> ApiHandler::start_custom_kinds() {
  const auto alive = alive_;
  if (!feed_.synced()) co_return unavailable("the caches are not filled yet");
  custom_kinds_.start();
  while (!custom_kinds_.settled()) {
    co_await sleep_on(m_.executor, CustomKinds::kRetry);
    if (!*alive || stopped_) co_return unavailable("the apiserver is shutting down");
  }
  co_return Status();
}

void ApiHandler::handle(net::Request request, std::shared_ptr<net::Exchange> exchange) {
  spawn(run(std::move(request), std::move(exchange)), std::function<void(bool)>([](bool) {}));
}

Task<bool> ApiHandler::run(net::Request request, std::shared_ptr<net::Exchange> exchange) {
  const TimePoint since = m_.executor.now();
  const auto alive = alive_;
  Context c;
  c.request = std::move(request);
  c.exchange = exchange;
  c.info = parse_request_info(c.request);
  MaybeReply reply = co_await serve(c);
  if (!*alive) co_return false;
  if (!reply.ok()) {
    c.format.shape = Format::Shape::kObject;
    if (!c.info.is_resource) {
      const auto format = negotiate(c.request, false);
      if (format.ok()) c.format.pretty = format->pretty;
    }
    observe(c.info, reply.error().http_code, since);
    exchange->respond(reply_error(c.format, reply.error()));
    co_return true;
  }
  observe(c.info, *reply ? (*reply)->status : 200, since);
  if (*reply) exchange->respond(**std::move(reply));
  co_return true;
}

Task<Outcome<Done>> ApiHandler::identify(Context& c) {
  CO_TRY_OUTCOME(c.user, authenticator_.authenticate(c.request));
  CO_TRY_OUTCOME(std::optional<UserInfo> wish, impersonation(c.request));
  if (wish) {
    RequestInfo asking = impersonate_info();
    asking.name = wish->name;
    const Decision may = co_await authorizer_->authorize(c.user, asking);
    if (!may.allowed) co_return forbidden(c.user, asking, may.reason);
    c.user = *std::move(wish);
  }
  const Decision decision = co_await authorizer_->authorize(c.user, c.info);
  if (!decision.allowed) co_return forbidden(c.user, c.info, decision.reason);
  co_return Done{};
}

Task<MaybeReply> ApiHandler::serve(Context& c) {
  const Outcome<Done> known = co_await identify(c);
  if (!known.ok()) co_return known.error();
  const std::string& method = c.request.method;
  if (method != "GET" && method != "POST" && method != "PUT" && method != "PATCH" &&
      method != "DELETE") {
    co_return api::method_not_allowed_error();
  }
  if (c.info.is_resource) {
    if (m_.catalog.has_version(c.info.group, c.info.version)) {
      co_return co_await registry_.serve(c);
    }
    co_return std::optional(net::make_response(404, "404 page not found\n", "text/plain"));
  }
  if (method != "GET") co_return api::method_not_allowed_error();
  const Outcome<net::Response> found = document(c);
  if (!found.ok()) co_return found.error();
  co_return std::optional(*found);
}

std::optional<net::Response> ApiHandler::health(const Context& c) {
  const std::string& path = c.info.path;
  const bool ready_path = path.starts_with("/readyz");
  if (!ready_path && !path.starts_with("/healthz") && !path.starts_with("/livez")) {
    return std::nullopt;
  }
  const std::string name = path.substr(1, path.find('/', 1) - 1);
  const bool good = ready_path ? ready_ : true;
  std::string text;
  if (!good || query_flag(c.request.query, "verbose")) {
    text = "[+]ping ok\n";
    text += (ready_ ? "[+]" : "[-]") + std::string("etcd ") + (ready_ ? "ok\n" : "failed\n");
    text += (ready_ ? "[+]" : "[-]") + std::string("informer-sync ") +
            (ready_ ? "ok\n" : "failed: caches are not synced yet\n");
    text += name + " check " + (good ? "passed\n" : "failed\n");
  } else {
    text = "ok";
  }
  net::Response response = net::make_response(good ? 200 : 500, text, "text/plain; charset=utf-8");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

Outcome<net::Response> ApiHandler::document(const Context& c) {
  const std::string& path = c.info.path;
  if (auto found = health(c)) return *std::move(found);
  if (path == "/metrics") {
    return net::make_response(200, metrics_.render(), "text/plain; version=0.0.4");
  }
  if (options_.tokens && path == "/openid/v1/jwks") {
    json::object set;
    set["keys"].emplace_array().push_back(options_.tokens->signer().jwk());
    return net::make_response(200, to_json(json::value(std::move(set))),
                              "application/jwk-set+json");
  }
  if (auto found = documents_.get(c.request, path)) return *std::move(found);
  return net::make_response(404, "404 page not found\n", "text/plain; charset=utf-8");
}

void ApiHandler::observe(const RequestInfo& info, int code, TimePoint since) {
  const std::string verb = info.is_resource ? info.verb : "raw";
  Histogram*& latency = latencies_[verb];
  if (latency == nullptr) {
    latency = &metrics_.histogram("apiserver_request_duration_seconds",
                                  "Time from a request to its answer", {{"verb", verb}});
  }
  Counter*& count = counts_[{verb, code}];
  if (count == nullptr) {
    count = &metrics_.counter("apiserver_request_total", "Requests by verb and status code",
                              {{"verb", verb}, {"code", std::to_string(code)}});
  }
  latency->observe(std::chrono::duration<double>(m_.executor.now() - since).count());
  count->add();
}

}  // namespace coracle::apiserver
