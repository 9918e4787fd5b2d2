#include "apiserver/admission/admission.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "apiserver/admission/admission_config.hpp"
#include "apiserver/admission/image_policy.hpp"
#include "apiserver/admission/plugins.hpp"
#include "apiserver/admission/webhook_book.hpp"

namespace coracle::apiserver {

namespace {

std::unique_ptr<ImagePolicy> image_policy_of(const AdmissionConfig& config) {
  if (!config.is_on("ImagePolicyWebhook") || !config.image_policy) return nullptr;
  return std::make_unique<ImagePolicy>(*config.image_policy);
}

}  // namespace

AdmissionState::AdmissionState(const AdmissionConfig* given)
    : config(given == nullptr ? std::make_unique<AdmissionConfig>()
                              : std::make_unique<AdmissionConfig>(*given)),
      mutating(std::make_unique<WebhookBook>()),
      validating(std::make_unique<WebhookBook>()),
      images(image_policy_of(*config)) {}
AdmissionState::~AdmissionState() = default;

Admission::Admission(Machinery& machinery) : m_(machinery), state_(machinery.admission) {
  for (const Plugin& plugin : admission_plugins()) {
    if (state_.config->is_on(plugin.name)) plugins_.push_back(plugin);
  }
}
Admission::~Admission() = default;

Task<Outcome<Done>> Admission::mutate_once(Admitted& a, json::value* object,
                                           const json::value* old) {
  const bool fills = object != nullptr && old == nullptr && !a.own_body;
  for (const Plugin& plugin : plugins_) {
    if (a.own_body && !plugin.bodies) continue;
    if (fills && plugin.fill != nullptr) {
      const Outcome<Done> answer = co_await plugin.fill(a, *object);
      if (!answer.ok()) co_return answer;
    }
    if (plugin.change != nullptr) {
      const Outcome<Done> answer = co_await plugin.change(a, object, old);
      if (!answer.ok()) co_return answer;
    }
  }
  co_return Done{};
}

Task<Outcome<Done>> Admission::check(Admitted& a, const json::value* object,
                                     const json::value* old) {
  for (const Plugin& plugin : plugins_) {
    if (a.own_body && !plugin.bodies) continue;
    if (plugin.check != nullptr) {
      const Outcome<Done> answer = plugin.check(a, object, old);
      if (!answer.ok()) co_return answer;
    }
    if (plugin.ask != nullptr) {
      const Outcome<Done> answer = co_await plugin.ask(a, object, old);
      if (!answer.ok()) co_return answer;
    }
  }
  co_return Done{};
}

bool Admission::changes_updates(const Context& c) const {
  const bool pod = c.storage->kind == "Pod" && c.storage->group.empty();
  if (pod && c.info.subresource.empty()) return true;
  const ResourceCache* hooks = m_.feed.cache("mutatingwebhookconfigurations");
  return hooks != nullptr && hooks->size() > 0;
}

Task<Outcome<Done>> Admission::mutate(Context& c, json::value& object, const json::value* old) {
  Admitted a{m_, c, state_, old == nullptr ? "CREATE" : "UPDATE"};
  Outcome<Done> answer = co_await mutate_once(a, &object, old);
  if (!answer.ok() || !a.rounds.wanted) co_return answer;
  a.rounds.second = true;
  co_return co_await mutate_once(a, &object, old);
}

Task<Outcome<Done>> Admission::validate(Context& c, const json::value& object,
                                        const json::value* old) {
  Admitted a{m_, c, state_, old == nullptr ? "CREATE" : "UPDATE"};
  co_return co_await check(a, &object, old);
}

Task<Outcome<Done>> Admission::admit_delete(Context& c, const json::value& old,
                                            json::value options) {
  Admitted a{m_, c, state_, "DELETE"};
  a.options = std::move(options);
  const Outcome<Done> answer = co_await mutate_once(a, nullptr, &old);
  if (!answer.ok()) co_return answer;
  co_return co_await check(a, nullptr, &old);
}

Task<Outcome<Done>> Admission::admit_body(Context& c, std::string_view operation,
                                          json::value& body) {
  constexpr std::string_view kWatchers[] = {"mutatingwebhookconfigurations",
                                            "validatingwebhookconfigurations",
                                            "validatingadmissionpolicybindings"};
  const bool watched = std::ranges::any_of(kWatchers, [&](std::string_view prefix) {
    const ResourceCache* cache = m_.feed.cache(prefix);
    return cache != nullptr && cache->size() > 0;
  });
  if (!watched) co_return Done{};
  Admitted a{m_, c, state_, operation};
  a.own_body = true;
  const bool typed = c.sub != nullptr && !c.sub->kind.empty() && body.is_object();
  if (typed && api::kind_of(body).empty()) {
    body.get_object()["kind"] = c.sub->kind;
    body.get_object()["apiVersion"] =
        api::join_api_version(c.sub->version.empty() ? c.resource->group : c.sub->group,
                              c.sub->version.empty() ? c.resource->version : c.sub->version);
  }
  Outcome<Done> answer = co_await mutate_once(a, &body, nullptr);
  if (answer.ok() && a.rounds.wanted) {
    a.rounds.second = true;
    answer = co_await mutate_once(a, &body, nullptr);
  }
  if (answer.ok()) answer = co_await check(a, &body, nullptr);
  co_return answer;
}

}  // namespace coracle::apiserver
