#include "apiserver/api_handler.hpp"

#include "apiserver/rbac/bootstrap_tokens.hpp"
#include "apiserver/rbac/reconcile.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr Duration kBootstrapRetry = std::chrono::milliseconds(300);

bool is_stored(const api::ResourceInfo& info) { return info.has_verb("list"); }

RequestInfo impersonate_info(std::string group, std::string resource, std::string name) {
  RequestInfo info;
  info.is_resource = true;
  info.verb = "impersonate";
  info.group = std::move(group);
  info.version = "v1";
  info.resource = std::move(resource);
  info.name = std::move(name);
  return info;
}

RequestInfo impersonate_user(const std::string& name) {
  const std::vector<std::string> parts = split(name, ':');
  if (!name.starts_with("system:serviceaccount:") || parts.size() != 4) {
    return impersonate_info("", "users", name);
  }
  RequestInfo info = impersonate_info("", "serviceaccounts", parts[3]);
  info.ns = parts[2];
  return info;
}

// A WebSocket comes by GET, and gives as much as what POST creates.
bool opens_session(const RequestInfo& request) {
  const std::string& sub = request.subresource;
  return request.verb == "get" && request.group.empty() && request.resource == "pods" &&
         (sub == "exec" || sub == "attach" || sub == "portforward");
}

}  // namespace

