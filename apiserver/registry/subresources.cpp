#include "apiserver/registry/subresources.hpp"

#include "api/object.hpp"
#include "api/table.hpp"
#include "apiserver/registry/scale_owners.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// The condition of this type with these fields, put in or replaced.
void set_condition(json::value& object, json::object condition) {
  json::value& slot = make_object(object, "status")["conditions"];
  json::array& list = slot.is_array() ? slot.get_array() : slot.emplace_array();
  for (json::value& present : list) {
    if (get_string(present, "type") == condition["type"].as_string()) {
      present = std::move(condition);
      return;
    }
  }
  list.push_back(std::move(condition));
}

// A Scale as the client asked for it: its Table has columns of its own.
json::value shown_scale(const Machinery& m, const Context& c, json::value scale) {
  if (c.format.shape == Format::Shape::kPartial) {
    return api::partial_object(scale, c.format.meta_version);
  }
  if (c.format.shape != Format::Shape::kTable) return scale;
  static const std::vector<api::Column> kColumns = {
      {"Desired", "integer", "", "How many there should be.", 0, ".spec.replicas", ""},
      {"Available", "integer", "", "How many there are.", 0, ".status.replicas", ""},
      {"Age", "date", "", "How long the object has been there.", 0, ".metadata.creationTimestamp",
       ""}};
  api::ResourceInfo info;
  info.columns = kColumns;
  const json::value* one[] = {&scale};
  json::object meta;
  meta["resourceVersion"] = api::resource_version_of(scale);
  api::TableOptions options;
  const auto include = api::parse_include_object(c.request.query.get("includeObject"));
  if (include.ok()) options.include = *include;
  options.meta_version = c.format.meta_version;
  return api::make_table(info, m.hooks, one, std::move(meta), m.executor.wall_now(), options);
}

constexpr int kEvictionTries = 20;  // of those that lost a race; as upstream
constexpr Duration kEvictionPause = std::chrono::milliseconds(500);
constexpr int kUnsettledSeconds = 10;  // after which a client may ask again

bool is_ready(const json::value& pod) {
  for (const json::value& condition : get_array(pod, "status.conditions")) {
    if (get_string(condition, "type") == "Ready") return get_string(condition, "status") == "True";
  }
  return false;
}

bool may_become_ready(const json::value& pod) {
  return get_string(pod, "status.phase") == "Pending" && api::deletion_timestamp_of(pod).empty();
}

bool goes_without_budget(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed" || phase == "Pending" ||
         !api::deletion_timestamp_of(pod).empty();
}

bool lets_unready_go(const json::value& budget) {
  if (get_string(budget, "spec.unhealthyPodEvictionPolicy") == "AlwaysAllow") return true;
  const std::int64_t wanted = get_int(budget, "status.desiredHealthy");
  return wanted > 0 && get_int(budget, "status.currentHealthy") >= wanted;
}

api::ApiError no_eviction(const std::string& why, int retry_seconds) {
  api::ApiError error = api::too_many_requests_error(
      "Cannot evict pod as it would violate the pod's disruption budget.", retry_seconds);
  api::add_cause(error, "DisruptionBudget", why);
  return error;
}

api::ApiError budget_unsettled(const std::string& budget) {
  return no_eviction("The disruption budget " + budget + " is still being processed by the server.",
                     kUnsettledSeconds);
}

}  // namespace

Task<Outcome<json::value>> Subresources::read_fresh(Context& c) {
  const Outcome<Done> fresh = co_await reader_.freshen(std::nullopt);
  if (!fresh.ok()) co_return fresh.error();
  const ObjectPtr object = c.cache->find(c.key());
  if (!object) co_return api::not_found_error(c.group_name(), c.info.name);
  co_return tree_of(*c.storage, *object->tail());
}

Task<Reply> Subresources::handle(Context& c) {
  const std::string& sub = c.info.subresource;
  const std::string& verb = c.info.verb;
  if (sub == "scale") {
    if (verb == "get") co_return co_await get_scale(c);
    if (verb == "update") co_return co_await put_scale(c);
    if (verb == "patch") co_return co_await patch_scale(c);
  }
  if (sub == "binding" && verb == "create") co_return co_await bind(c);
  if (sub == "eviction" && verb == "create") co_return co_await evict(c);
  if (sub == "finalize" && verb == "update") co_return co_await finalize(c);
  if (sub == "ephemeralcontainers" || sub == "resize") {
    if (verb == "get") co_return co_await reader_.get(c);
    if (verb == "update") co_return co_await writer_.update(c);
    if (verb == "patch") co_return co_await writer_.patch(c);
  }
  co_return api::method_not_allowed_error();
}

