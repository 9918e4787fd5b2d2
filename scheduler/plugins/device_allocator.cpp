#include "plugins/device_allocator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/devices/validation.hpp"
#include "api/object.hpp"
#include "plugins/device_search.hpp"
#include "plugins/device_shares.hpp"

namespace coracle::scheduler {
namespace {

json::object only_node(const std::string& name) {
  json::array values;
  values.emplace_back(name);
  json::array fields;
  fields.push_back(
      json::object{{"key", "metadata.name"}, {"operator", "In"}, {"values", std::move(values)}});
  return json::object{{"matchFields", std::move(fields)}};
}

// Where the devices can be used: one node, or the nodes that all their slices select; null:
// anywhere. One that binds to the node it is chosen for can be used there only.
json::value reach_of(const std::vector<DeviceChoice>& choices, const std::string& node) {
  json::object term;
  for (const DeviceChoice& choice : choices) {
    const DeviceReach& reach = choice.slice->reach_of(*choice.device);
    json::array terms;
    if (!reach.node.empty() || get_bool(*choice.device->tree, "bindsToNode")) {
      terms.push_back(only_node(node));
      return json::object{{"nodeSelectorTerms", std::move(terms)}};
    }
    if (reach.selector == nullptr) continue;
    for (const json::value& one : get_array(*reach.selector, "nodeSelectorTerms")) {
      for (const std::string_view key : {"matchExpressions", "matchFields"}) {
        for (const json::value& rule : get_array(one, key)) {
          json::value& list = term[key];
          if (!list.is_array()) list.emplace_array();
          json::array& rules = list.get_array();
          if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
        }
      }
    }
  }
  if (term.empty()) return nullptr;
  json::array terms;
  terms.push_back(std::move(term));
  return json::object{{"nodeSelectorTerms", std::move(terms)}};
}

// The configuration of the classes, each once, then the claim's own where it is about what was
// chosen.
json::array configs_of(const ClaimAsk& claim, const std::vector<DeviceChoice>& choices) {
  json::array out;
  std::set<std::string> names;
  std::map<std::string, std::pair<std::size_t, std::size_t>> of_class;  // where in `out`
  for (const DeviceChoice& choice : choices) {
    if (!names.insert(choice.ask->name).second) continue;
    const std::string class_name(api::name_of(*choice.ask->device_class));
    const auto [where, is_new] = of_class.try_emplace(class_name, out.size(), out.size());
    auto& [begin, end] = where->second;
    if (is_new) {
      for (const json::value& config : get_array(*choice.ask->device_class, "spec.config")) {
        json::object one{{"source", "FromClass"}, {"requests", json::array()}};
        for (const auto& [key, value] : config.as_object()) one[key] = value;
        out.push_back(std::move(one));
      }
      end = out.size();
    }
    for (std::size_t i = begin; i < end; ++i) {
      out[i].as_object()["requests"].as_array().emplace_back(choice.ask->name);
    }
  }
  for (const json::value& config : get_array(*claim.claim, "spec.devices.config")) {
    const json::array& about = get_array(config, "requests");
    DeviceConstraint filter;
    for (const json::value& name : about) filter.requests.emplace(name.as_string());
    if (std::none_of(names.begin(), names.end(),
                     [&](const std::string& name) { return filter.is_about(name); })) {
      continue;
    }
    json::object one{{"source", "FromClaim"}};
    for (const auto& [key, value] : config.as_object()) one[key] = value;
    out.push_back(std::move(one));
  }
  return out;
}

// By the names that the device has for them.
json::object consumed_of(const DeviceChoice& choice) {
  json::object out;
  for (const auto& [name, capacity] : get_object(*choice.device->tree, "capacity")) {
    const auto amount = choice.consumed->find(full_name(choice.slice->driver, name));
    if (amount != choice.consumed->end()) out[name] = amount->second.text();
  }
  return out;
}

json::value allocation_of(const ClaimAsk& claim, const std::vector<DeviceChoice>& choices,
                          const std::string& node) {
  json::array results;
  for (const DeviceChoice& choice : choices) {
    json::object one{{"request", choice.ask->name},
                     {"driver", choice.slice->driver},
                     {"pool", choice.slice->pool},
                     {"device", choice.device->name}};
    if (choice.ask->admin_access) one["adminAccess"] = true;
    for (const char* key : {"bindingConditions", "bindingFailureConditions"}) {
      const json::array& conditions = get_array(*choice.device->tree, key);
      if (!conditions.empty()) one[key] = conditions;
    }
    if (choice.consumed) {
      // Its own, and the same whenever the same is decided.
      one["shareID"] = share_id(claim.uid, results.size());
      one["consumedCapacity"] = consumed_of(choice);
    }
    if (choice.ask->tolerations_tree != nullptr && !choice.ask->tolerations_tree->empty()) {
      one["tolerations"] = *choice.ask->tolerations_tree;
    }
    results.push_back(std::move(one));
  }
  json::object devices{{"results", std::move(results)}};
  if (json::array configs = configs_of(claim, choices); !configs.empty()) {
    devices["config"] = std::move(configs);
  }
  json::object allocation{{"devices", std::move(devices)}};
  if (json::value reach = reach_of(choices, node); !reach.is_null()) {
    allocation["nodeSelector"] = std::move(reach);
  }
  return allocation;
}

Status add_selectors(const json::value& holder, std::string_view path, SelectorCache& cache,
                     DeviceAsk* ask) {
  for (const json::value& selector : get_array(holder, path)) {
    auto compiled = cache.get(get_string(selector, "cel.expression"));
    if (!compiled.ok()) return compiled.status();
    ask->selectors.push_back(*std::move(compiled));
  }
  return Status();
}

Result<DeviceAsk> parse_ask(const json::value& request, std::string name, const DeviceWorld& world,
                            SelectorCache& cache) {
  DeviceAsk ask;
  ask.name = std::move(name);
  const std::string_view class_name = get_string(request, "deviceClassName");
  ask.device_class = Storage::find(world.classes, class_name);
  if (ask.device_class == nullptr) {
    return Status(Code::kFailedPrecondition,
                  fmt::format("request {}: device class {} does not exist", ask.name, class_name));
  }
  if (Status added = add_selectors(*ask.device_class, "spec.selectors", cache, &ask); !added.ok()) {
    return added;
  }
  ask.class_selectors = ask.selectors.size();
  if (Status added = add_selectors(request, "selectors", cache, &ask); !added.ok()) return added;
  ask.admin_access = get_bool(request, "adminAccess");
  ask.all = get_string(request, "allocationMode") == "All";
  ask.count = static_cast<std::size_t>(std::max<std::int64_t>(1, get_int(request, "count", 1)));
  for (const auto& [capacity, amount] : get_object(request, "capacity.requests")) {
    const auto value = api::Quantity::parse(amount.is_string() ? amount.get_string() : "");
    if (!value.ok() || value->sign() < 0) {
      return Status(Code::kInvalidArgument,
                    fmt::format("request {}: capacity {} is no amount", ask.name, capacity));
    }
    ask.capacities[std::string(capacity)] = *value;
  }
  ask.tolerations_tree = &get_array(request, "tolerations");
  ask.tolerations = api::parse_tolerations(*ask.tolerations_tree);
  return ask;
}

}  // namespace

bool DeviceConstraint::is_about(const std::string& request) const {
  return requests.empty() || requests.contains(request) ||
         requests.contains(request.substr(0, request.find('/')));
}

Result<ClaimAsk> DeviceAllocator::parse(const std::string& key, const json::value& claim,
                                        const DeviceWorld& world, SelectorCache& selectors) {
  ClaimAsk out;
  out.key = key;
  out.uid = api::uid_of(claim);
  out.claim = &claim;
  for (const json::value& request : get_array(claim, "spec.devices.requests")) {
    const std::string name(get_string(request, "name"));
    std::vector<DeviceAsk>& alternatives = out.requests.emplace_back();
    if (const json::value* exactly = find(request, "exactly")) {
      auto ask = parse_ask(*exactly, name, world, selectors);
      if (!ask.ok()) return ask.status();
      alternatives.push_back(*std::move(ask));
    }
    for (const json::value& one : get_array(request, "firstAvailable")) {
      auto ask =
          parse_ask(one, name + "/" + std::string(get_string(one, "name")), world, selectors);
      if (!ask.ok()) return ask.status();
      ask->is_alternative = true;
      alternatives.push_back(*std::move(ask));
    }
  }
  for (const json::value& rule : get_array(claim, "spec.devices.constraints")) {
    DeviceConstraint& constraint = out.constraints.emplace_back();
    for (const json::value& name : get_array(rule, "requests")) {
      if (name.is_string()) constraint.requests.emplace(name.as_string());
    }
    constraint.distinct = find(rule, "matchAttribute") == nullptr;
    constraint.attribute =
        get_string(rule, constraint.distinct ? "distinctAttribute" : "matchAttribute");
  }
  return out;
}

Result<std::optional<std::vector<json::value>>> DeviceAllocator::allocate(
    const std::vector<ClaimAsk>& claims, const DeviceWorld& world, const HeldDevices& taken,
    const NodeFacts& node, std::size_t steps_max) {
  DeviceSearch search(claims, world, taken, node, steps_max);
  const Result<bool> found = search.run();
  if (!found.ok()) return found.status();
  std::optional<std::vector<json::value>> out;
  if (!*found) return out;
  out.emplace();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    out->push_back(allocation_of(claims[i], search.chosen(i), node.name));
  }
  return out;
}

