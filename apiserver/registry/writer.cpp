#include "apiserver/registry/writer.hpp"

#include "api/custom_schema.hpp"
#include "api/object.hpp"
#include "api/validate.hpp"
#include "apiserver/registry/admin_access.hpp"
#include "apiserver/registry/conversion.hpp"
#include "apiserver/registry/managed_fields.hpp"
#include "apiserver/registry/pod_part.hpp"
#include "apiserver/registry/requestor.hpp"

namespace coracle::apiserver {

namespace {

constexpr size_t kSuffixLength = 5;
constexpr size_t kGeneratedNameMax = 63;
constexpr int kGenerateTries = 8;

bool is_service(const Context& c) {
  return c.storage->kind == "Service" && c.storage->group.empty();
}

std::string generated_name(const json::value& object, Rng& rng) {
  std::string base(api::generate_name_of(object));
  base = base.substr(0, kGeneratedNameMax - kSuffixLength);
  return base + rng.name_suffix(kSuffixLength);
}

api::ApiError precondition_failed(const Context& c, std::string_view what, std::string_view want,
                                  std::string_view have) {
  return api::conflict_error(c.group_name(), c.info.name,
                             "Precondition failed: " + std::string(what) +
                                 " in precondition: " + std::string(want) + ", " +
                                 std::string(what) + " in object meta: " + std::string(have));
}

// A deleted object lives only as long as somebody holds it.
bool may_vanish(const json::value& object) {
  if (api::deletion_timestamp_of(object).empty() || !api::finalizers_of(object).empty()) {
    return false;
  }
  if (get_int(object, "metadata.deletionGracePeriodSeconds") != 0) return false;
  return api::kind_of(object) != "Namespace" || get_array(object, "spec.finalizers").empty();
}

}  // namespace

Outcome<Done> settle_identity(const Context& c, json::value& object, bool name_in_url) {
  json::object& metadata = api::metadata_of(object);
  const std::string ns(api::namespace_of(object)), name(api::name_of(object));
  if (c.resource->namespaced) {
    if (!ns.empty() && ns != c.info.ns) {
      return api::bad_request_error(
          "the namespace of the provided object does not match the namespace sent on the request");
    }
    metadata["namespace"] = c.info.ns;
  }
  if (!name_in_url) return Done{};
  if (!name.empty() && name != c.info.name) {
    return api::bad_request_error("the name of the object (" + name +
                                  ") does not match the name on the URL (" + c.info.name + ")");
  }
  metadata["name"] = c.info.name;
  return Done{};
}

Outcome<Done> check_served_version(const Context& c, const json::value& object,
                                   const json::value* old) {
  if (c.resource == c.storage || !c.resource->custom) return Done{};
  api::FieldErrors errors;
  c.resource->custom->validate(object, old, errors);
  if (errors.empty()) return Done{};
  return api::invalid_error(c.group_kind(), api::name_of(object), errors);
}

Outcome<json::value> Writer::decode_named(Context& c, Body body) {
  TRY_OUTCOME(json::value object, decode_object(c, *c.resource, std::move(body)));
  const Outcome<Done> settled = settle_identity(c, object, !c.info.name.empty());
  if (!settled.ok()) return settled.error();
  return object;
}

Task<Reply> Writer::create(Context& c) {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m_.catalog, c.resource->kind));
  CO_TRY_OUTCOME(json::value object, decode_named(c, std::move(body)));
  CO_TRY_OUTCOME(const Saved saved, co_await create_object(c, std::move(object)));
  co_return co_await reply(c, 201, saved.tail);
}

Task<Reply> Writer::reply(Context& c, int code, Bytes tail) {
  if (converted_by_webhook(c)) {
    const Outcome<Done> made = co_await convert_served_tail(m_, c, tail);
    if (!made.ok()) co_return made.error();
  }
  co_return reply_object(m_, c, code, tail);
}