ApiHandler::ApiHandler(Executor& executor, client::Store& store, const api::Catalog& catalog,
                       const api::HookTable& hooks, ApiHandlerOptions options)
    : options_(std::move(options)),
      rng_(options_.seed),
      catalog_(api::Catalog::over(catalog)),
      feed_(executor, store),
      access_(feed_),
      grants_(access_, feed_),
      webhooks_(feed_, rng_, options_.remote),
      m_{executor, store,      *catalog_,          hooks, feed_, rng_, &grants_, &reviews_,
         &access_, &webhooks_, &options_.admission},
      reviews_(m_, access_, authenticator_, options_.tokens ? &*options_.tokens : nullptr),
      registry_(m_, options_.services, options_.backends,
                options_.tokens ? &*options_.tokens : nullptr),
      requests_(metrics_, *catalog_),
      flow_(executor, metrics_, options_.limits),
      flow_keeper_(m_, registry_, flow_),
      documents_(*catalog_, options_.address.ip + ":" + std::to_string(options_.address.port)),
      custom_kinds_(m_, *catalog_, registry_, options_.custom_rules,
                    [this] { documents_.reset(); }),
      aggregator_(
          m_, registry_, options_.remote,
          [this](const std::vector<RemoteDiscovery>& found) { documents_.set_remote(found); }),
      compactor_(executor, store),
      deadlines_(executor) {
  for (const api::ResourceInfo& info : catalog.resources()) {
    if (!is_stored(info) || !info.storage || feed_.cache(info.storage_prefix)) continue;
    caches_.push_back(std::make_unique<ResourceCache>(shape_of(info)));
    feed_.add(caches_.back().get());
  }
  authenticator_.add([this](std::string_view token) {
    return rbac::bootstrap_token_user(feed_, m_.executor.wall_now(), token);
  });
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

void ApiHandler::start() {
  feed_.start();
  compactor_.start();
  spawn(run_bootstrap(), std::function<void(bool)>([](bool) {}));
}

void ApiHandler::stop() {
  stopped_ = true;
  ready_ = false;
  custom_kinds_.stop();
  aggregator_.stop();
  flow_keeper_.stop();
  registry_.end_watches();
  feed_.stop();
}

Task<bool> ApiHandler::run_bootstrap() {
  const auto alive = alive_;
  while (true) {
    const Status made = co_await bootstrap(m_, registry_, options_.address, options_.cas);
    if (!*alive || stopped_) co_return false;
    // The roles are looked for in the caches; and ready means: these hold what was just made.
    Status settled = made.ok() ? co_await feed_.read_barrier() : made;
    if (!*alive || stopped_) co_return false;
    if (settled.ok()) {
      settled = co_await rbac::reconcile_policy(m_, registry_, rbac::DefaultPolicy::get());
    }
    if (!*alive || stopped_) co_return false;
    if (settled.ok()) settled = co_await feed_.read_barrier();
    if (!*alive || stopped_) co_return false;
    if (settled.ok()) settled = co_await start_custom_kinds();
    if (!*alive || stopped_) co_return false;
    if (settled.ok()) break;
    log::warn("cannot start yet: {}", settled.to_string());
    co_await sleep_on(m_.executor, kBootstrapRetry);
    if (!*alive || stopped_) co_return false;
  }
  flow_keeper_.start();
  ready_ = roles_known_ = true;
  aggregator_.start();
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
  const auto alive = alive_;
  Context c;
  c.since = m_.executor.now();
  c.received = m_.executor.wall_now();
  c.request = std::move(request);
  c.exchange = exchange;
  c.info = parse_request_info(c.request);
  const auto under_way = requests_.begin(c.request, c.info);
  Deadlines::Guard deadline;
  if (!is_long_running(c.info)) {
    const Outcome<Duration> limit = time_limit(c.request, options_.request_timeout);
    if (!limit.ok()) {
      send_error(c, limit.error());
      co_return true;
    }
    deadline = deadlines_.watch(c.since + *limit, [this, &c] { expire(c); });
  }
  MaybeReply reply = co_await serve(c);
  if (!*alive || c.timed_out) co_return false;
  deadline.release();
  if (!reply.ok()) {
    send_error(c, reply.error());
    co_return true;
  }
  if (options_.audit) audit(c, *reply ? &**reply : nullptr, nullptr);
  requests_.observe(c.request, c.info, *reply ? (*reply)->status : 200,
                    m_.executor.now() - c.since);
  if (*reply) {
    add_flow_headers(c, (*reply)->headers);
    if (wants_gzip(c.request, **reply)) {
      co_await compress(**reply);
      if (!*alive) co_return false;
    }
    exchange->respond(**std::move(reply));
  }
  co_return true;
}

void ApiHandler::send_error(Context& c, const api::ApiError& error) {
  if (options_.audit) audit(c, nullptr, &error);
  c.format.shape = Format::Shape::kObject;
  if (!c.info.is_resource) {
    const auto format = negotiate(c.request, false);
    if (format.ok()) c.format.pretty = format->pretty;
  }
  requests_.observe(c.request, c.info, error.http_code, m_.executor.now() - c.since);
  net::Response response = reply_error(c.format, error);
  add_warnings(c, response);
  add_flow_headers(c, response.headers);
  c.exchange->respond(std::move(response));
}

// The work goes on, a write may still be made: that is what a time-out says.
void ApiHandler::expire(Context& c) {
  c.timed_out = true;
  send_error(c, api::timeout_error("request did not complete within the allotted timeout", 0));
}

Task<bool> ApiHandler::compress(net::Response& response) {
  std::vector<net::Bytes> parts;
  if (!response.body.empty()) parts.push_back(net::make_bytes(response.body));
  parts.insert(parts.end(), response.chunks.begin(), response.chunks.end());
  std::string packed;
  if (options_.gzip == nullptr) {
    packed = gzip(parts);
  } else {
    packed = co_await Callback<std::string>([this, &parts](std::function<void(std::string)> done) {
      options_.gzip->compress(std::move(parts), std::move(done));
    });
  }
  if (packed.empty()) co_return false;
  response.body = std::move(packed);
  response.chunks.clear();
  response.headers.add("Content-Encoding", "gzip");
  response.headers.add("Vary", "Accept-Encoding");
  co_return true;
}

Outcome<Done> ApiHandler::check_access(const UserInfo& user, RequestInfo request) const {
  if (request.name.empty()) request.name = request.selected_name;
  const Decision decision = access_.decide(user, request);
  if (decision.allowed) return Done{};
  return forbidden(user, request, decision.reason);
}

Outcome<Done> ApiHandler::authorize(Context& c) const {
  Outcome<Done> may = check_access(c.user, c.info);
  if (!options_.audit) return may;
  c.decision = may.ok() ? "allow" : "forbid";
  if (!may.ok()) c.reason = may.error().message();
  return may;
}

// Each part of the wished identity is a thing that `user` must be allowed to impersonate.
Outcome<Done> ApiHandler::check_impersonation(const UserInfo& user, const UserInfo& wish) const {
  constexpr const char* kGroup = "authentication.k8s.io";
  std::vector<RequestInfo> parts = {impersonate_user(wish.name)};
  for (const std::string& group : wish.groups)
    parts.push_back(impersonate_info("", "groups", group));
  for (const auto& [key, values] : wish.extra) {
    for (const std::string& value : values) {
      parts.push_back(impersonate_info(kGroup, "userextras", value));
      parts.back().subresource = key;
    }
  }
  if (!wish.uid.empty()) parts.push_back(impersonate_info(kGroup, "uids", wish.uid));
  for (const RequestInfo& part : parts) {
    const Outcome<Done> may = check_access(user, part);
    if (!may.ok()) return may;
  }
  return Done{};
}

Outcome<Done> ApiHandler::identify(Context& c) const {
  TRY_OUTCOME(c.user, authenticator_.authenticate(c.request));
  if (!roles_known_ && !c.user.in_group(kMasters)) {
    if (!c.info.is_resource && is_health_path(c.info.path)) return Done{};
    api::ApiError error = api::service_unavailable_error("the roles are not known yet");
    set_path(error.status, "details.retryAfterSeconds", json::value(1));
    return error;
  }
  TRY_OUTCOME(std::optional<Impersonation> wish, impersonation(c.request));
  if (wish) {
    const Outcome<Done> may = check_impersonation(c.user, wish->asked);
    if (!may.ok()) return may;
    c.asker = std::make_shared<const UserInfo>(std::move(c.user));
    c.user = std::move(wish->user);
  }
  const Outcome<Done> may = authorize(c);
  if (may.ok() && opens_session(c.info)) {
    RequestInfo as_create = c.info;
    as_create.verb = "create";
    const Outcome<Done> may_create = check_access(c.user, as_create);
    if (!may_create.ok()) return may_create;
  }
  if (!may.ok() || !rbac::node_identity(c.user)) return may;
  json::value body;
  if (c.info.subresource == "token") {
    TRY_OUTCOME(Body parsed, parse_body(c.request, m_.catalog, "TokenRequest"));
    body = std::move(parsed.value);
  }
  return grants_.check_node_request(c.user, c.info, body);
}

// As upstream guesses: a list looks at every object of its kind, a hundred a seat.
int ApiHandler::seats_of(const Context& c) const {
  constexpr std::size_t kObjectsPerSeat = 100, kSeatsMax = 10;
  const bool lists = c.info.verb == "list" ||
                     (c.info.verb == "watch" && query_flag(c.request.query, "sendInitialEvents"));
  if (!lists) return 1;
  const api::ResourceInfo* info = m_.catalog.find(c.info.group, c.info.version, c.info.resource);
  const ResourceCache* cache = info == nullptr ? nullptr : m_.feed.cache(info->storage_prefix);
  if (cache == nullptr) return 1;
  return static_cast<int>(std::clamp<std::size_t>(
      (cache->size() + kObjectsPerSeat - 1) / kObjectsPerSeat, 1, kSeatsMax));
}

Task<Outcome<FlowControl::Ticket>> ApiHandler::enter(Context& c) {
  Outcome<FlowControl::Ticket> ticket = flow_.enter(c.user, c.info, seats_of(c), &c.flow);
  if (!ticket.ok() || !ticket->waiting()) co_return ticket;
  c.exchange->on_close([this, alive = alive_, waiter = ticket->waiter()] {
    if (*alive) flow_.give_up(waiter);
  });
  const Outcome<Done> admitted = co_await flow_.admitted(*ticket);
  if (!admitted.ok()) co_return admitted.error();
  co_return ticket;
}

Task<ApiHandler::MaybeReply> ApiHandler::serve(Context& c) {
  const Outcome<Done> known = identify(c);
  if (!known.ok()) co_return known.error();
  // Its seats are given back when the answer is there, or the watch has begun.
  const Outcome<FlowControl::Ticket> place = co_await enter(c);
  if (!place.ok()) co_return place.error();
  co_return co_await answer(c);
}

Task<ApiHandler::MaybeReply> ApiHandler::answer(Context& c) {
  const std::string& method = c.request.method;
  if (method != "GET" && method != "POST" && method != "PUT" && method != "PATCH" &&
      method != "DELETE" && c.info.subresource != "proxy") {
    co_return api::method_not_allowed_error();
  }
  if (aggregator_.owns(c.info)) co_return aggregator_.proxy(c);
  if (c.info.is_resource) {
    if (m_.catalog.has_version(c.info.group, c.info.version)) {
      co_return co_await registry_.serve(c);
    }
    co_return std::optional(net::make_response(404, "404 page not found\n", "text/plain"));
  }
  if (method != "GET") co_return api::method_not_allowed_error();
  const Outcome<net::Response> found =
      is_health_path(c.info.path) ? co_await health(c) : document(c);
  if (!found.ok()) co_return found.error();
  co_return std::optional(*found);
}

Task<bool> ApiHandler::store_answers() {
  static constexpr Duration kPatience = std::chrono::seconds(2);
  co_return co_await Callback<bool>([this](std::function<void(bool)> done) {
    struct Race {
      std::function<void(bool)> done;
      Executor::TimerId timer = 0;
      void end(bool good) {
        if (auto fn = std::exchange(done, nullptr)) fn(good);
      }
    };
    auto race = std::make_shared<Race>(Race{std::move(done)});
    race->timer = m_.executor.after(kPatience, [race] { race->end(false); });
    client::RangeRequest question;
    question.key = "/registry/health";
    question.count_only = true;
    spawn(m_.store.range(std::move(question)),
          std::function<void(Result<client::RangeResult>)>(
              [this, alive = alive_, race](Result<client::RangeResult> answer) {
                if (*alive) m_.executor.cancel(race->timer);
                race->end(answer.ok());
              }));
  });
}

Task<Outcome<net::Response>> ApiHandler::health(Context& c) {
  const std::string& path = c.info.path;
  const bool readyz = health_page(path) == "readyz";
  std::string store_fault;
  if (needs_check(c.request, path, "etcd") ||
      (readyz && needs_check(c.request, path, "etcd-readiness"))) {
    const auto alive = alive_;
    const bool answers = co_await store_answers();
    if (!*alive) co_return api::service_unavailable_error("the apiserver is shutting down");
    if (!answers) store_fault = "the store does not answer";
  }
  const std::string not_yet = roles_known_ ? "" : "not finished";
  std::vector<HealthCheck> checks = {{"ping", ""}, {"log", ""}, {"etcd", store_fault}};
  if (readyz) {
    checks.push_back({"etcd-readiness", store_fault});
    checks.push_back({"informer-sync", feed_.synced() ? "" : "the caches are not filled yet"});
  }
  for (const char* hook : {"poststarthook/rbac/bootstrap-roles",
                           "poststarthook/scheduling/bootstrap-system-priority-classes",
                           "poststarthook/priority-and-fairness-config-producer"}) {
    checks.push_back({hook, not_yet});
  }
  if (readyz)
    checks.push_back({"shutdown", shutting_down_ || stopped_ ? "process is shutting down" : ""});
  auto page = health_response(c.request, path, checks);
  if (page) co_return *std::move(page);
  co_return net::make_response(404, "404 page not found\n", "text/plain; charset=utf-8");
}

Outcome<net::Response> ApiHandler::document(const Context& c) {
  const std::string& path = c.info.path;
  constexpr std::string_view kFlowPages = "/debug/api_priority_and_fairness/";
  if (path.starts_with(kFlowPages)) {
    const bool details = !c.request.query.get("includeRequestDetails").empty();
    auto page = flow_dump(flow_, std::string_view(path).substr(kFlowPages.size()), details);
    if (page) return net::make_response(200, *std::move(page), "text/plain; charset=utf-8");
  }
  if (path == "/metrics") {
    requests_.count_objects(feed_);
    return net::make_response(200, metrics_.render(), "text/plain; version=0.0.4");
  }
  if (options_.tokens && path == "/.well-known/openid-configuration") {
    const std::string own =
        "https://" + options_.address.ip + ":" + std::to_string(options_.address.port);
    net::Response response =
        net::make_response(200, to_json(options_.tokens->discovery(own)), "application/json");
    response.headers.add("Cache-Control", "public, max-age=3600");
    return response;
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

}  // namespace coracle::apiserver
