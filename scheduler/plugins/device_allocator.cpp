#include "plugins/device_allocator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/devices/validation.hpp"
#include "api/object.hpp"

namespace coracle::scheduler {
namespace {

using api::devices::DeviceSelector;
using Texts = std::set<std::string>;

// Of one device: the values under a qualified name, told apart by type.
Texts attribute_values(const Device& device, std::string_view driver, const std::string& name) {
  const json::object& attributes = get_object(*device.tree, "attributes");
  const json::value* found = attributes.if_contains(name);
  const std::size_t slash = name.find('/');
  if (found == nullptr && name.substr(0, slash) == driver) {
    found = attributes.if_contains(name.substr(slash + 1));
  }
  Texts texts;
  if (found == nullptr || !found->is_object()) return texts;
  for (const auto& [kind, value] : found->get_object()) {
    // "strings" and "string" are of one type.
    std::string type(kind);
    if (!value.is_array()) {
      texts.insert(type + to_json(value));
      continue;
    }
    type.pop_back();
    for (const json::value& one : value.get_array()) texts.insert(type + to_json(one));
  }
  return texts;
}

Texts both(const Texts& a, const Texts& b) {
  Texts out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}

struct Choice {
  const DeviceAsk* ask;
  const DeviceSlice* slice;
  const Device* device;
};

// A device that may be had from the node, and from which slice.
struct Offer {
  const DeviceSlice* slice;
  const Device* device;
};

class Search {
 public:
  Search(const std::vector<ClaimAsk>& claims, const DeviceWorld& world, const Texts& taken,
         const NodeFacts& node)
      : claims_(claims), world_(world), taken_(taken), node_(node) {
    for (const DeviceWorld::Pool* pool : world.pools_for(node.name)) add_pool(*pool);
  }

  Result<bool> run() {
    chosen_.assign(claims_.size(), {});
    return claim_from(0, 0);
  }
  const std::vector<Choice>& chosen(std::size_t claim) const { return chosen_[claim]; }

 private:
  void add_pool(const DeviceWorld::Pool& pool) {
    const bool whole = pool.complete && !pool.ambiguous;
    for (const SlicePtr& slice : pool.slices) {
      for (const Device& device : slice->devices) {
        if (!slice->reach_of(device).holds(node_.selectable())) continue;
        if (!whole) {
          not_whole_ = pool.driver + "/" + pool.name;
        } else if (device.beyond.empty()) {
          offers_.push_back({slice.get(), &device});
        }
      }
    }
  }

  // The requests of a claim from `request` on, then the claims behind it.
  Result<bool> claim_from(std::size_t claim, std::size_t request) {
    if (claim == claims_.size()) return true;
    if (request == claims_[claim].requests.size()) return claim_from(claim + 1, 0);
    for (const DeviceAsk& ask : claims_[claim].requests[request]) {
      auto found = ask.all ? all_of(claim, request, ask) : some_of(claim, request, ask, 0, 0);
      if (!found.ok() || *found) return found;
    }
    return false;
  }

  // `had` of ask.count devices are chosen, the last one before offer `from`: which of equals comes
  // first makes no difference.
  Result<bool> some_of(std::size_t claim, std::size_t request, const DeviceAsk& ask,
                       std::size_t had, std::size_t from) {
    if (had == ask.count) return claim_from(claim, request + 1);
    if (chosen_[claim].size() >= api::devices::kResultsMax) return false;
    for (std::size_t i = from; i < offers_.size(); ++i) {
      auto taken = take(claim, ask, offers_[i]);
      if (!taken.ok()) return taken;
      if (!*taken) continue;
      auto found = some_of(claim, request, ask, had + 1, i + 1);
      if (!found.ok() || *found) return found;
      give_back(claim);
    }
    return false;
  }

