// ResourceSlice.
#include <algorithm>
#include <optional>

#include "api/devices/parts.hpp"
#include "api/devices/selector.hpp"
#include "api/devices/validation.hpp"
#include "api/object.hpp"
#include "api/validate.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "base/strings.hpp"

namespace coracle::api::devices {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

constexpr std::size_t kTaintsMax = 16, kAttributesMax = 32, kCounterSetsMax = 8;
constexpr std::size_t kCountersMax = 32, kConsumptionsMax = 2, kValidValuesMax = 10;
constexpr std::size_t kConditionsMax = 4;
constexpr int kValueMax = 64;

// `nodeName`, `nodeSelector`, `allNodes`: those that are set.
std::vector<std::string> node_choices(const json::value& holder, const FieldPath& path,
                                      FieldErrors& errors) {
  std::vector<std::string> set;
  if (const json::value* name = member(holder, "nodeName")) {
    if (text_of(holder, "nodeName").empty()) {
      errors.invalid(path.child("nodeName"), *name,
                     "must be either unset or set to a non-empty string");
    } else {
      set.emplace_back("`nodeName`");
      checks::dns_subdomain(text_of(holder, "nodeName"), path.child("nodeName"), errors);
    }
  }
  if (const json::value* selector = member(holder, "nodeSelector")) {
    set.emplace_back("`nodeSelector`");
    validation::node_selector(*selector, path.child("nodeSelector"), errors);
    const json::array& terms = get_array(*selector, "nodeSelectorTerms");
    if (terms.size() != 1) {
      errors.invalid(path.child("nodeSelector", "nodeSelectorTerms"), terms,
                     "must have exactly one node selector term");
    }
  }
  for (const std::string_view key : {"allNodes", "perDeviceNodeSelection"}) {
    const json::value* flag = member(holder, key);
    if (flag == nullptr) continue;
    if (flag->is_bool() && flag->get_bool()) {
      set.push_back("`" + std::string(key) + "`");
    } else {
      errors.invalid(path.child(key), *flag, "must be either unset or set to true");
    }
  }
  return set;
}

void one_value(std::string_view kind, const json::value& value, const FieldPath& path,
               FieldErrors& errors) {
  if (!value.is_string()) return;
  const std::string_view text = value.get_string();
  if (kind.starts_with("version") && !is_version(text)) {
    errors.invalid(path, text, "must be a string compatible with semver.org spec 2.0.0");
  }
  if (text.size() > kValueMax) errors.too_long(path, kValueMax);
}

void attribute(const json::value& attribute, const FieldPath& path, FieldErrors& errors) {
  std::size_t set = 0;
  for (const std::string_view kind :
       {"bool", "int", "string", "version", "bools", "ints", "strings", "versions"}) {
    const json::value* value = member(attribute, kind);
    if (value == nullptr) continue;
    ++set;
    if (!value->is_array()) {
      one_value(kind, *value, path.child(kind), errors);
      continue;
    }
    const json::array& items = value->get_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      one_value(kind, items[i], path.child(kind).index(i), errors);
    }
  }
  if (set == 1) return;
  errors.invalid(path, set == 0 ? json::value("") : attribute,
                 "exactly one value must be specified");
}

void taint(const json::value& taint, const FieldPath& path, FieldErrors& errors) {
  checks::label_name(text_of(taint, "key"), path.child("key"), errors);
  const std::string_view value = text_of(taint, "value");
  if (!value.empty()) errors.invalid_each(path.child("value"), value, check_label_value(value));
  checks::one_of(taint, "effect", path, {"NoExecute", "NoSchedule", "None"}, errors);
}

// {"slots": {"value": "2"}}, some at least.
void counters(const json::value& holder, const FieldPath& path, FieldErrors& errors) {
  const json::object& counters = get_object(holder, "counters");
  const FieldPath at = path.child("counters");
  if (counters.empty()) return errors.required(at);
  if (counters.size() > kCountersMax) {
    return errors.too_many(at, static_cast<int>(counters.size()), static_cast<int>(kCountersMax));
  }
  for (const std::string& name : checks::sorted_names(counters)) {
    checks::dns_label(name, at.key(name), errors);
    not_negative(counters.at(name), "value", at.key(name), errors);
  }
}

void counter_set(const json::value& holder, std::string_view name_key, const FieldPath& path,
                 FieldErrors& errors) {
  const std::string_view name = text_of(holder, name_key);
  if (name.empty()) {
    errors.required(path.child(name_key));
  } else {
    checks::dns_label(name, path.child(name_key), errors);
  }
  counters(holder, path, errors);
}

