#include "apiserver/registry/remover.hpp"

#include <algorithm>

#include "api/custom_kind.hpp"
#include "api/object.hpp"
#include "apiserver/registry/conversion.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";
constexpr std::int64_t kPodGraceSeconds = 30;

Outcome<DeleteOptions> from_query(const net::Query& query) {
  DeleteOptions out;
  const std::string_view grace = query.get("gracePeriodSeconds");
  long long seconds = 0;
  if (!grace.empty() && !parse_int(grace, &seconds)) {
    return api::bad_request_error("strconv.ParseInt: parsing " + quoted(grace) +
                                  ": invalid syntax");
  }
  if (!grace.empty()) out.grace_seconds = seconds;
  out.propagation = query.get("propagationPolicy");
  if (query.has("orphanDependents") && out.propagation.empty()) {
    out.propagation = query_flag(query, "orphanDependents") ? "Orphan" : "Background";
  }
  out.dry_run = query.get("dryRun") == "All";
  return out;
}

// Puts the finalizers in that make the garbage collector act as asked, and takes the others out.
void set_propagation(json::value& object, const std::string& policy) {
  if (policy.empty()) return;
  if (policy == "Orphan") {
    api::add_finalizer(object, kOrphan);
  } else {
    api::remove_finalizer(object, kOrphan);
  }
  if (policy == "Foreground") {
    api::add_finalizer(object, kForeground);
  } else {
    api::remove_finalizer(object, kForeground);
  }
}

// How long a pod may take to end; nobody has to wait for one that runs nowhere.
std::int64_t pod_grace(const json::value& pod, std::optional<std::int64_t> asked) {
  std::int64_t grace =
      asked.value_or(get_int(pod, "spec.terminationGracePeriodSeconds", kPodGraceSeconds));
  const std::string_view phase = get_string(pod, "status.phase");
  if (get_string(pod, "spec.nodeName").empty() || phase == "Succeeded" || phase == "Failed") {
    grace = 0;
  }
  return grace < 0 ? 1 : grace;
}

bool is_definition(const api::ResourceInfo& storage) {
  return storage.kind == "CustomResourceDefinition" && storage.group == "apiextensions.k8s.io";
}

// A definition goes after its objects.
void hold_definition(json::value& definition, const std::string& now) {
  api::add_finalizer(definition, api::kCustomFinalizer);
  api::set_definition_condition(definition, "Terminating", true, "InstanceDeletionPending",
                                "CustomResourceDefinition marked for deletion; CustomResource "
                                "deletion will begin soon",
                                now);
}

void mark_deleted(json::value& object, WallTime at, std::int64_t grace, bool generation) {
  json::object& metadata = api::metadata_of(object);
  metadata["deletionTimestamp"] = format_time(at);
  metadata["deletionGracePeriodSeconds"] = grace;
  const std::int64_t now = api::generation_of(object);
  if (generation && now > 0) metadata["generation"] = now + 1;
}

}  // namespace

json::value DeleteOptions::to_json() const {
  json::object out;
  out["kind"] = "DeleteOptions";
  out["apiVersion"] = "meta.k8s.io/v1";
  if (grace_seconds) out["gracePeriodSeconds"] = *grace_seconds;
  json::object preconditions;
  if (!uid.empty()) preconditions["uid"] = uid;
  if (!resource_version.empty()) preconditions["resourceVersion"] = resource_version;
  if (!preconditions.empty()) out["preconditions"] = std::move(preconditions);
  if (!propagation.empty()) out["propagationPolicy"] = propagation;
  if (dry_run) out["dryRun"].emplace_array().emplace_back("All");
  return out;
}

Outcome<DeleteOptions> delete_options_of(const json::value& body) {
  DeleteOptions out;
  const json::value* grace = find(body, "gracePeriodSeconds");
  if (grace != nullptr && !grace->is_null()) {
    if (!grace->is_int64()) {
      return api::bad_request_error(
          "json: cannot unmarshal into Go struct field DeleteOptions.gracePeriodSeconds of type "
          "int64");
    }
    out.grace_seconds = grace->get_int64();
  }
  out.uid = get_string(body, "preconditions.uid");
  out.resource_version = get_string(body, "preconditions.resourceVersion");
  out.propagation = get_string(body, "propagationPolicy");
  const json::value* orphan = find(body, "orphanDependents");
  if (orphan != nullptr && orphan->is_bool() && out.propagation.empty()) {
    out.propagation = orphan->get_bool() ? "Orphan" : "Background";
  }
  const json::array& dry = get_array(body, "dryRun");
  out.dry_run = !dry.empty() && dry[0] == json::value("All");
  return out;
}

Outcome<DeleteOptions> parse_delete_options(const Context& c, const api::Catalog& catalog) {
  TRY_OUTCOME(const Body body, parse_body(c.request, catalog, "DeleteOptions"));
  TRY_OUTCOME(DeleteOptions options,
              body.empty ? from_query(c.request.query) : delete_options_of(body.value));
  const std::string& policy = options.propagation;
  if (!policy.empty() && policy != "Foreground" && policy != "Background" && policy != "Orphan") {
    api::FieldErrors errors;
    errors.not_supported(api::FieldPath("propagationPolicy"), json::value(policy),
                         {"Foreground", "Background", "Orphan", "nil"});
    return api::invalid_error({"meta.k8s.io", "DeleteOptions"}, "", errors);
  }
  return options;
}

