// PersistentVolume, ResourceQuota, LimitRange.
#include <string>

#include "api/quantity.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;

const json::value& spec_of(const json::value& object) {
  static const json::value kNothing = json::object();
  const json::value* spec = member(object, "spec");
  return spec == nullptr ? kNothing : *spec;
}

// The members of a volume's spec that are not its source.
bool is_source(std::string_view key) {
  for (const std::string_view other :
       {"capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName",
        "mountOptions", "volumeMode", "nodeAffinity", "volumeAttributesClassName"}) {
    if (key == other) {
      return false;
    }
  }
  return true;
}

void capacity(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("capacity");
  const json::object& list = get_object(spec, "capacity");
  if (list.empty()) {
    errors.required(path);
    return;
  }
  const json::value* storage = list.if_contains("storage");
  if (storage == nullptr || list.size() > 1) {
    errors.not_supported(path, checks::value_or_null(member(spec, "capacity")), {"storage"});
    return;
  }
  auto amount = Quantity::parse(storage->is_string() ? std::string(storage->get_string())
                                                     : to_json(*storage));
  if (amount.ok() && amount->sign() <= 0) {
    errors.invalid(path.key("storage"), checks::text_value(amount->text()),
                   "must be greater than zero");
  }
}

void amounts(const json::value& holder, std::string_view key, const FieldPath& path,
             FieldErrors& errors) {
  const json::object& list = get_object(holder, key);
  for (const std::string& name : checks::sorted_names(list)) {
    const FieldPath at = path.child(key).key(name);
    errors.invalid_each(at, checks::text_value(name), check_qualified_name(name));
    const json::value& value = list.at(name);
    auto amount =
        Quantity::parse(value.is_string() ? std::string(value.get_string()) : to_json(value));
    if (amount.ok() && amount->sign() < 0) {
      errors.invalid(at, checks::text_value(amount->text()), checks::kNotNegative);
    }
  }
}

}  // namespace

void persistent_volume(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (get_array(spec, "accessModes").empty()) {
    errors.required(path.child("accessModes"));
  }
  capacity(spec, errors);
  int sources = 0;
  for (const std::string& key : checks::sorted_names(get_object(object, "spec"))) {
    if (is_source(key) && sources++ > 0) {
      errors.forbidden(path.child(key), "may not specify more than 1 volume type");
    }
  }
  if (sources == 0) {
    errors.required(path, "must specify a volume type");
  }
  checks::one_of_if_set(spec, "persistentVolumeReclaimPolicy", path,
                        {"Delete", "Recycle", "Retain"}, errors);
  if (old == nullptr) {
    return;
  }
  for (const std::string& key : checks::sorted_names(get_object(*old, "spec"))) {
    if (is_source(key) && !checks::same(member(spec, key), member(spec_of(*old), key))) {
      errors.forbidden(path.child("persistentvolumesource"),
                       "spec.persistentvolumesource is immutable after creation");
    }
  }
}

void resource_quota(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  amounts(spec, "hard", FieldPath("spec"), errors);
  if (old != nullptr && !checks::same(member(spec, "scopes"), member(spec_of(*old), "scopes"))) {
    errors.invalid(FieldPath("spec").child("scopes"), checks::value_or_null(member(spec, "scopes")),
                   checks::kImmutable);
  }
}

void limit_range(const json::value& object, const json::value*, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& item : get_array(object, "spec.limits")) {
    const FieldPath at = FieldPath("spec").child("limits").index(index++);
    checks::required_text(item, "type", at, errors);
    for (const std::string_view key : {"max", "min", "default", "defaultRequest"}) {
      amounts(item, key, at, errors);
    }
    const json::object& most = get_object(item, "max");
    const json::object& least = get_object(item, "min");
    for (const std::string& name : checks::sorted_names(least)) {
      const json::value* high = most.if_contains(name);
      if (high == nullptr || !high->is_string() || !least.at(name).is_string()) {
        continue;
      }
      auto low_amount = Quantity::parse(least.at(name).get_string());
      auto high_amount = Quantity::parse(high->get_string());
      if (low_amount.ok() && high_amount.ok() && *high_amount < *low_amount) {
        errors.invalid(at.child("min").key(name), checks::text_value(low_amount->text()),
                       "min value " + low_amount->text() + " is greater than max value " +
                           high_amount->text());
      }
    }
  }
}

}  // namespace coracle::api::validation
