#include "tokens/service_account_tokens.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr std::string_view kType = "kubernetes.io/service-account-token";
constexpr char kAccountName[] = "kubernetes.io/service-account.name";
constexpr char kAccountUid[] = "kubernetes.io/service-account.uid";

// As upstream's legacy tokens have them; they do not expire.
json::value claims_of(const json::value& secret, const json::value& account) {
  const std::string ns(api::namespace_of(secret)), name(api::name_of(account));
  return json::object{{"iss", "kubernetes/serviceaccount"},
                      {"kubernetes.io/serviceaccount/namespace", ns},
                      {"kubernetes.io/serviceaccount/secret.name", api::name_of(secret)},
                      {"kubernetes.io/serviceaccount/service-account.name", name},
                      {"kubernetes.io/serviceaccount/service-account.uid", api::uid_of(account)},
                      {"sub", "system:serviceaccount:" + ns + ":" + name}};
}

}  // namespace

void ServiceAccountTokenController::touched(const World& world, const client::Gvr& gvr,
                                            const json::value* before, const json::value* after,
                                            const Enqueue& enqueue) const {
  const json::value& object = after != nullptr ? *after : *before;
  if (gvr == gvr::kSecrets) {
    if (after != nullptr && get_string(object, "type") == kType) {
      enqueue(client::object_key(object));
    }
    return;
  }
  for (const ObjectPtr& secret :
       world.in_namespace(gvr::kSecrets, std::string(api::namespace_of(object)))) {
    if (get_string(*secret, "type") == kType &&
        api::annotation_of(*secret, kAccountName) == api::name_of(object)) {
      enqueue(client::object_key(*secret));
    }
  }
}

Plan ServiceAccountTokenController::reconcile(const World& world, const std::string& key,
                                              Instant) const {
  Plan plan;
  const auto [ns, name] = split_key(key);
  const ObjectPtr secret = world.get(gvr::kSecrets, ns, name);
  if (secret == nullptr || is_deleting(*secret)) return plan;
  const std::string account_name(api::annotation_of(*secret, kAccountName));
  if (get_string(*secret, "type") != kType || account_name.empty()) return plan;
  plan.about = secret;
  const ObjectPtr account = world.get(gvr::kServiceAccounts, ns, account_name);
  const std::string uid(api::annotation_of(*secret, kAccountUid));
  if (account != nullptr && (uid.empty() || uid == api::uid_of(*account))) {
    fill(*secret, *account, &plan);
    return plan;
  }
  plan.only_if(gvr::kServiceAccounts, ns, account_name, [uid](const json::array& accounts) {
    return std::none_of(accounts.begin(), accounts.end(),
                        [&](const json::value& a) { return uid.empty() || api::uid_of(a) == uid; });
  });
  plan.remove(gvr::kSecrets, *secret);
  return plan;
}

void ServiceAccountTokenController::fill(const json::value& secret, const json::value& account,
                                         Plan* plan) const {
  if (!sign_) return;
  json::value changed = secret;
  json::object& data = make_object(changed, "data");
  const json::value before = data;
  if (!data.contains("token")) {
    const auto token = sign_(claims_of(secret, account));
    if (!token.ok()) return plan->look_again(std::chrono::seconds(60));
    data["token"] = base64_encode(*token);
  }
  if (!root_ca_.empty()) data["ca.crt"] = base64_encode(root_ca_);
  data["namespace"] = base64_encode(api::namespace_of(secret));
  const bool same = json::value(data) == before &&
                    api::annotation_of(secret, kAccountUid) == api::uid_of(account);
  if (same) return;
  api::set_annotation(changed, kAccountUid, api::uid_of(account));
  plan->update(gvr::kSecrets, std::move(changed));
}

}  // namespace coracle::controllers
