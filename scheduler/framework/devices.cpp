#include "framework/devices.hpp"

#include <algorithm>

#include "api/device_claims.hpp"
#include "api/devices/selector.hpp"
#include "api/object.hpp"
#include "framework/device_claims.hpp"

namespace coracle::scheduler {
namespace {

// Nothing when `holder` says nothing about nodes.
std::optional<DeviceReach> parse_reach(const json::value& holder, const SharedObject& slice) {
  DeviceReach reach;
  reach.object = slice;
  reach.anywhere = get_bool(holder, "allNodes");
  reach.node = get_string(holder, "nodeName");
  reach.selector = find(holder, "nodeSelector");
  if (reach.selector != nullptr) reach.terms = api::parse_node_terms(*reach.selector);
  if (!reach.anywhere && reach.node.empty() && reach.selector == nullptr) return std::nullopt;
  return reach;
}

// The field of a device that is not understood, if there is one.
std::string_view field_beyond(const json::value& device) {
  constexpr std::string_view kKey = "nodeAllocatableResources";
  return find_keys(device, {kKey}) == nullptr ? "" : kKey;
}

// {"slots": {"value": "2"}}
Amounts parse_counters(const json::value& holder) {
  Amounts amounts;
  for (const auto& [name, counter] : get_object(holder, "counters")) {
    const auto value = api::Quantity::parse(get_string(counter, "value"));
    if (value.ok()) amounts[std::string(name)] = *value;
  }
  return amounts;
}

Device parse_device(const json::value& tree, const DeviceSlice& slice) {
  Device device;
  device.tree = &tree;
  device.name = get_string(tree, "name");
  device.id = device_id(slice.driver, slice.pool, device.name);
  device.value = api::devices::device_value(slice.driver, tree);
  device.taints = api::parse_taints(get_array(tree, "taints"));
  device.reach = parse_reach(tree, slice.object);
  for (const json::value& use : get_array(tree, "consumesCounters")) {
    device.counters.push_back({std::string(get_string(use, "counterSet")), parse_counters(use)});
  }
  device.shared = get_bool(tree, "allowMultipleAllocations");
  device.beyond = field_beyond(tree);
  return device;
}

std::string_view text_or_empty(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : "";
}

bool names_its_counters(const DeviceWorld::Pool& pool) {
  const auto is_there = [&pool](const CounterUse& use) {
    const auto set = pool.counters.find(use.set);
    return set != pool.counters.end() &&
           std::ranges::all_of(use.counters, [&set](const auto& counter) {
             return set->second.contains(counter.first);
           });
  };
  return std::ranges::all_of(pool.slices, [&](const SlicePtr& slice) {
    return std::ranges::all_of(slice->devices, [&](const Device& device) {
      return std::ranges::all_of(device.counters, is_there);
    });
  });
}

}  // namespace

std::string device_id(std::string_view driver, std::string_view pool, std::string_view device) {
  return std::string(driver) + "/" + std::string(pool) + "/" + std::string(device);
}

std::string device_id(const json::value& result) {
  return device_id(get_string(result, "driver"), get_string(result, "pool"),
                   get_string(result, "device"));
}

std::string full_name(std::string_view driver, std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  return std::string(driver) + "/" + std::string(name);
}

bool DeviceReach::holds(const api::NodeLabels& labels) const {
  if (anywhere) return true;
  if (!node.empty()) return node == labels.name;
  return std::any_of(terms.begin(), terms.end(),
                     [&](const auto& term) { return term.matches(labels); });
}

SlicePtr DeviceSlice::parse(const SharedObject& object) {
  auto slice = std::make_shared<DeviceSlice>();
  static const json::value kNothing = json::object();
  const json::value* found = find(*object, "spec");
  const json::value& spec = found == nullptr ? kNothing : *found;
  slice->object = object;
  slice->name = api::name_of(*object);
  slice->driver = get_string(spec, "driver");
  slice->pool = get_string(spec, "pool.name");
  slice->generation = get_int(spec, "pool.generation");
  slice->pool_slices = get_int(spec, "pool.resourceSliceCount");
  if (auto reach = parse_reach(spec, object)) slice->reach = std::move(*reach);
  for (const json::value& device : get_array(spec, "devices")) {
    slice->devices.push_back(parse_device(device, *slice));
  }
  for (const json::value& set : get_array(spec, "sharedCounters")) {
    const bool is_new =
        slice->counters.emplace(get_string(set, "name"), parse_counters(set)).second;
    slice->sets_twice = slice->sets_twice || !is_new;
  }
  return slice;
}

std::vector<DeviceClaimUse> parse_device_claims(const json::value& pod) {
  std::vector<DeviceClaimUse> uses;
  for (const json::value& entry : get_array(pod, "spec.resourceClaims")) {
    DeviceClaimUse& use = uses.emplace_back();
    use.entry = get_string(entry, "name");
    use.claim = api::device_claim_of(pod, entry);
    use.made = get_string(entry, "resourceClaimName").empty();
  }
  return uses;
}

void HeldDevices::count(const json::value& allocation, int sign) {
  for (const json::value& result : get_array(allocation, "devices.results")) {
    if (get_bool(result, "adminAccess")) continue;  // it takes nothing from others
    const std::string id = device_id(result);
    const bool gone = (devices_[id] += sign) == 0;
    if (gone) devices_.erase(id);
    for (const auto& [name, amount] : get_object(result, "consumedCapacity")) {
      auto value = api::Quantity::parse(text_or_empty(amount));
      if (!value.ok()) continue;
      if (sign < 0) value->negate();
      consumed_[id][full_name(get_string(result, "driver"), name)].add(*value);
    }
    if (gone) consumed_.erase(id);
  }
}

const Amounts* HeldDevices::consumed_of(const std::string& id) const {
  const auto found = consumed_.find(id);
  return found == consumed_.end() ? nullptr : &found->second;
}

void DeviceWorld::set_claim(const std::string& key, SharedObject claim) {
  const auto allocation_of = [](const json::value* one) {
    return one == nullptr ? nullptr : find(*one, "status.allocation");
  };
  const json::value* before = this->claim(key);
  if (const json::value* had = allocation_of(before)) {
    held_.remove(*had);
    allocated_.erase(std::string(api::uid_of(*before)));
  }
  claims_.erase(key);
  if (claim == nullptr) return;
  if (const json::value* has = allocation_of(claim.get())) {
    held_.add(*has);
    allocated_.emplace(api::uid_of(*claim));
  }
  claims_.emplace(key, std::move(claim));
}

void DeviceWorld::set_slice(const std::string& name, SharedObject object) {
  const auto leave = [this, &name](const std::string& pool) {
    by_pool_[pool].erase(name);
    settle_pool(pool);
  };
  const auto known = slices_.find(name);
  if (known != slices_.end()) {
    const std::string pool = known->second->driver + "/" + known->second->pool;
    slices_.erase(known);
    leave(pool);
  }
  if (object == nullptr) return;
  SlicePtr slice = DeviceSlice::parse(object);
  const std::string pool = slice->driver + "/" + slice->pool;
  by_pool_[pool][name] = slice;
  slices_[name] = std::move(slice);
  settle_pool(pool);
}

void DeviceWorld::settle_pool(const std::string& key) {
  if (const auto old = pools_.find(key); old != pools_.end()) {
    for (const SlicePtr& slice : old->second.slices) {
      const auto on = pools_on_.find(slice->reach.node);
      if (on != pools_on_.end() && on->second.erase(key) > 0 && on->second.empty()) {
        pools_on_.erase(on);
      }
    }
    pools_.erase(old);
  }
  const auto& slices = by_pool_[key];
  if (slices.empty()) {
    by_pool_.erase(key);
    return;
  }
  Pool pool;
  std::int64_t newest = 0;
  for (const auto& [name, slice] : slices) newest = std::max(newest, slice->generation);
  std::set<std::string> names;
  for (const auto& [name, slice] : slices) {
    if (slice->generation != newest) continue;
    pool.driver = slice->driver;
    pool.name = slice->pool;
    pool.slices.push_back(slice);
    pools_on_[slice->reach.node].insert(key);
    for (const Device& device : slice->devices) {
      pool.ambiguous = pool.ambiguous || !names.insert(device.name).second;
    }
    pool.miscounted = pool.miscounted || slice->sets_twice;
    for (const auto& [set, counters] : slice->counters) {
      pool.miscounted = !pool.counters.emplace(set, counters).second || pool.miscounted;
    }
  }
  pool.miscounted = pool.miscounted || !names_its_counters(pool);
  pool.complete = static_cast<std::int64_t>(pool.slices.size()) == pool.slices.front()->pool_slices;
  pools_.emplace(key, std::move(pool));
}

std::vector<const DeviceWorld::Pool*> DeviceWorld::pools_for(const std::string& node) const {
  std::set<std::string> keys;
  for (const std::string& on : {node, std::string()}) {
    const auto found = pools_on_.find(on);
    if (found != pools_on_.end()) keys.insert(found->second.begin(), found->second.end());
  }
  std::vector<const Pool*> pools;
  for (const std::string& key : keys) pools.push_back(&pools_.at(key));
  return pools;
}

}  // namespace coracle::scheduler
