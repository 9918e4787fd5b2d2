// webhook_call: one question to one admission webhook: in which version the objects are shown, what
// is sent, and what becomes of no answer. Shared by the mutating and the validating plugin.
#pragma once

#include "apiserver/admission/admission_review.hpp"
#include "apiserver/admission/webhook_book.hpp"

namespace coracle::apiserver {

// A webhook that is to be asked, and the AdmissionRequest for it.
struct WebhookCall {
  std::shared_ptr<const Webhook> hook;
  const api::ResourceInfo* as = nullptr;  // the version of its objects
  json::value request;                    // object and oldObject in it
  std::string place;                      // for the audit log: "round_0_index_2"
};
// nullopt: the webhook has nothing to say to this request.
Task<Outcome<std::optional<WebhookCall>>> prepare_call(Admitted& a,
                                                       std::shared_ptr<const Webhook> hook,
                                                       const json::value* object,
                                                       const json::value* old);

// What came of a call.
struct WebhookAnswer {
  AdmissionVerdict verdict;
  bool answered = true;  // false: it failed, and failurePolicy lets the request pass
};
// Refusals are not errors here; failures of a webhook that fails closed are: 500 `Internal error
// occurred: failed calling webhook "x": ...`. Adds warnings and audit annotations.
Task<Outcome<WebhookAnswer>> call_webhook(Admitted& a, WebhookCall call, bool mutating);

// The object in the version `as`, with the subresource's own view (Scale), and back. `shown` is of
// that version; the object keeps what the view does not show.
Task<Outcome<json::value>> shown_to_webhook(Admitted& a, const api::ResourceInfo& as,
                                            const json::value& object);
Task<Outcome<json::value>> taken_from_webhook(Admitted& a, const api::ResourceInfo& as,
                                              json::value shown, const json::value& object);

}  // namespace coracle::apiserver