FieldWriter Writer::field_writer(const Context& c) const {
  std::string manager(c.request.query.get("fieldManager"));
  if (manager.empty()) manager = manager_of_agent(c.request.headers.get("user-agent"));
  return {m_.catalog,         *c.resource,        *c.storage,
          std::move(manager), c.info.subresource, format_time(m_.executor.wall_now())};
}

Task<Outcome<Saved>> Writer::create_object(Context& c, json::value object, Owners owners) {
  if (!api::resource_version_of(object).empty()) {
    co_return api::unknown_error("resourceVersion should not be set on objects to be created");
  }
  if (c.resource != c.storage) {
    if (c.resource->custom) c.resource->custom->set_defaults(object);
    const Outcome<Done> good = check_served_version(c, object, nullptr);
    if (!good.ok()) co_return good.error();
    CO_TRY_OUTCOME(object,
                   co_await convert_version(m_, *c.resource, *c.storage, std::move(object)));
  }
  const bool generated = api::name_of(object).empty() && !api::generate_name_of(object).empty();
  if (c.info.name.empty()) c.info.name = api::name_of(object);
  api::default_object(*c.storage, m_.hooks, object);
  // What admission adds is nobody's.
  if (owners == Owners::kTrack) track_update(field_writer(c), nullptr, object);
  const Outcome<Done> mutated = co_await admission_.mutate(c, object, nullptr);
  if (!mutated.ok()) co_return mutated.error();
  api::default_object(*c.storage, m_.hooks, object);  // of what admission added
  // As upstream: what changes the object sees no generated name yet, what refuses it does.
  if (generated && api::name_of(object).empty()) {
    api::metadata_of(object)["name"] = generated_name(object, m_.rng);
  }
  if (c.info.name.empty()) c.info.name = api::name_of(object);
  stamp_requestor(c, object);
  if (m_.guard != nullptr) {
    const Outcome<Done> may = m_.guard->check_write(c, object, nullptr);
    if (!may.ok()) co_return may.error();
  }
  api::prepare_create(*c.storage, m_.hooks, object,
                      {m_.rng.uuid(), format_time(m_.executor.wall_now())});
  api::FieldErrors errors = co_await admin_access_errors(m_, c, object, nullptr);
  errors.append(api::validate_create(*c.storage, m_.hooks, object));
  check_request_signature(c, object, errors);
  if (!errors.empty()) {
    co_return api::invalid_error(c.group_kind(), api::name_of(object), errors);
  }
  warn(c, object, nullptr);
  const Outcome<Done> admitted = co_await admission_.validate(c, object, nullptr);
  if (!admitted.ok()) co_return admitted.error();
  for (int attempt = 1;; ++attempt) {
    Outcome<Saved> saved = co_await insert(c, object, !generated);
    const bool taken = !saved.ok() && saved.error().reason() == "AlreadyExists";
    if (!taken || !generated) co_return saved;
    if (attempt == kGenerateTries) {
      co_return api::generate_name_conflict_error(c.group_name(), c.info.name);
    }
    c.info.name = generated_name(object, m_.rng);
    api::metadata_of(object)["name"] = c.info.name;
  }
}

// `object` is the caller's, who waits.
Task<Outcome<Saved>> Writer::insert(Context& c, json::value& object, bool last) {
  const Target target{c.storage, c.info.ns, c.info.name};
  if (!is_service(c)) {
    std::string stored = encode_stored(*c.storage, object);
    json::value made = last ? std::exchange(object, nullptr) : json::value();
    co_return co_await access_.create(target, std::move(stored), c.dry_run, std::move(made));
  }
  json::value filled = object;
  CO_TRY_OUTCOME(ServiceClaims claims, co_await services_.claim(filled, json::value(), c.dry_run));
  claims.fill(filled);
  Outcome<Saved> saved =
      co_await access_.create(target, encode_stored(*c.storage, filled), c.dry_run);
  // An unknown outcome keeps its records: the service may exist.
  if (!saved.ok() && saved.error().http_code < 500) co_await services_.give_back(std::move(claims));
  co_return saved;
}

