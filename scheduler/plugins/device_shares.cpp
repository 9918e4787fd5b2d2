#include "plugins/device_shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "api/object.hpp"

namespace coracle::scheduler {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::optional<api::Quantity> amount_of(const json::value& holder, std::string_view path) {
  const json::value* found = find(holder, path);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  auto parsed = api::Quantity::parse(found->get_string());
  return parsed.ok() ? std::optional(*parsed) : std::nullopt;
}

// The least of min, min + step, min + 2 step .. that is not less. In thousandths, or in whole units
// where those are too many.
api::Quantity stepped(const api::Quantity& wanted, const api::Quantity& min,
                      const api::Quantity& step) {
  const bool fine = wanted.milli_value() < kMost;
  const auto number = [fine](const api::Quantity& q) { return fine ? q.milli_value() : q.value(); };
  const __int128 unit = number(step), from = number(min), over = number(wanted) - from;
  if (unit <= 0 || over <= 0) return wanted;
  const __int128 rounded = from + (over + unit - 1) / unit * unit;
  const auto bounded = static_cast<std::int64_t>(std::min<__int128>(rounded, kMost));
  return fine ? api::Quantity::from_milli(bounded, min.format())
              : api::Quantity::from_units(bounded, min.format());
}

// As the policy has it; nothing: it does not allow so much.
std::optional<api::Quantity> by_policy(const api::Quantity& wanted, const json::value& policy) {
  if (const json::value* range = find(policy, "validRange")) {
    const auto min = amount_of(*range, "min"), max = amount_of(*range, "max"),
               step = amount_of(*range, "step");
    api::Quantity out = wanted;
    if (min && out < *min) out = *min;
    if (min && step) out = stepped(out, *min, *step);
    return max && out > *max ? std::nullopt : std::optional(out);
  }
  const json::array& values = get_array(policy, "validValues");
  if (values.empty()) return wanted;
  for (const json::value& value : values) {  // in ascending order
    const auto valid = api::Quantity::parse(value.is_string() ? value.get_string() : "");
    if (valid.ok() && *valid >= wanted) return *valid;
  }
  return std::nullopt;
}

// By full names; a name that is written out counts before one that is not.
std::map<std::string, const json::value*> capacities_of(const Device& device,
                                                        std::string_view driver) {
  std::map<std::string, const json::value*> out;
  for (const bool written_out : {true, false}) {
    for (const auto& [name, capacity] : get_object(*device.tree, "capacity")) {
      if ((name.find('/') != std::string_view::npos) == written_out) {
        out.emplace(full_name(driver, name), &capacity);
      }
    }
  }
  return out;
}

}  // namespace

std::optional<Amounts> capacities_for(const Device& device, std::string_view driver,
                                      const std::map<std::string, api::Quantity>& requests) {
  const auto capacities = capacities_of(device, driver);
  Amounts wanted;
  for (const auto& [name, request] : requests) {
    const std::string full = full_name(driver, name);
    if (!capacities.contains(full)) return std::nullopt;
    wanted[full] = request;
  }
  Amounts out;
  for (const auto& [name, capacity] : capacities) {
    const auto all = amount_of(*capacity, "value");
    const json::value* policy = find(*capacity, "requestPolicy");
    std::optional<api::Quantity> takes;
    if (const auto request = wanted.find(name); request != wanted.end()) {
      takes = policy == nullptr ? request->second : by_policy(request->second, *policy);
      if (!takes) return std::nullopt;
    } else {
      takes = policy == nullptr ? std::nullopt : amount_of(*policy, "default");
    }
    if (!takes) takes = all;
    if (!all || *takes > *all) return std::nullopt;
    out[name] = *takes;
  }
  return out;
}

bool is_left(const Device& device, std::string_view driver, const Amounts& wanted,
             const std::vector<const Amounts*>& others) {
  for (const auto& [name, capacity] : capacities_of(device, driver)) {
    api::Quantity sum = wanted.at(name);
    for (const Amounts* other : others) {
      if (const auto had = other->find(name); had != other->end()) sum.add(had->second);
    }
    if (sum > *amount_of(*capacity, "value")) return false;
  }
  return true;
}

std::map<std::string, Amounts> counters_left(const DeviceWorld::Pool& pool, const HeldDevices& held,
                                             const HeldDevices& taken) {
  std::map<std::string, Amounts> left = pool.counters;
  for (const SlicePtr& slice : pool.slices) {
    for (const Device& device : slice->devices) {
      if (!held.holds(device.id) && !taken.holds(device.id)) continue;
      for (const CounterUse& use : device.counters) {
        for (const auto& [name, amount] : use.counters) left[use.set][name].sub(amount);
      }
    }
  }
  return left;
}

// The bits of a hash where chance would do as well, so that the same decision is the same bytes.
std::string share_id(std::string_view claim_uid, std::size_t result) {
  const std::string text = fmt::format("{}/{}", claim_uid, result);
  const auto hash = [&text](std::uint64_t seed) {
    for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return seed ^ seed >> 29;
  };
  const std::uint64_t a = hash(0xcbf29ce484222325ULL), b = hash(0x9e3779b97f4a7c15ULL);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                     (b >> 48 & 0x3fff) | 0x8000, b & 0xffff'ffff'ffffULL);
}

}  // namespace coracle::scheduler