Task<Reply> Subresources::get_scale(Context& c) {
  CO_TRY_OUTCOME(const json::value object, co_await read_fresh(c));
  auto scale = api::scale_of(*c.storage, object);
  if (!scale.ok()) co_return api::internal_api_error(scale.status().message());
  co_return reply_document(c.format, 200, shown_scale(m_, c, *std::move(scale)));
}

Task<Outcome<Saved>> Subresources::write_scale(
    Context& c, std::function<Outcome<json::value>(json::value)> make) {
  const Writer::Make next = [&c, make](const json::value& current) -> Outcome<json::value> {
    auto scale = api::scale_of(*c.storage, current);
    if (!scale.ok()) return api::internal_api_error(scale.status().message());
    TRY_OUTCOME(const json::value wanted, make(*std::move(scale)));
    const std::string version(api::resource_version_of(wanted));
    if (!version.empty() && version != api::resource_version_of(current)) {
      return api::conflict_error(c.group_name(), c.info.name, api::kStaleObject);
    }
    if (get_int(wanted, "spec.replicas") < 0) {
      api::FieldErrors errors;
      errors.invalid(api::FieldPath("spec").child("replicas"),
                     json::value(get_int(wanted, "spec.replicas")),
                     "must be greater than or equal to 0");
      return api::invalid_error({"autoscaling", "Scale"}, c.info.name, errors);
    }
    json::value object = current;
    const Status applied = api::apply_scale(*c.storage, wanted, object);
    if (!applied.ok()) return api::bad_request_error(applied.message());
    return object;
  };
  co_return co_await writer_.update_object(c, api::WriteTarget::kObject, next);
}

Task<Reply> Subresources::put_scale(Context& c) {
  CO_TRY_OUTCOME(const Body body, parse_body(c.request, m_.catalog, "Scale"));
  if (body.empty) co_return api::bad_request_error("the body of the request has no Scale");
  const std::string kind(api::kind_of(body.value));
  if (!kind.empty() && kind != "Scale") {
    co_return api::bad_request_error("the API version in the data (" +
                                     std::string(api::api_version_of(body.value)) +
                                     ") does not match the expected API version (autoscaling/v1)");
  }
  const std::string name(api::name_of(body.value));
  if (!name.empty() && name != c.info.name) {
    co_return api::bad_request_error("the name of the object (" + name +
                                     ") does not match the name on the URL (" + c.info.name + ")");
  }
  CO_TRY_OUTCOME(const Saved saved, co_await write_scale(c, [&body](json::value) {
                   return Outcome<json::value>(body.value);
                 }));
  co_return reply_scale(c, saved);
}

Task<Reply> Subresources::patch_scale(Context& c) {
  CO_TRY_OUTCOME(Patch patch, parse_patch(c.request));
  if (patch.apply) co_return co_await apply_scale(c, std::move(patch));
  const api::Schema* schema = m_.catalog.body_schema("autoscaling/v1", "Scale");
  CHECK_MSG(schema != nullptr, "the catalog has no Scale");
  const auto make = [&](json::value scale) { return patched_object(c, patch, scale, *schema); };
  CO_TRY_OUTCOME(const Saved saved, co_await write_scale(c, make));
  co_return reply_scale(c, saved);
}

Task<Reply> Subresources::apply_scale(Context& c, Patch patch) {
  const Outcome<Done> allowed = check_apply(c, patch);
  if (!allowed.ok()) co_return allowed.error();
  const ApplyRequest request{std::move(patch.document), query_flag(c.request.query, "force"),
                             c.info.ns, c.info.name};
  const Writer::Make make = [this, &c, &request](const json::value& current) {
    return apply_scale_configuration(writer_.field_writer(c), current, request);
  };
  CO_TRY_OUTCOME(const Saved saved, co_await writer_.update_object(c, api::WriteTarget::kObject,
                                                                   make, Writer::Owners::kGiven));
  co_return reply_scale(c, saved);
}

Reply Subresources::reply_scale(const Context& c, const Saved& saved) const {
  auto scale = api::scale_of(*c.storage, tree_of(*c.storage, *saved.tail));
  if (!scale.ok()) return api::internal_api_error(scale.status().message());
  return reply_document(c.format, 200, shown_scale(m_, c, *std::move(scale)));
}