void valid_values(const json::value& policy, const Quantity& by_default, const Quantity& all,
                  const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("validValues");
  std::optional<Quantity> before;
  bool has_default = false;
  each_of_set(
      policy, "validValues", kValidValuesMax, path, errors,
      [&](const json::value& value, const FieldPath& here) {
        const Quantity one = amount(value);
        if (before && one < *before) {
          errors.invalid(here, one.text(), "values must be sorted in ascending order");
        }
        before = one;
        if (one > all) {
          errors.invalid(here, one.text(), "option is larger than capacity value: " + all.text());
        }
        has_default = has_default || one == by_default;
      },
      [](const json::value& value) { return amount(value).text(); });
  if (has_default) return;
  errors.invalid(at, by_default.text(),
                 "default value is not valid according to the requestPolicy");
}

void valid_range(const json::value& range, const Quantity& by_default, const Quantity& all,
                 const FieldPath& path, FieldErrors& errors) {
  const auto amount_of = [&range](std::string_view key) -> std::optional<Quantity> {
    const json::value* value = member(range, key);
    return value == nullptr ? std::nullopt : std::optional(amount(*value));
  };
  const auto min = amount_of("min"), max = amount_of("max"), step = amount_of("step");
  const auto refuse = [&](std::string_view key, const Quantity& value, std::string_view why,
                          const Quantity& bound) {
    errors.invalid(path.child(key), value.text(), std::string(why) + ": " + bound.text());
  };
  if (!min) return errors.required(path.child("min"), "required when validRange is defined");
  not_negative(range, "min", path, errors);
  if (*min > all) refuse("min", *min, "min is larger than capacity value", all);
  if (by_default < *min) refuse("min", by_default, "default is less than min", *min);
  if (max) {
    if (*min > *max) refuse("max", *min, "min is larger than max", *max);
    if (*max > all) refuse("max", *max, "max is larger than capacity value", all);
    if (by_default > *max) refuse("max", by_default, "default is more than max", *max);
  }
  if (!step) return;
  if (step->sign() <= 0) {
    return errors.invalid(path.child("step"), step->text(), "must be greater than zero");
  }
  Quantity end = *min;
  end.add(*step);
  if (end > all) refuse("step", *step, "one step above min is larger than capacity value", all);
}

// How an allocation of a part of a device is rounded up.
void request_policy(const json::value& capacity, const FieldPath& path, FieldErrors& errors) {
  const json::value& policy = *member(capacity, "requestPolicy");
  const json::value* value = member(capacity, "value");
  const Quantity all = value == nullptr ? Quantity() : amount(*value);
  const json::value* by_default = member(policy, "default");
  const json::value* range = member(policy, "validRange");
  const bool values = !get_array(policy, "validValues").empty();
  if (by_default != nullptr && amount(*by_default) > all) {
    errors.invalid(path.child("default"), amount(*by_default).text(),
                   "default is larger than capacity value: " + all.text());
  }
  if (values && range != nullptr) {
    return errors.forbidden(
        path,
        "exactly one policy can be specified, cannot specify \"validValues\" and "
        "\"validRange\" at the same time");
  }
  if (!values && range == nullptr) return;
  if (by_default == nullptr) {
    return errors.required(path.child("default"), values ? "required when validValues is defined"
                                                         : "required when validRange is defined");
  }
  if (values) {
    valid_values(policy, amount(*by_default), all, path, errors);
  } else {
    valid_range(*range, amount(*by_default), all, path.child("validRange"), errors);
  }
}

