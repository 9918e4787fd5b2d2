#include "plugins/device_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/devices/validation.hpp"
#include "api/object.hpp"
#include "plugins/device_shares.hpp"

namespace coracle::scheduler {
namespace {

using Texts = std::set<std::string>;

constexpr std::size_t kCountsAsTooMany = 1'000'000;  // so that sums stay numbers

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

// Of the slices for the node.
bool has_conditions(const DeviceWorld::Pool& pool, const NodeFacts& node) {
  return std::ranges::any_of(pool.slices, [&node](const SlicePtr& slice) {
    return std::ranges::any_of(slice->devices, [&](const Device& device) {
      return !get_array(*device.tree, "bindingConditions").empty() &&
             slice->reach_of(device).holds(node.selectable());
    });
  });
}

}  // namespace

DeviceSearch::DeviceSearch(const std::vector<ClaimAsk>& claims, const DeviceWorld& world,
                           const HeldDevices& taken, const NodeFacts& node, std::size_t steps_max)
    : claims_(claims),
      world_(world),
      taken_(taken),
      node_(node),
      chosen_(claims.size()),
      steps_max_(steps_max) {
  auto pools = world.pools_for(node.name);
  // What can be used at once before what has to be made ready.
  std::stable_partition(pools.begin(), pools.end(), [&node](const DeviceWorld::Pool* pool) {
    return !has_conditions(*pool, node);
  });
  for (const DeviceWorld::Pool* pool : pools) add_pool(*pool);
  for (std::size_t claim = 0; claim < claims.size(); ++claim) {
    auto& requests = asked_.emplace_back();
    for (const auto& alternatives : claims[claim].requests) {
      auto& request = requests.emplace_back();
      for (const DeviceAsk& ask : alternatives) {
        request.push_back({&ask, claim, {}, {}});
      }
    }
  }
}

// Of a pool that cannot be used nothing is offered, even if all that is seen of it is a slice
// without devices: more may come.
void DeviceSearch::add_pool(const DeviceWorld::Pool& pool) {
  std::vector<Offer> offers;
  std::set<std::string> names;
  bool touches = false, twice = false;
  for (const SlicePtr& slice : pool.slices) {
    bool here = slice->reach.holds(node_.selectable());
    const std::size_t before = offers.size();
    for (const Device& device : slice->devices) {
      if (slice->reach_of(device).holds(node_.selectable())) {
        offers.push_back({&pool, slice.get(), &device});
      }
    }
    here = here || offers.size() > before;
    touches = touches || here;
    // Slices for other nodes may name theirs alike.
    if (!here || !pool.ambiguous) continue;
    for (const Device& device : slice->devices) twice = !names.insert(device.name).second || twice;
  }
  if (!touches) return;
  const std::string id = pool.driver + "/" + pool.name;
  if (!pool.complete) {
    growing_ = id;
  } else if (twice || pool.miscounted) {
    invalid_ = id;
  } else {
    offers_.insert(offers_.end(), offers.begin(), offers.end());
  }
}

Result<bool> DeviceSearch::run() {
  if (Status ready = prepare(); !ready.ok()) return ready;
  auto found = claim_from(0, 0);
  if (found.ok() && !*found && !invalid_.empty()) {
    return Status(Code::kFailedPrecondition, "invalid resource pools were encountered");
  }
  return found;
}

Status DeviceSearch::prepare() {
  for (std::size_t claim = 0; claim < asked_.size(); ++claim) {
    std::size_t least = 0;
    for (auto& alternatives : asked_[claim]) {
      for (Asked& asked : alternatives) {
        asked.selected.resize(offers_.size());
        if (!asked.ask->all) continue;
        if (Status found = find_all(asked); !found.ok()) return found;
      }
      const auto count = [](const Asked& one) {
        return one.ask->all ? one.all.size() : one.ask->count;
      };
      const auto smallest = std::ranges::min_element(alternatives, {}, count);
      if (smallest != alternatives.end()) least += std::min(count(*smallest), kCountsAsTooMany);
    }
    if (least > api::devices::kResultsMax) {
      return Status(
          Code::kInvalidArgument,
          fmt::format("claim {}: number of requested devices {} exceeds the claim limit of {}",
                      claims_[claim].key, least, api::devices::kResultsMax));
    }
  }
  return Status();
}

Status DeviceSearch::find_all(Asked& asked) {
  const auto fail = [&](const std::string& pool, std::string_view why) {
    return Status(Code::kInvalidArgument,
                  fmt::format("claim {}, request {}: asks for all devices, but resource pool {} is "
                              "currently {}",
                              claims_[asked.claim].key, asked.ask->name, pool, why));
  };
  if (!growing_.empty()) return fail(growing_, "being updated");
  if (!invalid_.empty()) return fail(invalid_, "invalid");
  for (std::size_t i = 0; i < offers_.size(); ++i) {
    auto selected = selects(asked, i);
    if (!selected.ok()) return selected.status();
    if (*selected) asked.all.push_back(i);
  }
  return Status();
}

// The requests of a claim from `request` on, then the claims behind it.
Result<bool> DeviceSearch::claim_from(std::size_t claim, std::size_t request) {
  if (claim == asked_.size()) return true;
  if (request == asked_[claim].size()) return claim_from(claim + 1, 0);
  for (Asked& asked : asked_[claim][request]) {
    auto found = asked.ask->all ? all_of(asked, request) : some_of(asked, request, 0, 0);
    if (!found.ok() || *found) return found;
  }
  return false;
}

// `had` of ask.count devices are chosen, the last one before offer `from`: which of equals comes
// first makes no difference.
Result<bool> DeviceSearch::some_of(Asked& asked, std::size_t request, std::size_t had,
                                   std::size_t from) {
  if (had == asked.ask->count) return claim_from(asked.claim, request + 1);
  if (chosen_[asked.claim].size() >= api::devices::kResultsMax) return false;
  for (std::size_t i = from; i < offers_.size(); ++i) {
    auto taken = take(asked, i);
    if (!taken.ok()) return taken;
    if (!*taken) continue;
    // A shared device may be had several times.
    const bool again = chosen_[asked.claim].back().consumed.has_value();
    auto found = some_of(asked, request, had + 1, again ? i : i + 1);
    if (!found.ok() || *found) return found;
    give_back(asked.claim);
  }
  return false;
}

Result<bool> DeviceSearch::all_of(Asked& asked, std::size_t request) {
  const std::size_t claim = asked.claim;
  const std::size_t before = chosen_[claim].size();
  if (asked.all.empty() || before + asked.all.size() > api::devices::kResultsMax) return false;
  Result<bool> found = true;
  for (const std::size_t offer : asked.all) {
    found = take(asked, offer);
    if (!found.ok() || !*found) break;
  }
  if (found.ok() && *found) found = claim_from(claim, request + 1);
  if (!found.ok() || *found) return found;
  while (chosen_[claim].size() > before) give_back(claim);
  return false;
}

// False: it may not be had. True: it is chosen, and give_back() undoes it.
Result<bool> DeviceSearch::take(Asked& asked, std::size_t number) {
  if (++steps_ > steps_max_) {
    return Status(Code::kResourceExhausted, "timed out trying to allocate devices");
  }
  const Offer& offer = offers_[number];
  const Device& device = *offer.device;
  if (!device.beyond.empty()) return false;
  std::optional<Amounts> consumed;
  if (is_in_use(asked, device) || !has_part(asked, offer, &consumed)) return false;
  if (!has_counters(asked, offer)) return false;
  const bool borne = std::ranges::all_of(device.taints, [&](const api::Taint& taint) {
    return api::tolerated_by(taint, asked.ask->tolerations) != nullptr;
  });
  if (!borne) return false;
  auto selected = selects(asked, number);
  if (!selected.ok() || !*selected) return selected;
  if (!agrees(asked, offer)) {
    if (!asked.ask->all) return false;
    return Status(
        Code::kInvalidArgument,
        fmt::format("claim {}, request {}: cannot add device {} because a claim constraint "
                    "would not be satisfied",
                    claims_[asked.claim].key, asked.ask->name, device.id));
  }
  chosen_[asked.claim].push_back(
      {asked.ask, offer.pool, offer.slice, offer.device, std::move(consumed)});
  return true;
}

void DeviceSearch::give_back(std::size_t claim) { chosen_[claim].pop_back(); }

// An administrator's claim looks at devices whoever has them, at each once.
bool DeviceSearch::is_in_use(const Asked& asked, const Device& device) const {
  const auto has_it = [&](const std::vector<DeviceChoice>& chosen) {
    return std::ranges::find(chosen, &device, &DeviceChoice::device) != chosen.end();
  };
  if (asked.ask->admin_access) return has_it(chosen_[asked.claim]);
  if (device.shared) return false;
  return world_.held().holds(device.id) || taken_.holds(device.id) ||
         std::ranges::any_of(chosen_, has_it);
}

bool DeviceSearch::has_part(const Asked& asked, const Offer& offer,
                            std::optional<Amounts>* consumed) const {
  const Device& device = *offer.device;
  const bool shares = device.shared && !asked.ask->admin_access;
  if (!shares && asked.ask->capacities.empty()) return true;
  auto wanted = capacities_for(device, offer.slice->driver, asked.ask->capacities);
  if (!wanted) return false;
  if (!shares) return true;
  std::vector<const Amounts*> others;
  for (const HeldDevices* held : {&world_.held(), &taken_}) {
    if (const Amounts* amounts = held->consumed_of(device.id)) others.push_back(amounts);
  }
  for (const auto& chosen : chosen_) {
    for (const DeviceChoice& other : chosen) {
      if (other.device == &device && other.consumed) others.push_back(&*other.consumed);
    }
  }
  if (!is_left(device, offer.slice->driver, *wanted, others)) return false;
  *consumed = std::move(wanted);
  return true;
}

// A shared device takes its counters once, with its first share.
bool DeviceSearch::has_counters(const Asked& asked, const Offer& offer) {
  const Device& device = *offer.device;
  if (device.counters.empty() || asked.ask->admin_access) return true;
  if (world_.held().holds(device.id) || taken_.holds(device.id)) return true;
  const auto known = counters_.find(offer.pool);
  auto left = known != counters_.end()
                  ? known->second
                  : counters_[offer.pool] = counters_left(*offer.pool, world_.held(), taken_);
  std::set<const Device*> seen;
  for (const auto& chosen : chosen_) {
    for (const DeviceChoice& other : chosen) {
      if (other.device == &device && !other.ask->admin_access) return true;
      const bool counts = other.pool == offer.pool && !other.ask->admin_access &&
                          !world_.held().holds(other.device->id) &&
                          !taken_.holds(other.device->id) && seen.insert(other.device).second;
      if (!counts) continue;
      for (const CounterUse& use : other.device->counters) {
        for (const auto& [name, amount] : use.counters) left[use.set][name].sub(amount);
      }
    }
  }
  return std::ranges::all_of(device.counters, [&left](const CounterUse& use) {
    return std::ranges::all_of(use.counters, [&](const auto& counter) {
      return left[use.set][counter.first] >= counter.second;
    });
  });
}

Result<bool> DeviceSearch::selects(Asked& asked, std::size_t offer) {
  std::optional<bool>& known = asked.selected[offer];
  if (known) return *known;
  auto answer = matches(asked, offers_[offer]);
  if (answer.ok()) known = *answer;
  return answer;
}

Result<bool> DeviceSearch::matches(const Asked& asked, const Offer& offer) const {
  const DeviceAsk& ask = *asked.ask;
  for (std::size_t i = 0; i < ask.selectors.size(); ++i) {
    auto matches = ask.selectors[i]->matches(offer.device->value);
    if (!matches.ok()) {
      const bool of_class = i < ask.class_selectors;
      return Status(
          Code::kInvalidArgument,
          of_class ? fmt::format("class {}: selector #{}: CEL runtime error: {}",
                                 api::name_of(*ask.device_class), i, matches.status().message())
                   : fmt::format("claim {}: selector #{}: CEL runtime error: {}",
                                 claims_[asked.claim].key, i - ask.class_selectors,
                                 matches.status().message()));
    }
    if (!*matches) return false;
  }
  return true;
}

bool DeviceSearch::agrees(const Asked& asked, const Offer& offer) const {
  for (const DeviceConstraint& rule : claims_[asked.claim].constraints) {
    if (!rule.is_about(asked.ask->name)) continue;
    const Texts values = attribute_values(*offer.device, offer.slice->driver, rule.attribute);
    if (values.empty()) return false;
    Texts common = values;
    for (const DeviceChoice& other : chosen_[asked.claim]) {
      if (!rule.is_about(other.ask->name)) continue;
      const Texts had = attribute_values(*other.device, other.slice->driver, rule.attribute);
      if (rule.distinct && !both(values, had).empty()) return false;
      common = both(common, had);
    }
    if (!rule.distinct && common.empty()) return false;
  }
  return true;
}

}  // namespace coracle::scheduler