void Writer::warn(Context& c, const json::value& object, const json::value* old) const {
  if (c.storage->custom) {
    api::custom_warnings(object, old, c.warnings);
  } else if (const auto tell = m_.hooks.kind(c.storage->group, c.storage->kind).warnings) {
    tell(object, old, c.warnings);
  }
}

Outcome<Done> Writer::check_preconditions(const Context& c, json::value& next,
                                          const json::value& current) const {
  const std::string uid(api::uid_of(next)), version(api::resource_version_of(next));
  if (!uid.empty() && uid != api::uid_of(current)) {
    return precondition_failed(c, "UID", uid, api::uid_of(current));
  }
  if (!version.empty() && version != "0" && version != api::resource_version_of(current)) {
    return api::conflict_error(c.group_name(), c.info.name, api::kStaleObject);
  }
  api::metadata_of(next)["resourceVersion"] = api::resource_version_of(current);
  return Done{};
}

Task<Outcome<Change>> Writer::decide_update(Context& c, const Update& update,
                                            const json::value& current) {
  const api::WriteTarget target = update.target;
  CO_TRY_OUTCOME(json::value next, co_await update.make(current));
  const Outcome<Done> meant = check_preconditions(c, next, current);
  if (!meant.ok()) co_return meant.error();
  const bool part = is_pod_part(c.info.subresource) && c.storage->kind == "Pod";
  if (part) next = only_pod_part(c.info.subresource, next, current);
  const auto prepare = [&] {
    api::default_object(*c.storage, m_.hooks, next);
    api::prepare_update(*c.storage, m_.hooks, target, next, current);
  };
  prepare();
  // What admission changes is nobody's.
  if (update.owners == Owners::kTrack) track_update(field_writer(c), &current, next);
  if (admission_.changes_updates(c)) {
    const Outcome<Done> mutated = co_await admission_.mutate(c, next, &current);
    if (!mutated.ok()) co_return mutated.error();
    prepare();
  }
  if (m_.guard != nullptr) {
    const Outcome<Done> may = m_.guard->check_write(c, next, &current);
    if (!may.ok()) co_return may.error();
  }
  const json::value before =
      part ? with_pod_part(c.info.subresource, current, next) : json::value();
  api::FieldErrors errors = co_await admin_access_errors(m_, c, next, &current);
  errors.append(api::validate_update(*c.storage, m_.hooks, target, next, part ? before : current));
  if (part) check_pod_part(c.info.subresource, next, current, errors);
  if (!errors.empty()) co_return api::invalid_error(c.group_kind(), c.info.name, errors);
  if (target == api::WriteTarget::kObject) warn(c, next, &current);
  const Outcome<Done> admitted = co_await admission_.validate(c, next, &current);
  if (!admitted.ok()) co_return admitted.error();
  Change change;
  if (may_vanish(next)) {
    change.kind = Change::Kind::kDelete;
  } else if (!api::same_object(next, current)) {
    change.kind = Change::Kind::kPut;
  }
  change.object = std::move(next);
  co_return change;
}

Task<Outcome<Saved>> Writer::update_object(Context& c, api::WriteTarget target, Make make,
                                           Owners owners) {
  return update_object_later(
      c, target,
      [make = std::move(make)](const json::value& current) -> Task<Outcome<json::value>> {
        co_return make(current);
      },
      owners);
}

Task<Outcome<Saved>> Writer::update_object_later(Context& c, api::WriteTarget target,
                                                 MakeLater make, Owners owners) {
  Update update{target, owners, std::move(make)};
  if (is_service(c) && target == api::WriteTarget::kObject) {
    co_return co_await update_service(c, std::move(update));
  }
  const DecideLater decide = [this, &c, update, warnings = c.warnings](
                                 const json::value& current) -> Task<Outcome<Change>> {
    c.warnings = warnings;
    return decide_update(c, update, current);
  };
  co_return co_await access_.mutate_later({c.storage, c.info.ns, c.info.name}, decide, c.dry_run);
}