void device(const json::value& device, bool chooses_nodes, const FieldPath& path,
            FieldErrors& errors) {
  checks::dns_label(text_of(device, "name"), path.child("name"), errors);
  const json::object& attributes = get_object(device, "attributes");
  const json::object& capacities = get_object(device, "capacity");
  if (const std::size_t all = attributes.size() + capacities.size(); all > kAttributesMax) {
    errors.invalid(path, static_cast<std::int64_t>(all),
                   "the total number of attributes and capacities must not exceed 32");
  }
  for (const std::string& name : checks::sorted_names(attributes)) {
    const FieldPath at = path.child("attributes").key(name);
    qualified_name(name, false, at, errors);
    attribute(attributes.at(name), at, errors);
  }
  for (const std::string& name : checks::sorted_names(capacities)) {
    const FieldPath at = path.child("capacity").key(name);
    qualified_name(name, false, at, errors);
    not_negative(capacities.at(name), "value", at, errors);
    if (member(capacities.at(name), "requestPolicy") == nullptr) continue;
    if (get_bool(device, "allowMultipleAllocations")) {
      request_policy(capacities.at(name), at.child("requestPolicy"), errors);
    } else {
      errors.forbidden(at.child("requestPolicy"), "allowMultipleAllocations must be true");
    }
  }
  each_of_set(
      device, "consumesCounters", kConsumptionsMax, path, errors,
      [&errors](const json::value& one, const FieldPath& at) {
        counter_set(one, "counterSet", at, errors);
      },
      [](const json::value& one) { return text_of(one, "counterSet"); });
  for (const std::string_view key : {"bindingConditions", "bindingFailureConditions"}) {
    each(device, key, kConditionsMax, path, errors,
         [&errors](const json::value& type, const FieldPath& at) {
           const std::string_view name = type.is_string() ? type.get_string() : "";
           for (const std::string& why : check_qualified_name(name)) errors.invalid(at, name, why);
         });
  }
  each(device, "taints", kTaintsMax, path, errors,
       [&errors](const json::value& one, const FieldPath& at) { taint(one, at, errors); });
  if (chooses_nodes) {
    const std::vector<std::string> set = node_choices(device, path, errors);
    constexpr std::string_view kOne =
        "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
        "`perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    if (set.empty()) errors.required(path, kOne);
    if (set.size() > 1) errors.invalid(path, "{" + join(set, ", ") + "}", kOne);
  } else if (member(device, "nodeName") != nullptr || member(device, "nodeSelector") != nullptr ||
             member(device, "allNodes") != nullptr) {
    errors.invalid(path, nullptr,
                   "`nodeName`, `nodeSelector` and `allNodes` can only be set if "
                   "`perDeviceNodeSelection` is set to true in the ResourceSlice spec");
  }
}

// Fields that make devices costly to look at.
bool is_advanced(const json::value& device) {
  if (!get_array(device, "taints").empty() || !get_array(device, "consumesCounters").empty()) {
    return true;
  }
  return std::ranges::any_of(get_object(device, "attributes"), [](const auto& entry) {
    return entry.value().is_object() &&
           std::ranges::any_of(entry.value().get_object(),
                               [](const auto& kind) { return kind.value().is_array(); });
  });
}

void where(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const std::vector<std::string> set = node_choices(spec, path, errors);
  constexpr std::string_view kOne =
      "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  if (set.empty()) errors.required(path, kOne);
  if (set.size() > 1) {
    errors.invalid(path, "{" + join(set, ", ") + "}",
                   std::string(kOne) + ", but multiple fields are set");
  }
}

void unchanged(const json::value& spec, const json::value& before, const FieldPath& path,
               FieldErrors& errors) {
  validate_immutable(find(spec, "pool.name"), find(before, "pool.name"), path.child("pool", "name"),
                     errors);
  for (const std::string_view key : {"driver", "nodeName"}) {
    validate_immutable(member(spec, key), member(before, key), path.child(key), errors);
  }
}

}  // namespace

void resource_slice(const json::value& object, const json::value* old, FieldErrors& errors) {
  const FieldPath path("spec");
  const json::value& spec = child_or_empty(object, "spec");
  driver_name(text_of(spec, "driver"), path.child("driver"), errors);
  const FieldPath pool = path.child("pool");
  pool_name(get_string(spec, "pool.name"), pool.child("name"), errors);
  if (const auto count = get_int(spec, "pool.resourceSliceCount"); count <= 0) {
    errors.invalid(pool.child("resourceSliceCount"), count, "must be greater than zero");
  }
  if (const auto generation = get_int(spec, "pool.generation"); generation < 0) {
    errors.invalid(pool.child("generation"), generation, "must be greater than or equal to zero");
  }
  if (old != nullptr) unchanged(spec, child_or_empty(*old, "spec"), path, errors);
  where(spec, path, errors);
  const json::array& devices = get_array(spec, "devices");
  if (member(spec, "sharedCounters") != nullptr && !devices.empty()) {
    errors.invalid(path, "", "only one of `sharedCounters` or `devices` is allowed");
  }
  const bool advanced = std::ranges::any_of(devices, is_advanced);
  each_of_set(
      spec, "devices", advanced ? kSliceDevicesAdvancedMax : kSliceDevicesMax, path, errors,
      [&](const json::value& one, const FieldPath& at) {
        device(one, get_bool(spec, "perDeviceNodeSelection"), at, errors);
      },
      [](const json::value& one) { return text_of(one, "name"); });
  each_of_set(
      spec, "sharedCounters", kCounterSetsMax, path, errors,
      [&errors](const json::value& set, const FieldPath& at) {
        counter_set(set, "name", at, errors);
      },
      [](const json::value& set) { return text_of(set, "name"); });
}

}  // namespace coracle::api::devices
