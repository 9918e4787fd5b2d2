// AlwaysPullImages: nobody uses an image that another one had the credentials for. And
// DenyServiceExternalIPs: no Service gets external addresses it did not have.
#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

constexpr const char* kLists[] = {"initContainers", "containers", "ephemeralContainers"};

bool brings_images(const json::value& pod, const json::value& old) {
  const auto has = [&](std::string_view image) {
    for (const char* list : kLists) {
      for (const json::value& container : get_array(old, std::string("spec.") + list)) {
        if (get_string(container, "image") == image) return true;
      }
    }
    return false;
  };
  for (const char* list : kLists) {
    for (const json::value& container : get_array(pod, std::string("spec.") + list)) {
      if (!has(get_string(container, "image"))) return true;
    }
  }
  return false;
}

bool concerns(const Admitted& a, const json::value* object, const json::value* old) {
  const std::string& sub = a.c.info.subresource;
  if (object == nullptr || !a.is("", "Pod") || !(sub.empty() || sub == "ephemeralcontainers")) {
    return false;
  }
  return old == nullptr || brings_images(*object, *old);
}

}  // namespace

Task<Outcome<Done>> change_always_pull(Admitted& a, json::value* object, const json::value* old) {
  if (!concerns(a, object, old)) co_return Done{};
  for (const char* list : kLists) {
    json::value* containers = find_member(make_object(*object, "spec"), list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (json::value& container : containers->get_array()) {
      if (container.is_object()) container.get_object()["imagePullPolicy"] = "Always";
    }
  }
  co_return Done{};
}

Outcome<Done> check_always_pull(Admitted& a, const json::value* object, const json::value* old) {
  if (!concerns(a, object, old)) return Done{};
  api::FieldErrors errors;
  for (const char* list : kLists) {
    const json::array& containers = get_array(*object, std::string("spec.") + list);
    for (std::size_t i = 0; i < containers.size(); ++i) {
      const std::string_view policy = get_string(containers[i], "imagePullPolicy");
      if (policy == "Always") continue;
      errors.not_supported(api::FieldPath("spec").child(list).index(i).child("imagePullPolicy"),
                           json::value(policy), {"Always"});
    }
  }
  if (errors.empty()) return Done{};
  return a.forbidden(*object, errors.text());
}

Outcome<Done> check_external_addresses(Admitted& a, const json::value* object,
                                       const json::value* old) {
  if (object == nullptr || !a.is("", "Service") || !a.c.info.subresource.empty()) return Done{};
  for (const json::value& address : get_array(*object, "spec.externalIPs")) {
    if (!address.is_string()) continue;
    if (old != nullptr && lists_text(*old, "spec.externalIPs", address.get_string())) continue;
    return a.forbidden(*object, "Use of external IPs is denied by admission control.");
  }
  return Done{};
}

}  // namespace coracle::apiserver
