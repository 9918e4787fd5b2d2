#include "apiserver/registry/admin_access.hpp"

#include <optional>

#include "api/object.hpp"

namespace coracle::apiserver {
namespace {

constexpr std::string_view kLabel = "resource.kubernetes.io/admin-access";

// The first entry of the list that asks for it, or was given it.
std::optional<std::size_t> first_of(const json::array& list, std::string_view field) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (get_bool(list[i], field)) return i;
  }
  return std::nullopt;
}

std::optional<api::FieldPath> where(const Context& c, const json::value& object,
                                    const json::value* old) {
  const std::string& kind = c.storage->kind;
  if (c.storage->group != "resource.k8s.io") return std::nullopt;
  if (kind != "ResourceClaim" && kind != "ResourceClaimTemplate") return std::nullopt;
  if (old == nullptr) {
    const std::string_view path =
        kind == "ResourceClaim" ? "spec.devices.requests" : "spec.spec.devices.requests";
    const auto asks = first_of(get_array(object, path), "exactly.adminAccess");
    if (!asks) return std::nullopt;
    // Upstream's path, of a template too.
    return api::FieldPath("spec.devices.requests").index(*asks).child("adminAccess");
  }
  const std::string_view path = "status.allocation.devices.results";
  if (c.info.subresource != "status") return std::nullopt;
  if (first_of(get_array(*old, path), "adminAccess")) return std::nullopt;
  const auto given = first_of(get_array(object, path), "adminAccess");
  if (!given) return std::nullopt;
  return api::FieldPath(path).index(*given).child("adminAccess");
}

bool is_labelled(const Machinery& m, const std::string& ns) {
  const ResourceCache* cache = m.feed.cache("namespaces");
  const ObjectPtr found = cache == nullptr ? nullptr : cache->find(ns);
  if (found == nullptr) return false;
  const json::object& labels = api::labels_of(*found->kept_tree());
  const json::value* label = find_member(labels, kLabel);
  return label != nullptr && *label == "true";
}

}  // namespace

Task<api::FieldErrors> admin_access_errors(const Machinery& m, const Context& c,
                                           const json::value& object, const json::value* old) {
  api::FieldErrors errors;
  const std::optional<api::FieldPath> path = where(c, object, old);
  if (!path || is_labelled(m, c.info.ns)) co_return errors;
  // The label may be newer than what is known here.
  if ((co_await m.feed.read_barrier()).ok() && is_labelled(m, c.info.ns)) co_return errors;
  errors.forbidden(*path, "admin access to devices requires the `" + std::string(kLabel) +
                              ": true` label on the containing namespace");
  co_return errors;
}

}  // namespace coracle::apiserver
