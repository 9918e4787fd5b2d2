// MutatingAdmissionWebhook: webhooks that may change the object, one after the other; and that the
// conditions of both kinds of configurations compile.
#include "api/object.hpp"
#include "api/patch.hpp"
#include "api/strategy.hpp"
#include "apiserver/admission/plugins.hpp"
#include "apiserver/admission/webhook_call.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

// Those that ran before a change and asked for it will run again.
void run_earlier_again(Rounds& rounds) {
  rounds.again.merge(rounds.called);
  rounds.called.clear();
}

void note_round(Admitted& a, const Webhook& hook, const std::string& place, bool changed) {
  json::object note;
  note["configuration"] = hook.configuration;
  note["webhook"] = hook.name;
  note["mutated"] = changed;
  a.c.audit_annotations["mutation.webhook.admission.k8s.io/" + place] =
      to_json(json::value(std::move(note)));
}

// The patch into the object; whether that made another one of it.
Task<Outcome<bool>> patch_object(Admitted& a, const Webhook& hook, const api::ResourceInfo& as,
                                 json::value patch, json::value* object) {
  if (!patch.is_array() || patch.get_array().empty()) co_return false;
  if (object == nullptr) {
    co_return api::internal_api_error("admission webhook " + quoted(hook.name) +
                                      " attempted to modify the object, which is not supported "
                                      "for this operation");
  }
  CO_TRY_OUTCOME(const json::value shown, co_await shown_to_webhook(a, as, *object));
  auto patched = api::apply_json_patch(shown, patch);
  if (!patched.ok()) co_return api::internal_api_error(patched.status().message());
  if (!patched->is_object()) {
    co_return api::internal_api_error("the patched object is not an object");
  }
  const bool changed = *patched != shown;
  if (!changed) co_return false;
  CO_TRY_OUTCOME(*object, co_await taken_from_webhook(a, as, *std::move(patched), *object));
  co_return true;
}

}  // namespace

Task<Outcome<Done>> change_by_webhooks(Admitted& a, json::value* object, const json::value* old) {
  const auto hooks = a.state.mutating->read(a.m.feed, "mutatingwebhookconfigurations");
  if (hooks->empty() || exempt_from_webhooks(a)) co_return Done{};
  Rounds& rounds = a.rounds;
  // In the second round: others changed what the webhooks had seen.
  if (rounds.second && object != nullptr && *object != rounds.seen) run_earlier_again(rounds);
  for (std::size_t index = 0; index < hooks->size(); ++index) {
    const std::shared_ptr<const Webhook> hook = (*hooks)[index];
    if (rounds.second && !rounds.again.contains(hook->id)) continue;
    CO_TRY_OUTCOME(auto call, co_await prepare_call(a, hook, object, old));
    if (!call) continue;
    const api::ResourceInfo& as = *call->as;
    const std::string place =
        std::string(rounds.second ? "round_1" : "round_0") + "_index_" + std::to_string(index);
    call->place = place;
    CO_TRY_OUTCOME(WebhookAnswer answer, co_await call_webhook(a, *std::move(call), true));
    if (!answer.verdict.allowed) co_return webhook_denial(hook->name, answer.verdict.result);
    CO_TRY_OUTCOME(const bool changed,
                   co_await patch_object(a, *hook, as, std::move(answer.verdict.patch), object));
    note_round(a, *hook, place, changed);
    if (changed) {
      run_earlier_again(rounds);
      rounds.wanted = true;
    }
    if (hook->may_repeat) rounds.called.insert(hook->id);
  }
  if (object != nullptr) rounds.seen = *object;
  co_return Done{};
}

Outcome<Done> check_webhook_configuration(Admitted& a, const json::value* object,
                                          const json::value* old) {
  const bool configuration = a.is("admissionregistration.k8s.io", "MutatingWebhookConfiguration") ||
                             a.is("admissionregistration.k8s.io", "ValidatingWebhookConfiguration");
  if (!configuration || object == nullptr) return Done{};
  const api::FieldErrors errors = check_conditions(*object);
  // What stood there already may stay.
  if (errors.empty() || (old != nullptr && !check_conditions(*old).empty())) return Done{};
  return api::invalid_error(a.c.group_kind(), api::name_of(*object), errors);
}

}  // namespace coracle::apiserver
