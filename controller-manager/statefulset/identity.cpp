#include "statefulset/identity.hpp"

#include <fmt/format.h>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/pods.hpp"
#include "controllers/revisions.hpp"

namespace coracle::controllers::stateful_set {
namespace {

std::string claim_name(const json::value& claim_template, const json::value& set,
                       std::int64_t ordinal) {
  return fmt::format("{}-{}-{}", api::name_of(claim_template), api::name_of(set), ordinal);
}

bool deletes(const json::value& set, const char* when) {
  return get_string(get_object(set, "spec.persistentVolumeClaimRetentionPolicy"), when) == "Delete";
}

// Claims stand before the template's volumes and hide those of the same name.
json::array volumes_of(const json::value& set, const json::value& pod, std::int64_t ordinal) {
  json::array volumes;
  for (const json::value& claim : get_array(set, "spec.volumeClaimTemplates")) {
    json::object volume;
    volume["name"] = api::name_of(claim);
    volume["persistentVolumeClaim"] =
        json::object({{"claimName", claim_name(claim, set, ordinal)}});
    volumes.push_back(std::move(volume));
  }
  const size_t claims = volumes.size();
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    bool hidden = false;
    for (size_t i = 0; i < claims; ++i) {
      hidden = hidden || get_string(volumes[i], "name") == get_string(volume, "name");
    }
    if (!hidden) volumes.push_back(volume);
  }
  return volumes;
}

}  // namespace

std::optional<std::int64_t> ordinal_of(const json::value& set, const json::value& pod) {
  const std::string_view name = api::name_of(pod), parent = api::name_of(set);
  if (!name.starts_with(parent) || name.size() < parent.size() + 2 || name[parent.size()] != '-') {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(parent.size() + 1);
  long long ordinal = 0;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (digits.size() > 9 || !parse_int(digits, &ordinal)) return std::nullopt;
  return ordinal;
}

std::int64_t start_ordinal(const json::value& set) { return get_int(set, "spec.ordinals.start"); }

bool in_range(const json::value& set, std::int64_t ordinal) {
  const std::int64_t start = start_ordinal(set);
  return ordinal >= start && ordinal < start + get_int(set, "spec.replicas", 1);
}

std::string pod_name(const json::value& set, std::int64_t ordinal) {
  return fmt::format("{}-{}", api::name_of(set), ordinal);
}

json::value pod_at(const json::value& set, const json::value& pod_template,
                   const std::string& revision, std::int64_t ordinal) {
  json::value pod = pod_from_template(set, pod_template);
  const std::string name = pod_name(set, ordinal);
  set_path(pod, "metadata.name", json::value(name));
  api::set_label(pod, kPodNameLabel, name);
  api::set_label(pod, kPodIndexLabel, std::to_string(ordinal));
  api::set_label(pod, kRevisionLabel, revision);
  set_path(pod, "spec.hostname", json::value(name));
  if (const auto service = get_string(set, "spec.serviceName"); !service.empty()) {
    set_path(pod, "spec.subdomain", json::value(service));
  }
  json::array volumes = volumes_of(set, pod, ordinal);
  if (!volumes.empty()) set_path(pod, "spec.volumes", std::move(volumes));
  return pod;
}

std::optional<json::object> missing_labels(const json::value& set, const json::value& pod) {
  const auto ordinal = ordinal_of(set, pod);
  if (!ordinal) return std::nullopt;
  const std::string name(api::name_of(pod)), index = std::to_string(*ordinal);
  if (api::label_of(pod, kPodNameLabel) == name && api::label_of(pod, kPodIndexLabel) == index) {
    return std::nullopt;
  }
  return json::object({{kPodNameLabel, name}, {kPodIndexLabel, index}});
}

std::vector<json::value> claims_at(const json::value& set, std::int64_t ordinal) {
  std::vector<json::value> claims;
  for (const json::value& made_from : get_array(set, "spec.volumeClaimTemplates")) {
    json::value claim = made_from;
    set_path(claim, "apiVersion", json::value("v1"));
    set_path(claim, "kind", json::value("PersistentVolumeClaim"));
    set_path(claim, "metadata.name", json::value(claim_name(made_from, set, ordinal)));
    set_path(claim, "metadata.namespace", json::value(api::namespace_of(set)));
    for (const auto& [key, value] : get_object(set, "spec.selector.matchLabels")) {
      make_object(claim, "metadata.labels")[key] = value;
    }
    erase_key(claim.get_object(), "status");
    if (auto owners = corrected_owners(set, claim, nullptr, false)) {
      set_path(claim, "metadata.ownerReferences", std::move(*owners));
    }
    claims.push_back(std::move(claim));
  }
  return claims;
}

std::optional<json::array> corrected_owners(const json::value& set, const json::value& claim,
                                            const json::value* pod, bool scaled_away) {
  const bool with_pod = deletes(set, "whenScaled") && scaled_away && pod != nullptr;
  const bool with_set = deletes(set, "whenDeleted") && !with_pod;
  json::array owners;
  if (with_set) owners.push_back(api::controller_reference(set));
  if (with_pod) {
    json::value known = *pod;
    set_path(known, "apiVersion", json::value("v1"));
    set_path(known, "kind", json::value("Pod"));
    owners.push_back(api::controller_reference(known));
  }
  bool same = true;
  const auto is_ours = [&](const json::value& reference) {
    const std::string_view kind = get_string(reference, "kind"),
                           name = get_string(reference, "name");
    return (kind == "StatefulSet" && name == api::name_of(set)) ||
           (kind == "Pod" && name.starts_with(std::string(api::name_of(set)) + "-"));
  };
  size_t ours = 0;
  json::array all;
  for (const json::value& reference : api::owner_references_of(claim)) {
    if (!is_ours(reference)) {
      if (get_bool(reference, "controller")) return std::nullopt;  // another one manages it
      all.push_back(reference);
      continue;
    }
    ++ours;
    same =
        same && owners.size() == 1 && get_string(reference, "uid") == get_string(owners[0], "uid");
  }
  if (same && ours == owners.size()) return std::nullopt;
  for (json::value& owner : owners) all.push_back(std::move(owner));
  return all;
}

bool is_stale(const json::value& set, const json::value& claim, const std::string& name,
              const json::value* pod) {
  if (!deletes(set, "whenScaled")) return false;
  for (const json::value& owner : api::owner_references_of(claim)) {
    if (get_string(owner, "kind") != "Pod" || get_string(owner, "name") != name) continue;
    if (pod == nullptr || get_string(owner, "uid") != api::uid_of(*pod)) return true;
  }
  return false;
}

}  // namespace coracle::controllers::stateful_set
