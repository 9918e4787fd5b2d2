#include "apiserver/admission/webhook_call.hpp"

#include "api/strategy.hpp"
#include "api/validate.hpp"
#include "apiserver/admission/request_match.hpp"
#include "apiserver/registry/conversion.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// Go leaves out what is empty.
void drop_empty(json::value& request) {
  json::object& members = request.get_object();
  for (const char* key : {"subResource", "requestSubResource", "name", "namespace"}) {
    if (get_string(request, key).empty()) erase_key(members, key);
  }
  json::object& user = make_object(request, "userInfo");
  if (get_string(request, "userInfo.uid").empty()) erase_key(user, "uid");
  if (get_array(request, "userInfo.groups").empty()) erase_key(user, "groups");
  if (get_object(request, "userInfo.extra").empty()) erase_key(user, "extra");
}

api::ApiError call_failed(const Webhook& hook, const std::string& why) {
  return api::internal_api_error("failed calling webhook " + quoted(hook.name) + ": " + why);
}

bool calls_dry(const Webhook& hook) {
  const std::string_view effects = get_string(hook.config, "sideEffects");
  return effects == "None" || effects == "NoneOnDryRun";
}

}  // namespace

Task<Outcome<json::value>> shown_to_webhook(Admitted& a, const api::ResourceInfo& as,
                                            const json::value& object) {
  if (a.own_body) co_return object;
  if (a.c.info.subresource == "scale") {
    auto scale = api::scale_of(*a.c.storage, object);
    if (!scale.ok()) co_return api::internal_api_error(scale.status().message());
    co_return *std::move(scale);
  }
  co_return co_await convert_version(a.m, *a.c.storage, as, object);
}

Task<Outcome<json::value>> taken_from_webhook(Admitted& a, const api::ResourceInfo& as,
                                              json::value shown, const json::value& object) {
  if (a.c.info.subresource == "scale") {
    json::value out = object;
    const Status applied = api::apply_scale(*a.c.storage, shown, out);
    if (!applied.ok()) co_return api::internal_api_error(applied.message());
    co_return out;
  }
  const api::Schema* schema = a.own_body ? a.m.catalog.body_schema(get_string(shown, "apiVersion"),
                                                                   get_string(shown, "kind"))
                                         : as.schema;
  if (schema != nullptr) {
    const Status decoded = api::decode_in_place(shown, *schema, nullptr);
    if (!decoded.ok()) co_return api::internal_api_error(decoded.message());
  }
  if (a.own_body) co_return shown;
  CO_TRY_OUTCOME(json::value back,
                 co_await convert_version(a.m, as, *a.c.storage, std::move(shown)));
  api::default_object(*a.c.storage, a.m.hooks, back);
  co_return back;
}

Task<Outcome<std::optional<WebhookCall>>> prepare_call(Admitted& a,
                                                       std::shared_ptr<const Webhook> hook,
                                                       const json::value* object,
                                                       const json::value* old) {
  const auto fits = webhook_fits(a, *hook, object, old);
  if (!fits.ok()) co_return api::internal_api_error(fits.status().message());
  if (*fits == nullptr) co_return std::optional<WebhookCall>();
  WebhookCall call{hook, *fits, request_object(a, **fits)};
  json::object& request = call.request.get_object();
  request["object"] = nullptr;
  request["oldObject"] = nullptr;
  if (object != nullptr) {
    CO_TRY_OUTCOME(request["object"], co_await shown_to_webhook(a, **fits, *object));
  }
  if (old != nullptr) {
    CO_TRY_OUTCOME(request["oldObject"], co_await shown_to_webhook(a, **fits, *old));
  }
  CO_TRY_OUTCOME(const bool wanted, conditions_fit(a, *hook, call.request));
  if (!wanted) co_return std::optional<WebhookCall>();
  co_return std::optional<WebhookCall>(std::move(call));
}

Task<Outcome<WebhookAnswer>> call_webhook(Admitted& a, WebhookCall call, bool mutating) {
  const Webhook& hook = *call.hook;
  if (a.c.dry_run && !calls_dry(hook)) {
    co_return api::bad_request_error("admission webhook " + quoted(hook.name) +
                                     " does not support dry run");
  }
  std::string failure;
  if (!hook.target.ok()) {
    failure = "could not get REST client: " + hook.target.status().message();
  } else if (a.m.webhooks == nullptr) {
    failure = "failed to call webhook: this server calls no webhooks";
  } else {
    const std::string uid = a.m.rng.uuid();
    json::object request{{"uid", uid}};
    drop_empty(call.request);
    for (auto& [key, value] : call.request.get_object()) request[key] = std::move(value);
    const auto answer = co_await a.m.webhooks->post(
        *hook.target,
        to_json(admission_review(hook.review_version, json::value(std::move(request)))),
        hook.timeout);
    if (!answer.ok()) {
      failure = "failed to call webhook: " + answer.status().message();
    } else {
      auto verdict = read_admission_answer(*answer, hook.review_version, uid, mutating);
      if (verdict.ok()) {
        for (const auto& [key, value] : verdict->annotations) {
          a.c.audit_annotations[hook.name + "/" + key] = value;
        }
        a.c.warnings.insert(a.c.warnings.end(), verdict->warnings.begin(), verdict->warnings.end());
        co_return WebhookAnswer{*std::move(verdict)};
      }
      failure = "received invalid webhook response: " + verdict.status().message();
    }
  }
  if (hook.fails_closed) co_return call_failed(hook, failure);
  log::warn("webhook {} fails open: {}", hook.name, failure);
  a.c.audit_annotations["failed-open." + std::string(mutating ? "mutating" : "validating") +
                        ".webhook.admission.k8s.io/" + call.place] = hook.name;
  co_return WebhookAnswer{{.allowed = true}, false};
}

}  // namespace coracle::apiserver