  Result<bool> all_of(std::size_t claim, std::size_t request, const DeviceAsk& ask) {
    if (!not_whole_.empty()) {
      return Status(Code::kInvalidArgument,
                    fmt::format("claim {}, request {}: asks for all devices, but resource pool {} "
                                "is currently being updated",
                                claims_[claim].key, ask.name, not_whole_));
    }
    const std::size_t before = chosen_[claim].size();
    bool good = true;
    for (const Offer& offer : offers_) {
      auto selected = selects(claims_[claim], ask, offer);
      if (!selected.ok()) return selected;
      if (!*selected) continue;
      auto taken = take(claim, ask, offer);
      if (!taken.ok()) return taken;
      good = *taken && chosen_[claim].size() <= api::devices::kResultsMax;
      if (!good) break;
    }
    if (good && chosen_[claim].size() > before) {
      auto found = claim_from(claim, request + 1);
      if (!found.ok() || *found) return found;
    }
    while (chosen_[claim].size() > before) give_back(claim);
    return false;
  }

  // False: it may not be had. True: it is chosen, and give_back() undoes it.
  Result<bool> take(std::size_t claim, const DeviceAsk& ask, const Offer& offer) {
    if (++steps_ > DeviceAllocator::kStepsMax) {
      return Status(Code::kResourceExhausted, "timed out trying to allocate devices");
    }
    const Device& device = *offer.device;
    if (world_.is_allocated(device.id) || taken_.contains(device.id) || own_.contains(device.id)) {
      return false;
    }
    const bool borne = std::ranges::all_of(device.taints, [&](const api::Taint& taint) {
      return api::tolerated_by(taint, ask.tolerations) != nullptr;
    });
    if (!borne) return false;
    auto selected = selects(claims_[claim], ask, offer);
    if (!selected.ok() || !*selected) return selected;
    if (!agrees(claim, ask, offer)) return false;
    own_.insert(device.id);
    chosen_[claim].push_back({&ask, offer.slice, offer.device});
    return true;
  }
  void give_back(std::size_t claim) {
    own_.erase(chosen_[claim].back().device->id);
    chosen_[claim].pop_back();
  }

  static Result<bool> selects(const ClaimAsk& claim, const DeviceAsk& ask, const Offer& offer) {
    for (std::size_t i = 0; i < ask.selectors.size(); ++i) {
      auto matches = ask.selectors[i].matches(offer.device->value);
      if (!matches.ok()) {
        const bool of_class = i < ask.class_selectors;
        return Status(
            Code::kInvalidArgument,
            of_class ? fmt::format("class {}: selector #{}: CEL runtime error: {}",
                                   api::name_of(*ask.device_class), i, matches.status().message())
                     : fmt::format("claim {}: selector #{}: CEL runtime error: {}", claim.key,
                                   i - ask.class_selectors, matches.status().message()));
      }
      if (!*matches) return false;
    }
    return true;
  }

  bool agrees(std::size_t claim, const DeviceAsk& ask, const Offer& offer) const {
    for (const DeviceConstraint& rule : claims_[claim].constraints) {
      if (!rule.is_about(ask.name)) continue;
      const Texts values = attribute_values(*offer.device, offer.slice->driver, rule.attribute);
      if (values.empty()) return false;
      Texts common = values;
      for (const Choice& other : chosen_[claim]) {
        if (!rule.is_about(other.ask->name)) continue;
        const Texts had = attribute_values(*other.device, other.slice->driver, rule.attribute);
        if (rule.distinct && !both(values, had).empty()) return false;
        common = both(common, had);
      }
      if (!rule.distinct && common.empty()) return false;
    }
    return true;
  }