std::size_t DeviceAllocator::steps_within(Duration timeout) {
  constexpr Duration kLongest = std::chrono::seconds(kStepsMax / kStepsPerSecond);
  if (timeout <= Duration(0) || timeout >= kLongest) return kStepsMax;
  return static_cast<std::size_t>(timeout / (Duration(std::chrono::seconds(1)) / kStepsPerSecond));
}

bool DeviceAllocator::is_scored(const ClaimAsk& claim) {
  return std::ranges::any_of(claim.requests, [](const auto& alternatives) {
    return std::ranges::any_of(alternatives, &DeviceAsk::is_alternative);
  });
}

std::int64_t DeviceAllocator::score(const ClaimAsk& claim, const json::value& allocation) {
  std::set<std::string, std::less<>> had;
  for (const json::value& result : get_array(allocation, "devices.results")) {
    had.emplace(get_string(result, "request"));
  }
  std::int64_t sum = 0;
  for (const auto& alternatives : claim.requests) {
    for (std::size_t i = 0; i < alternatives.size(); ++i) {
      if (!alternatives[i].is_alternative || !had.contains(alternatives[i].name)) continue;
      sum +=
          static_cast<std::int64_t>(api::devices::kAlternativesMax) - static_cast<std::int64_t>(i);
    }
  }
  return sum;
}

std::map<std::string, int> DeviceAllocator::devices_beyond(const DeviceWorld& world,
                                                           const NodeFacts& node) {
  std::map<std::string, int> out;
  for (const DeviceWorld::Pool* pool : world.pools_for(node.name)) {
    for (const SlicePtr& slice : pool->slices) {
      for (const Device& device : slice->devices) {
        if (device.beyond.empty() || !slice->reach_of(device).holds(node.selectable())) continue;
        ++out[device.beyond];
      }
    }
  }
  return out;
}

}  // namespace coracle::scheduler
