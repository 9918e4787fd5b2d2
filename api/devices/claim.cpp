// ResourceClaim, ResourceClaimTemplate, DeviceClass.
#include <algorithm>

#include "api/device_claims.hpp"
#include "api/devices/parts.hpp"
#include "api/devices/validation.hpp"
#include "api/object.hpp"
#include "api/validate.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"

namespace coracle::api::devices {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

using Names = std::set<std::string, std::less<>>;

constexpr std::size_t kConfigsOfAllocationMax = 64;  // of the class and of the claim
constexpr std::size_t kCapacitiesMax = 32;           // as many as a device may have

std::string_view own_name(const json::value& entry) { return text_of(entry, "name"); }
std::string_view own_text(const json::value& entry) {
  return entry.is_string() ? std::string_view(entry.get_string()) : "";
}

void allocation_mode(const json::value& request, const FieldPath& path, FieldErrors& errors) {
  const std::string_view mode = text_of(request, "allocationMode");
  const std::int64_t count = get_int(request, "count");
  if (mode == "All") {
    if (count != 0) {
      errors.invalid(path.child("count"), count,
                     "must not be specified when allocationMode is 'All'");
    }
  } else if (mode == "ExactCount") {
    if (count <= 0) errors.invalid(path.child("count"), count, "must be greater than zero");
  } else {
    errors.not_supported(path.child("allocationMode"), mode, {"All", "ExactCount"});
  }
}

// What `exactly` and an alternative of `firstAvailable` have in common.
void wanted(const json::value& request, const FieldPath& path, FieldErrors& errors) {
  const std::string_view name = text_of(request, "deviceClassName");
  if (name.empty()) {
    errors.required(path.child("deviceClassName"));
  } else {
    checks::dns_subdomain(name, path.child("deviceClassName"), errors);
  }
  selectors(request, path, errors);
  allocation_mode(request, path, errors);
  tolerations(request, path, errors);
  const json::object& capacities = get_object(request, "capacity.requests");
  const FieldPath at = path.child("capacity", "requests");
  if (capacities.size() > kCapacitiesMax) {
    errors.too_many(at, static_cast<int>(capacities.size()), static_cast<int>(kCapacitiesMax));
  }
  for (const std::string& capacity : checks::sorted_names(capacities)) {
    qualified_name(capacity, false, at.key(capacity), errors);
    if (const Quantity wanted = amount(capacities.at(capacity)); wanted.sign() < 0) {
      errors.invalid(at.key(capacity), wanted.text(), "must be greater than or equal to zero");
    }
  }
}

void request(const json::value& request, const FieldPath& path, FieldErrors& errors) {
  checks::dns_label(text_of(request, "name"), path.child("name"), errors);
  const json::value* exactly = member(request, "exactly");
  const bool first = !get_array(request, "firstAvailable").empty();
  if (exactly == nullptr && !first) {
    errors.required(path, "exactly one of `exactly` or `firstAvailable` is required");
  } else if (exactly != nullptr && first) {
    errors.invalid(path, nullptr,
                   "exactly one of `exactly` or `firstAvailable` is required, but multiple fields "
                   "are set");
  } else if (first) {
    each_of_set(
        request, "firstAvailable", kAlternativesMax, path, errors,
        [&errors](const json::value& alternative, const FieldPath& at) {
          checks::dns_label(text_of(alternative, "name"), at.child("name"), errors);
          wanted(alternative, at, errors);
        },
        own_name);
  } else {
    wanted(*exactly, path.child("exactly"), errors);
  }
}

void requests_of(const json::value& holder, const Names& known, const FieldPath& path,
                 FieldErrors& errors) {
  each_of_set(
      holder, "requests", kRequestsMax, path, errors,
      [&](const json::value& name, const FieldPath& at) {
        request_name_of(name, known, at, errors);
      },
      own_text);
}

void constraint(const json::value& constraint, const Names& known, const FieldPath& path,
                FieldErrors& errors) {
  requests_of(constraint, known, path, errors);
  const bool match = member(constraint, "matchAttribute") != nullptr;
  const bool distinct = member(constraint, "distinctAttribute") != nullptr;
  if (match == distinct) {
    const char* text = match ? "exactly one of \"matchAttribute\" or \"distinctAttribute\" is "
                               "required, but multiple fields are set"
                             : "exactly one of \"matchAttribute\" or \"distinctAttribute\" is "
                               "required";
    return errors.required(path, text);
  }
  const std::string_view key = match ? "matchAttribute" : "distinctAttribute";
  qualified_name(text_of(constraint, key), true, path.child(key), errors);
}

std::string device_id(const json::value& device) {
  std::string id;
  for (const std::string_view key : {"driver", "pool", "device", "shareID"}) {
    id += std::string(text_of(device, key)) + "/";
  }
  return id;
}

void share_id(const json::value& result, const FieldPath& path, FieldErrors& errors) {
  if (member(result, "shareID") == nullptr) return;
  const std::string_view id = text_of(result, "shareID");
  std::size_t at = 0;
  const bool good = id.size() == 36 && std::ranges::all_of(id, [&at](char c) {
                      const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
                      ++at;
                      return dash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  if (!good) errors.invalid(path.child("shareID"), id, "must be a UUID in lower case");
}

void allocation(const json::value& allocation, const Names& known, const FieldPath& path,
                FieldErrors& errors) {
  const json::value& devices = child_or_empty(allocation, "devices");
  const FieldPath at = path.child("devices");
  each(devices, "results", kResultsMax, at, errors,
       [&](const json::value& result, const FieldPath& here) {
         request_name_of(json::value(text_of(result, "request")), known, here.child("request"),
                         errors);
         driver_name(text_of(result, "driver"), here.child("driver"), errors);
         pool_name(text_of(result, "pool"), here.child("pool"), errors);
         checks::dns_label(text_of(result, "device"), here.child("device"), errors);
         tolerations(result, here, errors);
         share_id(result, here, errors);
         const json::object& consumed = get_object(result, "consumedCapacity");
         for (const std::string& name : checks::sorted_names(consumed)) {
           qualified_name(name, false, here.child("consumedCapacity").key(name), errors);
         }
       });
  each(devices, "config", kConfigsOfAllocationMax, at, errors,
       [&](const json::value& config, const FieldPath& here) {
         checks::one_of(config, "source", here, {"FromClaim", "FromClass"}, errors);
         requests_of(config, known, here, errors);
         configuration(config, here, errors);
       });
  if (const json::value* selector = member(allocation, "nodeSelector")) {
    validation::node_selector(*selector, path.child("nodeSelector"), errors);
  }
}

void reserved_for(const json::value& status, const json::value& before, bool deleting,
                  const FieldPath& path, FieldErrors& errors) {
  const FieldPath at = path.child("reservedFor");
  each_of_set(
      status, "reservedFor", kReservedForMax, path, errors,
      [&errors](const json::value& consumer, const FieldPath& here) {
        for (const std::string_view key : {"resource", "name", "uid"}) {
          checks::required_text(consumer, key, here, errors);
        }
      },
      [](const json::value& consumer) { return text_of(consumer, "uid"); });
  if (get_array(status, "reservedFor").empty()) return;
  if (member(status, "allocation") == nullptr) {
    errors.forbidden(at, "may not be specified when `allocated` is not set");
    return;
  }
  const json::array& was = get_array(before, "reservedFor");
  const bool grew = std::ranges::any_of(get_array(status, "reservedFor"), [&](const auto& one) {
    return std::ranges::find(was, one) == was.end();
  });
  if (deleting && grew) {
    errors.forbidden(at,
                     "new entries may not be added while `deallocationRequested` or "
                     "`deletionTimestamp` are set");
  }
}

}  // namespace

void claim_spec(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  const json::value& devices = child_or_empty(spec, "devices");
  const FieldPath at = path.child("devices");
  const Names known = request_names(spec);
  each_of_set(
      devices, "requests", kRequestsMax, at, errors,
      [&errors](const json::value& one, const FieldPath& here) { request(one, here, errors); },
      own_name);
  each(
      devices, "constraints", kRequestsMax, at, errors,
      [&](const json::value& one, const FieldPath& here) { constraint(one, known, here, errors); });
  each(devices, "config", kRequestsMax, at, errors,
       [&](const json::value& config, const FieldPath& here) {
         requests_of(config, known, here, errors);
         configuration(config, here, errors);
       });
}

void resource_claim(const json::value& object, const json::value* old, FieldErrors& errors) {
  const FieldPath path("spec");
  if (old != nullptr) {
    validate_immutable(member(object, "spec"), member(*old, "spec"), path, errors);
    return;
  }
  claim_spec(child_or_empty(object, "spec"), path, errors);
}

void resource_claim_status(const json::value& object, const json::value& old, FieldErrors& errors) {
  const FieldPath path("status");
  const json::value& status = child_or_empty(object, "status");
  const json::value& before = child_or_empty(old, "status");
  reserved_for(status, before, !deletion_timestamp_of(object).empty(), path, errors);
  const json::value* now = member(status, "allocation");
  std::set<std::string> allocated;
  for (const json::value& result : get_array(status, "allocation.devices.results")) {
    allocated.insert(device_id(result));
  }
  each_of_set(
      status, "devices", kResultsMax, path, errors,
      [&](const json::value& device, const FieldPath& at) {
        if (!allocated.contains(device_id(device))) {
          errors.invalid(at, device_id(device), "must be an allocated device in the claim");
        }
      },
      device_id);
  const json::value* was = member(before, "allocation");
  if (now != nullptr && was != nullptr) {
    validate_immutable(now, was, path.child("allocation"), errors);
  } else if (now != nullptr) {
    allocation(*now, request_names(child_or_empty(object, "spec")), path.child("allocation"),
               errors);
  }
}

void resource_claim_template(const json::value& object, const json::value* old,
                             FieldErrors& errors) {
  const FieldPath path("spec");
  if (old != nullptr) {
    validate_immutable(member(object, "spec"), member(*old, "spec"), path, errors);
    return;
  }
  const json::value& spec = child_or_empty(object, "spec");
  validate_labels(find(spec, "metadata.labels"), path.child("metadata", "labels"), errors);
  validate_annotations(find(spec, "metadata.annotations"), path.child("metadata", "annotations"),
                       errors);
  claim_spec(child_or_empty(spec, "spec"), path.child("spec"), errors);
}

void device_class(const json::value& object, const json::value* old, FieldErrors& errors) {
  const FieldPath path("spec");
  const json::value& spec = child_or_empty(object, "spec");
  // Expressions that are stored were good when they came.
  const bool stored =
      old != nullptr && checks::same(find(*old, "spec.selectors"), member(spec, "selectors"));
  if (!stored) selectors(spec, path, errors);
  each(spec, "config", kRequestsMax, path, errors,
       [&errors](const json::value& config, const FieldPath& at) {
         configuration(config, at, errors);
       });
  if (member(spec, "extendedResourceName") != nullptr) {
    errors.forbidden(path.child("extendedResourceName"),
                     "requests for extended resources that devices answer are not supported");
  }
}

}  // namespace coracle::api::devices