Task<Reply> Subresources::bind(Context& c) {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m_.catalog, "Binding"));
  const Outcome<Done> admitted = co_await admission_.admit_body(c, "CREATE", body.value);
  if (!admitted.ok()) co_return admitted.error();
  const std::string node(get_string(body.value, "target.name"));
  const std::string kind(get_string(body.value, "target.kind", "Node"));
  if (node.empty() || (kind != "Node" && kind != "Minion")) {
    api::FieldErrors errors;
    const api::FieldPath target("target");
    if (node.empty()) errors.required(target.child("name"));
    if (!node.empty()) errors.not_supported(target.child("kind"), json::value(kind), {"Node", ""});
    co_return api::invalid_error({"", "Binding"}, c.info.name, errors);
  }
  const Decide decide = [&](json::value& pod) -> Outcome<Change> {
    const auto conflict = [&](const std::string& why) {
      return api::conflict_error({"", "pods/binding"}, c.info.name, why);
    };
    const std::string uid(api::uid_of(body.value));
    if (!uid.empty() && uid != api::uid_of(pod)) {
      return conflict("Precondition failed: UID in precondition: " + uid +
                      ", UID in object meta: " + std::string(api::uid_of(pod)));
    }
    if (!api::deletion_timestamp_of(pod).empty()) {
      return conflict("pod " + c.info.name + " is being deleted, cannot be assigned to a host");
    }
    const std::string_view bound = get_string(pod, "spec.nodeName");
    if (!bound.empty()) {
      return conflict("pod " + c.info.name + " is already assigned to node " + quoted(bound));
    }
    Change change{Change::Kind::kPut, std::move(pod)};
    set_path(change.object, "spec.nodeName", json::value(node));
    make_object(change.object, "status").erase("nominatedNodeName");
    for (const auto& note : get_object(body.value, "metadata.annotations")) {
      if (!note.value().is_string()) continue;
      api::set_annotation(change.object, note.key(), note.value().get_string());
    }
    set_condition(change.object, {{"type", "PodScheduled"},
                                  {"status", "True"},
                                  {"lastProbeTime", nullptr},
                                  {"lastTransitionTime", format_time(m_.executor.wall_now())}});
    return change;
  };
  const Outcome<Saved> saved =
      co_await access_.mutate({c.storage, c.info.ns, c.info.name}, decide, c.dry_run);
  if (!saved.ok()) co_return saved.error();
  co_return reply_document(c.format, 201, api::plain_success_status(201));
}

// One disruption less in the pod's budget, or 429. Answers the budget's name when the pod may go
// for nothing, but only as it is now: it counts for nothing while it is not ready.
Task<Outcome<std::string>> Subresources::spend_budget(Context& c, const json::value& pod) {
  const api::ResourceInfo* budgets = m_.catalog.find("policy", "v1", "poddisruptionbudgets");
  const ResourceCache* cache = budgets ? m_.feed.cache(budgets->storage_prefix) : nullptr;
  if (cache == nullptr) co_return std::string();
  std::vector<std::string> names;
  cache->scan(c.info.ns, "", [&](const ObjectPtr& object) {
    const json::value budget = tree_of(*budgets, *object->tail());
    const auto selector = api::LabelSelector::from_object(find(budget, "spec.selector"));
    const bool meant = selector.ok() && selector->matches(api::labels_of(pod));
    if (meant) names.emplace_back(object->name());
    return true;
  });
  if (names.empty()) co_return std::string();
  if (names.size() > 1) {
    co_return api::unknown_error(
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
        "support.");
  }
  bool free = false;
  const Decide decide = [&](const json::value& budget) -> Outcome<Change> {
    free = !is_ready(pod) && lets_unready_go(budget);
    if (free) return Change{};
    const std::int64_t allowed = get_int(budget, "status.disruptionsAllowed");
    if (get_int(budget, "status.observedGeneration") < api::generation_of(budget)) {
      return budget_unsettled(names[0]);
    }
    if (allowed < 0) {
      return api::forbidden_error({"policy", "poddisruptionbudget"}, names[0],
                                  "pdb disruptions allowed is negative");
    }
    if (allowed == 0) {
      return no_eviction(
          "The disruption budget " + names[0] + " needs " +
              std::to_string(get_int(budget, "status.desiredHealthy")) + " healthy pods and has " +
              std::to_string(get_int(budget, "status.currentHealthy")) + " currently",
          0);
    }
    Change change{Change::Kind::kPut, budget};
    json::object& status = make_object(change.object, "status");
    status["disruptionsAllowed"] = allowed - 1;
    make_object(change.object, "status.disruptedPods")[c.info.name] =
        format_time(m_.executor.wall_now());
    return change;
  };
  const Outcome<Saved> saved =
      co_await access_.mutate({budgets, c.info.ns, names[0]}, decide, c.dry_run);
  if (!saved.ok()) co_return saved.error();
  co_return free ? names[0] : std::string();
}