  const std::vector<ClaimAsk>& claims_;
  const DeviceWorld& world_;
  const Texts& taken_;
  const NodeFacts& node_;
  std::vector<Offer> offers_;
  std::string not_whole_;
  std::vector<std::vector<Choice>> chosen_;  // by claim
  Texts own_;
  std::size_t steps_ = 0;
};

json::object only_node(const std::string& name) {
  json::array values;
  values.emplace_back(name);
  json::array fields;
  fields.push_back(
      json::object{{"key", "metadata.name"}, {"operator", "In"}, {"values", std::move(values)}});
  return json::object{{"matchFields", std::move(fields)}};
}

// Where the devices can be used: one node, or the nodes that all their slices select; null:
// anywhere.
json::value reach_of(const std::vector<Choice>& choices) {
  json::object term;
  for (const Choice& choice : choices) {
    const DeviceReach& reach = choice.slice->reach_of(*choice.device);
    json::array terms;
    if (!reach.node.empty()) {
      terms.push_back(only_node(reach.node));
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

// The configuration of the classes, then the claim's own where it is about what was chosen.
json::array configs_of(const ClaimAsk& claim, const std::vector<Choice>& choices) {
  json::array out;
  std::set<std::string> names;
  for (const Choice& choice : choices) {
    if (!names.insert(choice.ask->name).second) continue;
    for (const json::value& config : get_array(*choice.ask->device_class, "spec.config")) {
      json::object one{{"source", "FromClass"}};
      one["requests"].emplace_array().emplace_back(choice.ask->name);
      for (const auto& [key, value] : config.as_object()) one[key] = value;
      out.push_back(std::move(one));
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

json::value allocation_of(const ClaimAsk& claim, const std::vector<Choice>& choices) {
  json::array results;
  for (const Choice& choice : choices) {
    json::object one{{"request", choice.ask->name},
                     {"driver", choice.slice->driver},
                     {"pool", choice.slice->pool},
                     {"device", choice.device->name}};
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
  if (json::value reach = reach_of(choices); !reach.is_null()) {
    allocation["nodeSelector"] = std::move(reach);
  }
  return allocation;
}

Status add_selectors(const json::value& holder, std::string_view path, DeviceAsk* ask) {
  for (const json::value& selector : get_array(holder, path)) {
    auto compiled = DeviceSelector::compile(get_string(selector, "cel.expression"));
    if (!compiled.ok()) return compiled.status();
    ask->selectors.push_back(*std::move(compiled));
  }
  return Status();
}

Result<DeviceAsk> parse_ask(const json::value& request, std::string name,
                            const DeviceWorld& world) {
  DeviceAsk ask;
  ask.name = std::move(name);
  const std::string_view class_name = get_string(request, "deviceClassName");
  ask.device_class = Storage::find(world.classes, class_name);
  if (ask.device_class == nullptr) {
    return Status(Code::kFailedPrecondition,
                  fmt::format("request {}: device class {} does not exist", ask.name, class_name));
  }
  if (Status added = add_selectors(*ask.device_class, "spec.selectors", &ask); !added.ok()) {
    return added;
  }
  ask.class_selectors = ask.selectors.size();
  if (Status added = add_selectors(request, "selectors", &ask); !added.ok()) return added;
  ask.all = get_string(request, "allocationMode") == "All";
  ask.count = static_cast<std::size_t>(std::max<std::int64_t>(1, get_int(request, "count", 1)));
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
                                        const DeviceWorld& world) {
  ClaimAsk out;
  out.key = key;
  out.uid = api::uid_of(claim);
  out.claim = &claim;
  for (const json::value& request : get_array(claim, "spec.devices.requests")) {
    const std::string name(get_string(request, "name"));
    std::vector<DeviceAsk>& alternatives = out.requests.emplace_back();
    if (const json::value* exactly = find(request, "exactly")) {
      auto ask = parse_ask(*exactly, name, world);
      if (!ask.ok()) return ask.status();
      alternatives.push_back(*std::move(ask));
    }
    for (const json::value& one : get_array(request, "firstAvailable")) {
      auto ask = parse_ask(one, name + "/" + std::string(get_string(one, "name")), world);
      if (!ask.ok()) return ask.status();
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
    const std::vector<ClaimAsk>& claims, const DeviceWorld& world,
    const std::set<std::string>& taken, const NodeFacts& node) {
  Search search(claims, world, taken, node);
  const Result<bool> found = search.run();
  if (!found.ok()) return found.status();
  std::optional<std::vector<json::value>> out;
  if (!*found) return out;
  out.emplace();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    out->push_back(allocation_of(claims[i], search.chosen(i)));
  }
  return out;
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
