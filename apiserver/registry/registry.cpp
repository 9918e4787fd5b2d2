#include "apiserver/registry/registry.hpp"

#include "api/object.hpp"
#include "apiserver/admission/connect_options.hpp"
#include "apiserver/registry/managed_fields.hpp"
#include "apiserver/registry/token_issuer.hpp"
#include "apiserver/registry/watch_stream.hpp"

namespace coracle::apiserver {

namespace {

using MaybeReply = Outcome<std::optional<net::Response>>;

constexpr std::string_view kEndpointsWarning =
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

MaybeReply some(Reply reply) {
  if (!reply.ok()) return reply.error();
  return std::optional(*std::move(reply));
}

bool is_write(const std::string& verb) {
  return verb == "create" || verb == "update" || verb == "patch" || verb == "delete" ||
         verb == "deletecollection";
}

bool wants_name(const std::string& verb) {
  return verb == "get" || verb == "update" || verb == "patch" || verb == "delete";
}

// POST .../bindings is the older form of POST .../pods/NAME/binding.
Outcome<Done> bindings_are_of_pods(const Machinery& m, Context& c) {
  RequestInfo& info = c.info;
  if (info.resource != "bindings" || !info.group.empty() || info.verb != "create") return Done{};
  TRY_OUTCOME(const Body body, parse_body(c.request, m.catalog, "Binding"));
  info.resource = "pods";
  info.subresource = "binding";
  info.name = api::name_of(body.value);
  if (info.name.empty()) return api::bad_request_error("name is required");
  return Done{};
}

// Without a Go type there is no strategic merge.
Outcome<Done> check_patch_type(const Context& c) {
  const std::string_view type = c.request.headers.get("content-type");
  if (!c.resource->custom || !type.starts_with("application/strategic-merge-patch+json")) {
    return Done{};
  }
  return api::unsupported_media_type_error({"application/json-patch+json",
                                            "application/merge-patch+json",
                                            "application/apply-patch+yaml"});
}

// What only answers a question, or acts, has no rows.
bool has_table(const Context& c) {
  const std::string& sub = c.info.subresource;
  return c.cache != nullptr && sub != "binding" && sub != "eviction" && sub != "token";
}

}  // namespace

Registry::Registry(Machinery& machinery, ServiceRanges ranges, BackendPort* backends,
                   const TokenIssuer* tokens)
    : m_(machinery),
      access_(machinery),
      admission_(machinery),
      services_(machinery, std::move(ranges)),
      reader_(machinery),
      writer_(machinery, access_, admission_, services_),
      remover_(machinery, access_, admission_, services_, reader_),
      subresources_(machinery, access_, reader_, writer_, remover_, admission_),
      connector_(machinery, reader_, backends),
      tokens_(tokens) {}

Outcome<Done> Registry::locate(Context& c) const {
  RequestInfo& info = c.info;
  c.resource = m_.catalog.find(info.group, info.version, info.resource);
  if (c.resource == nullptr) return api::unknown_resource_error();
  if (!c.resource->namespaced && !info.ns.empty()) {
    // /namespaces/x is the namespace itself, not something inside it. Nothing else of the whole
    // cluster has a path there: who may do everything inside a namespace would reach it.
    const bool itself = info.group.empty() && info.resource == "namespaces" && info.name == info.ns;
    if (!itself) return api::unknown_resource_error();
    info.ns.clear();
  }
  c.storage = m_.catalog.storage_of(*c.resource);
  if (c.storage == nullptr) c.storage = c.resource;
  c.cache = m_.feed.cache(c.storage->storage_prefix);
  c.hold_kind = m_.catalog.hold(*c.resource);
  c.hold_cache = m_.feed.hold(c.storage->storage_prefix);
  if (!info.subresource.empty()) {
    c.sub = c.resource->subresource(info.subresource);
    if (c.sub == nullptr) return api::unknown_resource_error();
  }
  if (info.name.find('/') != std::string::npos || info.name == "." || info.name == "..") {
    return api::not_found_error(c.group_name(), info.name);
  }
  const bool collection = info.name.empty();
  const bool nowhere = c.resource->namespaced && info.ns.empty();
  if (nowhere && !collection) return api::unknown_resource_error();
  if (nowhere && info.verb != "list" && info.verb != "watch")
    return api::method_not_allowed_error();
  if (info.subresource.empty()) {
    const bool shaped = collection ? !wants_name(info.verb) : info.verb != "create";
    if (!shaped || !c.resource->has_verb(info.verb)) return api::method_not_allowed_error();
  }
  if (c.cache == nullptr && (m_.reviews == nullptr || info.verb != "create")) {
    return api::method_not_allowed_error();
  }
  return Done{};
}

Outcome<Done> Registry::check_options(Context& c) const {
  const net::Query& query = c.request.query;
  const std::string& verb = c.info.verb;
  if (!is_write(verb)) return Done{};
  api::FieldErrors errors;
  const std::string_view dry = query.get("dryRun");
  // With a body, a delete ignores the query altogether.
  const bool removes = verb == "delete" || verb == "deletecollection";
  if (!dry.empty() && dry != "All" && !removes) {
    errors.not_supported(api::FieldPath("dryRun"), json::value(dry), {"All"});
  }
  if (query.get("fieldManager").size() > kFieldManagerMax) {
    errors.too_long(api::FieldPath("fieldManager"), kFieldManagerMax);
  }
  if (!errors.empty()) {
    const char* kind = verb == "create"  ? "CreateOptions"
                       : verb == "patch" ? "PatchOptions"
                                         : "UpdateOptions";
    return api::invalid_error({"meta.k8s.io", kind}, "", errors);
  }
  c.dry_run = !removes && dry == "All";
  return Done{};
}

Task<MaybeReply> Registry::serve(Context& c) {
  const Outcome<Done> meant = bindings_are_of_pods(m_, c);
  if (!meant.ok()) co_return meant.error();
  const Outcome<Done> located = locate(c);
  if (!located.ok()) co_return located.error();
  if (is_connection(c.info.subresource)) co_return co_await connect(c);
  CO_TRY_OUTCOME(c.format,
                 negotiate(c.request, c.info.verb == "watch", c.resource->schema, has_table(c)));
  const Outcome<Done> checked = check_options(c);
  if (!checked.ok()) co_return checked.error();
  if (c.cache == nullptr) co_return some(m_.reviews->review(c));
  if (c.resource->kind == "Endpoints") c.warnings.emplace_back(kEndpointsWarning);
  if (!c.resource->deprecation.empty()) c.warnings.push_back(c.resource->deprecation);
  if (c.resource->terminating && c.info.verb == "create" && c.info.subresource.empty()) {
    co_return api::method_not_supported_error(
        c.group_name(), "create not allowed while custom resource definition is terminating");
  }
  if (!c.info.subresource.empty()) co_return co_await dispatch_subresource(c);
  co_return co_await dispatch(c);
}

Task<MaybeReply> Registry::connect(Context& c) {
  if (is_connect(c.info)) {
    json::value options = connect_options(c.info, c.request.query);
    const Outcome<Done> admitted = co_await admission_.admit_body(c, "CONNECT", options);
    if (!admitted.ok()) co_return admitted.error();
  }
  co_return co_await connector_.connect(c);
}

Task<MaybeReply> Registry::dispatch(Context& c) {
  const std::string& verb = c.info.verb;
  if (verb == "get") co_return some(co_await reader_.get(c));
  if (verb == "list") co_return some(co_await reader_.list(c));
  if (verb == "watch") co_return co_await watch(c);
  if (verb == "create") co_return some(co_await writer_.create(c));
  if (verb == "update") co_return some(co_await writer_.update(c));
  if (verb == "patch") {
    const Outcome<Done> possible = check_patch_type(c);
    if (!possible.ok()) co_return possible.error();
    co_return some(co_await writer_.patch(c));
  }
  if (verb == "delete") co_return some(co_await remover_.remove(c));
  if (verb == "deletecollection") co_return some(co_await remover_.remove_collection(c));
  co_return api::method_not_allowed_error();
}

Task<MaybeReply> Registry::dispatch_subresource(Context& c) {
  const std::string& verb = c.info.verb;
  if (c.info.subresource == "status" || c.info.subresource == "approval") {
    if (verb == "get") co_return some(co_await reader_.get(c));
    if (verb == "update") co_return some(co_await writer_.update(c));
    if (verb == "patch") co_return some(co_await writer_.patch(c));
    co_return api::method_not_allowed_error();
  }
  if (c.info.subresource == "token" && verb == "create") {
    if (tokens_ == nullptr) co_return api::internal_api_error("this server issues no tokens");
    co_return some(co_await tokens_->issue(m_, access_, admission_, c));
  }
  co_return some(co_await subresources_.handle(c));
}

Task<MaybeReply> Registry::watch(Context& c) {
  CO_TRY_OUTCOME(ListOptions options, parse_list_options(c.request.query, true));
  CO_TRY_OUTCOME(Selection selection, Selection::parse(c));
  const bool from_start = !options.revision || *options.revision == 0;
  const bool initial = options.send_initial_events.value_or(from_start);
  if (!from_start && !initial) {
    // A cache that is not filled yet does not know what it has missed.
    const Status filled = co_await m_.feed.wait_for(0);
    if (!filled.ok()) co_return store_error(filled, true);
    const std::int64_t after = *options.revision;
    start_watch(c, std::move(selection), std::move(options), false, after);
    co_return std::optional<net::Response>();
  }
  const Outcome<Done> fresh = co_await reader_.freshen(options.revision);
  if (!fresh.ok() && fresh.error().http_code == 504 && options.revision) {
    WatchStream::refuse(m_, c, fresh.error());
    co_return std::optional<net::Response>();
  }
  if (!fresh.ok()) co_return fresh.error();
  if (const std::string* why = c.cache->unreadable_in(selection.scope().ns)) {
    co_return api::internal_api_error(*why);
  }
  start_watch(c, std::move(selection), std::move(options), initial, m_.feed.revision());
  co_return std::optional<net::Response>();
}

void Registry::start_watch(Context& c, Selection selection, ListOptions options, bool initial,
                           std::int64_t after) {
  if (watches_.size() >= sweep_at_) {
    std::erase_if(watches_, [](const auto& watch) { return watch.expired(); });
    sweep_at_ = std::max<std::size_t>(64, watches_.size() * 2);
  }
  auto stream = std::make_shared<WatchStream>(m_, c, std::move(selection), std::move(options));
  watches_.push_back(stream);
  stream->start(initial, after);
}

void Registry::end_watches_of(const ResourceCache& cache) {
  for (const auto& weak : std::vector(watches_)) {
    const auto stream = weak.lock();
    if (stream && stream->cache() == &cache) stream->end();
  }
}

void Registry::end_watches() {
  for (const auto& weak : std::exchange(watches_, {})) {
    if (const auto stream = weak.lock()) stream->end();
  }
}

}  // namespace coracle::apiserver