// The pod says why it goes: its Job, and who looks at it, can tell.
Task<Outcome<Done>> Subresources::mark_evicted(Context& c, DeleteOptions& options) {
  if (c.dry_run) co_return Done{};
  const Decide decide = [&](const json::value& pod) -> Outcome<Change> {
    const bool same = (options.uid.empty() || options.uid == api::uid_of(pod)) &&
                      (options.resource_version.empty() ||
                       options.resource_version == api::resource_version_of(pod));
    if (!same) return Change{};  // the deletion refuses it, and says why
    Change change{Change::Kind::kPut, pod};
    set_condition(change.object, {{"type", "DisruptionTarget"},
                                  {"status", "True"},
                                  {"lastTransitionTime", format_time(m_.executor.wall_now())},
                                  {"reason", "EvictionByEvictionAPI"},
                                  {"message", "Eviction API: evicting"}});
    return change;
  };
  const Outcome<Saved> saved =
      co_await access_.mutate({c.storage, c.info.ns, c.info.name}, decide, false);
  if (!saved.ok()) co_return saved.error();
  // It is we who changed it.
  if (saved->changed && !options.resource_version.empty()) {
    options.resource_version = std::to_string(saved->revision);
  }
  co_return Done{};
}

Task<Reply> Subresources::evict(Context& c) {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m_.catalog, "Eviction"));
  if (api::name_of(body.value) != c.info.name) {
    co_return api::bad_request_error("name in URL does not match name in Eviction object");
  }
  const Outcome<Done> admitted = co_await admission_.admit_body(c, "CREATE", body.value);
  if (!admitted.ok()) co_return admitted.error();
  const json::value* given = find(body.value, "deleteOptions");
  CO_TRY_OUTCOME(DeleteOptions asked,
                 delete_options_of(given == nullptr ? json::value(json::object()) : *given));
  c.dry_run = c.dry_run || asked.dry_run;
  for (int left = kEvictionTries;; --left) {
    CO_TRY_OUTCOME(const json::value pod, co_await read_fresh(c));
    DeleteOptions options = asked;
    std::string budget;
    const bool harmless = goes_without_budget(pod);
    if (!harmless) {
      CO_TRY_OUTCOME(budget, co_await spend_budget(c, pod));
    }
    // What may go only because it is not ready must not have become ready meanwhile.
    const bool pinned = options.resource_version.empty() &&
                        (!budget.empty() || (harmless && may_become_ready(pod)));
    if (pinned) options.resource_version = api::resource_version_of(pod);
    Outcome<Done> gone = co_await mark_evicted(c, options);
    if (gone.ok()) {
      const Outcome<Saved> removed = co_await remover_.remove_object(c, options);
      if (removed.ok()) break;
      gone = removed.error();
    }
    const bool lost = pinned && gone.error().http_code == 409;
    if (lost && !budget.empty()) co_return budget_unsettled(budget);
    if (!lost || left == 0) co_return gone.error();
    co_await sleep_on(m_.executor, kEvictionPause);
  }
  co_return reply_document(c.format, 201, api::plain_success_status(201));
}

// Namespaces: the only way to change spec.finalizers; the last one gone, so is the namespace.
Task<Reply> Subresources::finalize(Context& c) {
  CO_TRY_OUTCOME(Body body, parse_body(c.request, m_.catalog, c.resource->kind));
  CO_TRY_OUTCOME(const json::value wanted, decode_object(c, *c.resource, std::move(body)));
  const DecideLater decide = [&](const json::value& current) -> Task<Outcome<Change>> {
    const std::string version(api::resource_version_of(wanted));
    if (!version.empty() && version != api::resource_version_of(current)) {
      co_return api::conflict_error(c.group_name(), c.info.name, api::kStaleObject);
    }
    Change change{Change::Kind::kPut, current};
    set_path(change.object, "spec.finalizers", json::value(get_array(wanted, "spec.finalizers")));
    Outcome<Done> admitted = co_await admission_.mutate(c, change.object, &current);
    if (admitted.ok()) admitted = co_await admission_.validate(c, change.object, &current);
    if (!admitted.ok()) co_return admitted.error();
    const bool empty = get_array(change.object, "spec.finalizers").empty();
    if (empty) erase_key(make_object(change.object, "spec"), "finalizers");
    const bool over = empty && !api::deletion_timestamp_of(current).empty() &&
                      api::finalizers_of(current).empty();
    if (over) {
      change.kind = Change::Kind::kDelete;
    } else if (api::same_object(change.object, current)) {
      change.kind = Change::Kind::kNone;
    }
    co_return change;
  };
  CO_TRY_OUTCOME(const Saved saved, co_await access_.mutate_later(
                                        {c.storage, c.info.ns, c.info.name}, decide, c.dry_run));
  co_return reply_object(m_, c, 200, saved.tail);
}

}  // namespace coracle::apiserver