Outcome<Change> Remover::decide(const Context& c, const DeleteOptions& options,
                                const json::value& current) const {
  const auto precondition = [&](std::string_view what, const std::string& want,
                                std::string_view have) {
    return api::conflict_error(c.group_name(), c.info.name,
                               "Precondition failed: " + std::string(what) +
                                   " in precondition: " + want + ", " + std::string(what) +
                                   " in object meta: " + std::string(have));
  };
  if (!options.uid.empty() && options.uid != api::uid_of(current)) {
    return precondition("UID", options.uid, api::uid_of(current));
  }
  if (!options.resource_version.empty() &&
      options.resource_version != api::resource_version_of(current)) {
    return precondition("ResourceVersion", options.resource_version,
                        api::resource_version_of(current));
  }
  const bool is_pod = c.storage->kind == "Pod" && c.storage->group.empty();
  const bool is_namespace = c.storage->kind == "Namespace";
  Change change;
  change.object = current;
  set_propagation(change.object, options.propagation);
  if (is_definition(*c.storage) && api::deletion_timestamp_of(current).empty()) {
    hold_definition(change.object, format_time(m_.executor.wall_now()));
  }
  const bool deleting = !api::deletion_timestamp_of(current).empty();
  const bool held = !api::finalizers_of(change.object).empty() ||
                    (is_namespace && !get_array(current, "spec.finalizers").empty());
  const std::int64_t grace = is_pod ? pod_grace(current, options.grace_seconds) : 0;
  const WallTime now = m_.executor.wall_now();
  if (deleting) {
    const std::int64_t before = get_int(current, "metadata.deletionGracePeriodSeconds");
    if (grace > 0 && grace >= before) return Change{};
    if (grace == 0 && !held) {
      change.kind = Change::Kind::kDelete;
      return change;
    }
    const bool shorter = is_pod && grace < before;
    if (shorter) {
      const auto due = parse_time(api::deletion_timestamp_of(current));
      const WallTime base = due.ok() ? *due - std::chrono::seconds(before) : now;
      mark_deleted(change.object, base + std::chrono::seconds(grace), grace, false);
    }
    const bool changed =
        shorter || api::finalizers_of(change.object) != api::finalizers_of(current);
    change.kind = changed ? Change::Kind::kPut : Change::Kind::kNone;
    return change;
  }
  if (grace == 0 && !held) {
    change.kind = Change::Kind::kDelete;
    return change;
  }
  mark_deleted(change.object, now + std::chrono::seconds(grace), grace, true);
  if (is_namespace) set_path(change.object, "status.phase", json::value("Terminating"));
  change.kind = Change::Kind::kPut;
  return change;
}

Task<Outcome<Saved>> Remover::remove_object(Context& c, DeleteOptions options) {
  c.dry_run = c.dry_run || options.dry_run;
  const DecideLater decided = [this, &c, &options, warnings = c.warnings](
                                  const json::value& current) -> Task<Outcome<Change>> {
    c.warnings = warnings;
    // An eviction was admitted as one.
    if (c.info.subresource.empty()) {
      const Outcome<Done> admitted =
          co_await admission_.admit_delete(c, current, options.to_json());
      if (!admitted.ok()) co_return admitted.error();
    }
    co_return decide(c, options, current);
  };
  CO_TRY_OUTCOME(Saved saved, co_await access_.mutate_later({c.storage, c.info.ns, c.info.name},
                                                            decided, c.dry_run));
  const bool gone = saved.deleted && !c.dry_run;
  if (gone && c.storage->kind == "Service" && c.storage->group.empty()) {
    co_await services_.release_unused(tree_of(*c.storage, *saved.tail), json::value());
  }
  co_return saved;
}

Task<Reply> Remover::remove(Context& c) {
  CO_TRY_OUTCOME(const DeleteOptions options, parse_delete_options(c, m_.catalog));
  CO_TRY_OUTCOME(const Saved saved, co_await remove_object(c, options));
  if (!saved.deleted || c.resource->returns_object_on_delete) {
    if (converted_by_webhook(c)) {
      const Outcome<Done> made = co_await convert_served_tail(m_, c, saved.tail);
      if (!made.ok()) co_return made.error();
    }
    co_return reply_object(m_, c, 200, saved.tail);
  }
  const json::value was = tree_of(*c.storage, *saved.tail);
  co_return reply_document(c.format, 200,
                           api::success_status(c.group_name(), c.info.name, api::uid_of(was)));
}

Task<Reply> Remover::remove_collection(Context& c) {
  CO_TRY_OUTCOME(DeleteOptions options, parse_delete_options(c, m_.catalog));
  CO_TRY_OUTCOME(const Selection selection, Selection::parse(c));
  const Outcome<Done> fresh = co_await reader_.freshen(std::nullopt);
  if (!fresh.ok()) co_return fresh.error();
  const Reader::Page page = reader_.collect(c, selection);
  for (const ObjectPtr& object : page.objects) {
    Context one = c;
    one.info.ns = object->ns();
    one.info.name = object->name();
    const Outcome<Saved> removed = co_await remove_object(one, options);
    c.warnings = std::move(one.warnings);
    c.audit_annotations = std::move(one.audit_annotations);
    // Somebody else was faster: that is what was wanted.
    if (!removed.ok() && removed.error().http_code != 404) co_return removed.error();
  }
  if (converted_by_webhook(c)) {
    const Outcome<Done> made = co_await convert_served(m_, c, page.objects);
    if (!made.ok()) co_return made.error();
  }
  co_return reply_list(m_, c, page.objects, page.meta);
}

}  // namespace coracle::apiserver
