// DeviceSelector: a CEL expression over `device` (driver, attributes, capacity,
// allowMultipleAllocations) that says which devices a request or a DeviceClass is about. Upstream:
// staging/src/k8s.io/dynamic-resource-allocation/cel. Immutable; evaluation is pure and bounded by
// cel::kCallCost.
#pragma once

#include <string_view>

#include "api/cel/cel.hpp"
#include "base/json.hpp"
#include "base/status.hpp"

namespace coracle::api::devices {

inline constexpr std::size_t kExpressionBytesMax = 10 * 1024;

// Whether the text is one that the expressions' semver() takes.
bool is_version(std::string_view text);

// What an expression calls `device`, from an entry of a ResourceSlice's spec.devices and the
// slice's driver. Attributes and capacities are grouped by their domain, which is the driver's
// where the name has none; a domain that the device does not know is an empty map. Independent of
// `device` afterwards.
cel::Value device_value(std::string_view driver, const json::value& device);

class DeviceSelector {
 public:
  // InvalidArgument: "compilation failed: ..." or "must evaluate to bool ...", as the validation
  // of claims and classes says it.
  static Result<DeviceSelector> compile(std::string_view expression);

  // InvalidArgument: the expression failed for this device ("no such key: model"), or its result
  // is no bool.
  Result<bool> matches(const cel::Value& device) const;

 private:
  explicit DeviceSelector(cel::Program program) : program_(std::move(program)) {}
  cel::Program program_;
};

}  // namespace coracle::api::devices