// Addresses and ports are taken in the store before the service is written, for the object as it
// will be; should that be another one by then, the write starts over.
Task<Outcome<Saved>> Writer::update_service(Context& c, Update update) {
  const Target where{c.storage, c.info.ns, c.info.name};
  const std::vector<std::string> warnings = c.warnings;
  for (int attempt = 0; attempt < StoreAccess::kAttemptsMax; ++attempt) {
    CO_TRY_OUTCOME(const json::value seen, co_await access_.read(where));
    ServiceClaims claims;
    // First dry: also says whether the write is a good one at all.
    auto change = co_await decide_update(c, update, seen);
    if (change.ok() && change->kind == Change::Kind::kPut) {
      CO_TRY_OUTCOME(claims, co_await services_.claim(change->object, seen, c.dry_run));
    }
    bool moved = false;
    const DecideLater decide = [&](const json::value& current) -> Task<Outcome<Change>> {
      c.warnings = warnings;
      CO_TRY_OUTCOME(Change decided, co_await decide_update(c, update, current));
      moved = api::resource_version_of(current) != api::resource_version_of(seen);
      if (moved) {
        decided.kind = Change::Kind::kNone;
        co_return decided;
      }
      if (decided.kind == Change::Kind::kPut) claims.fill(decided.object);
      co_return decided;
    };
    auto saved = co_await access_.mutate_later(where, decide, c.dry_run);
    if (!saved.ok() || moved) {
      if (saved.ok() || saved.error().http_code < 500) co_await services_.give_back(claims);
      if (!saved.ok()) co_return saved;
      const Status fresh = co_await m_.feed.read_barrier();
      if (!fresh.ok()) co_return store_error(fresh, false);
      continue;
    }
    if (saved->changed && !c.dry_run) {
      const json::value now = saved->deleted ? json::value() : tree_of(*c.storage, *saved->tail);
      co_await services_.release_unused(seen, now);
    }
    co_return saved;
  }
  co_return api::conflict_error(c.group_name(), c.info.name, api::kStaleObject);
}

Task<Outcome<json::value>> Writer::updated(Context& c, const json::value& object,
                                           const json::value& current) {
  if (c.resource != c.storage && c.resource->custom) {
    CO_TRY_OUTCOME(const json::value old,
                   co_await convert_version(m_, *c.storage, *c.resource, current));
    const Outcome<Done> good = check_served_version(c, object, &old);
    if (!good.ok()) co_return good.error();
  }
  CO_TRY_OUTCOME(json::value next, co_await convert_version(m_, *c.resource, *c.storage, object));
  if (c.info.subresource == "approval") keep_but_verdicts(next, current);
  co_return next;
}

Task<Reply> Writer::update(Context& c) {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m_.catalog, c.resource->kind));
  CO_TRY_OUTCOME(json::value object, decode_named(c, std::move(body)));
  const MakeLater make = [this, &c, &object](const json::value& current) {
    return updated(c, object, current);
  };
  Outcome<Saved> saved = co_await update_object_later(c, write_target(c), make);
  const bool missing = !saved.ok() && saved.error().http_code == 404;
  if (missing && c.resource->create_on_update && c.info.subresource.empty()) {
    erase_key(api::metadata_of(object), "resourceVersion");
    CO_TRY_OUTCOME(const Saved made, co_await create_object(c, std::move(object)));
    co_return co_await reply(c, 201, made.tail);
  }
  if (!saved.ok()) co_return saved.error();
  co_return co_await reply(c, 200, saved->tail);
}

}  // namespace coracle::apiserver
