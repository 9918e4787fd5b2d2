// WebhookBook: the webhooks that there are, in the order in which they are asked: by the name of
// their configuration, then as they stand there. Read from the watch cache when that has changed.
//
// Thread: apiserver strand.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/cel/cel.hpp"
#include "apiserver/admission/plugin.hpp"
#include "apiserver/remote/hook_client.hpp"

namespace coracle::apiserver {

struct Webhook {
  std::string configuration, name;
  std::string id;      // unlike any other's
  json::value config;  // the entry of the configuration
  Result<HookConfig> target = invalid_argument("");
  std::vector<Result<api::cel::Program>> conditions;
  std::string review_version;  // v1 or v1beta1
  bool fails_closed = true, may_repeat = false;
  Duration timeout{};
};
using Webhooks = std::vector<std::shared_ptr<const Webhook>>;

class WebhookBook {
 public:
  // `prefix`: "mutatingwebhookconfigurations" or the validating ones.
  std::shared_ptr<const Webhooks> read(const StoreFeed& feed, std::string_view prefix);

 private:
  std::shared_ptr<const Webhooks> hooks_ = std::make_shared<const Webhooks>();
  std::int64_t as_of_ = -1;
  std::size_t size_ = 0;
};

// The resource in whose version the webhook wants to be asked; nullptr: it is not to be asked.
// Rules and selectors only.
Result<const api::ResourceInfo*> webhook_fits(const Admitted& a, const Webhook& hook,
                                              const json::value* object, const json::value* old);
// matchConditions, of objects in the version of `request` (an AdmissionRequest with the objects).
// An error that decides gives Forbidden.
Outcome<bool> conditions_fit(const Admitted& a, const Webhook& hook, const json::value& request);
// Whether each expression of the configuration's matchConditions compiles to a bool.
api::FieldErrors check_conditions(const json::value& configuration);
// Webhooks and policies do not watch over themselves.
bool exempt_from_webhooks(const Admitted& a);

}  // namespace coracle::apiserver
