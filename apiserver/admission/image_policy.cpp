#include "apiserver/admission/image_policy.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kAuditPrefix = "imagepolicywebhook.image-policy.k8s.io/";
constexpr std::string_view kVersion = "imagepolicy.k8s.io/v1alpha1";

// The images a request brings, and those annotations that are meant for the policy.
json::value review_spec(const Admitted& a, const json::value& pod, bool ephemeral) {
  json::object spec;
  json::array containers;
  const auto add = [&](const char* list) {
    for (const json::value& container : get_array(pod, list)) {
      json::object one;
      one["image"] = get_string(container, "image");
      containers.push_back(std::move(one));
    }
  };
  if (ephemeral) {
    add("spec.ephemeralContainers");
  } else {
    add("spec.containers");
    add("spec.initContainers");
  }
  if (!containers.empty()) spec["containers"] = std::move(containers);
  json::object annotations;
  for (const auto& member : api::annotations_of(pod)) {
    if (std::string_view(member.key()).find(".image-policy.k8s.io/") == std::string_view::npos) {
      continue;
    }
    annotations[member.key()] = member.value();
  }
  if (!annotations.empty()) spec["annotations"] = std::move(annotations);
  spec["namespace"] = a.c.info.ns;
  return sorted_keys(json::value(std::move(spec)));
}

Result<json::value> read_answer(const json::value& answer) {
  const std::string_view kind = api::kind_of(answer), version = api::api_version_of(answer);
  if (kind.empty()) return unavailable("Object 'Kind' is missing in '" + to_json(answer) + "'");
  if (kind != "ImageReview" || version != kVersion) {
    return unavailable("no kind " + quoted(kind) + " is registered for version " + quoted(version));
  }
  const json::value* status = find(answer, "status");
  return status != nullptr && status->is_object() ? *status : json::value(json::object());
}

}  // namespace

Task<Result<json::value>> ImagePolicy::ask(Machinery& m, const json::value& spec) const {
  json::object body{{"kind", "ImageReview"}, {"apiVersion", kVersion}};
  body["metadata"] = json::object{{"creationTimestamp", nullptr}};
  body["spec"] = spec;
  body["status"] = json::object{{"allowed", false}};
  const std::string text = to_json(json::value(std::move(body)));
  if (m.webhooks == nullptr) co_return unavailable("this server calls no webhooks");
  Duration delay = config_.retry_backoff;
  for (int left = kTriesMax; true;) {
    const auto answer = co_await m.webhooks->post(config_.target, text, kTimeout);
    if (answer.ok()) co_return read_answer(*answer);
    if (answer.status().code() != Code::kAborted || --left == 0) co_return answer.status();
    // A fifth more at most, so that many who failed together do not come back together.
    co_await sleep_on(m.executor, delay + delay * std::int64_t(m.rng.below(201)) / 1000);
    delay = delay * 3 / 2;
  }
}

void ImagePolicy::keep(const std::string& key, const json::value& status, TimePoint now) {
  const Duration ttl = get_bool(status, "allowed") ? config_.allow_ttl : config_.deny_ttl;
  if (ttl <= Duration::zero()) return;
  if (kept_.size() >= kKeptMax && !kept_.contains(key)) {
    kept_.erase(std::ranges::min_element(
        kept_, [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  kept_[key] = {status, now + ttl, ++clock_};
}

Task<Result<json::value>> ImagePolicy::review(Machinery& m, json::value spec) {
  const std::string key = to_json(spec);
  const auto known = kept_.find(key);
  if (known != kept_.end() && m.executor.now() < known->second.until) {
    known->second.used = ++clock_;
    co_return known->second.status;
  }
  auto status = co_await ask(m, spec);
  if (status.ok()) keep(key, *status, m.executor.now());
  co_return status;
}

Task<Outcome<Done>> ask_image_policy(Admitted& a, const json::value* object,
                                     const json::value* old) {
  const std::string& sub = a.c.info.subresource;
  const bool ephemeral = sub == "ephemeralcontainers";
  ImagePolicy* policy = a.state.images.get();
  if (policy == nullptr || object == nullptr || !a.is("", "Pod") || !(sub.empty() || ephemeral)) {
    co_return Done{};
  }
  const auto status = co_await policy->review(a.m, review_spec(a, *object, ephemeral));
  if (!status.ok()) {
    if (!policy->config().default_allow) co_return a.forbidden(*object, status.status().message());
    log::warn("ImagePolicyWebhook fails open: {}", status.status().message());
    a.c.audit_annotations[std::string(kAuditPrefix) + "failed-open"] = "true";
    co_return Done{};
  }
  for (const auto& member : get_object(*status, "auditAnnotations")) {
    if (!member.value().is_string()) continue;
    a.c.audit_annotations[std::string(kAuditPrefix).append(member.key())] =
        member.value().get_string();
  }
  if (get_bool(*status, "allowed")) co_return Done{};
  const std::string reason(get_string(*status, "reason"));
  co_return a.forbidden(*object,
                        reason.empty()
                            ? "one or more images rejected by webhook backend"
                            : "image policy webhook backend denied one or more images: " + reason);
}

}  // namespace coracle::apiserver
