// DeviceSearch: which devices of a node claims get, as DeviceAllocator says it: of their requests
// in order, the devices in order of their pools, slices and names, with a step back where a request
// is left with nothing. Of one node; the world must stand still while it is used. Pure.
//
// Bounds: those of DeviceAllocator.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/device_allocator.hpp"

namespace coracle::scheduler {

struct DeviceChoice {
  const DeviceAsk* ask;
  const DeviceWorld::Pool* pool;
  const DeviceSlice* slice;
  const Device* device;
  std::optional<Amounts> consumed;  // of a shared device's capacities
};

class DeviceSearch {
 public:
  // `taken`: what is promised to others.
  DeviceSearch(const std::vector<ClaimAsk>& claims, const DeviceWorld& world,
               const HeldDevices& taken, const NodeFacts& node, std::size_t steps_max);

  // Once. False: the node has not what they ask. Errors: those of DeviceAllocator::allocate.
  Result<bool> run();
  const std::vector<DeviceChoice>& chosen(std::size_t claim) const { return chosen_[claim]; }

 private:
  // A device that can be reached from the node, and from which slice.
  struct Offer {
    const DeviceWorld::Pool* pool;
    const DeviceSlice* slice;
    const Device* device;
  };
  // A request, or one alternative of it, and what its selectors said of the offers: that does not
  // depend on what is chosen, so they are asked once.
  struct Asked {
    const DeviceAsk* ask;
    std::size_t claim;
    std::vector<std::optional<bool>> selected;  // by offer
    std::vector<std::size_t> all;               // of a request for all: the offers it is about
  };

  void add_pool(const DeviceWorld::Pool& pool);
  // What would fail whichever devices are chosen.
  Status prepare();
  Status find_all(Asked& asked);
  Result<bool> claim_from(std::size_t claim, std::size_t request);
  Result<bool> some_of(Asked& asked, std::size_t request, std::size_t had, std::size_t from);
  Result<bool> all_of(Asked& asked, std::size_t request);
  Result<bool> take(Asked& asked, std::size_t offer);
  void give_back(std::size_t claim);
  bool is_in_use(const Asked& asked, const Device& device) const;
  // Whether the part that is asked for can be had, and how much that is of a shared device.
  bool has_part(const Asked& asked, const Offer& offer, std::optional<Amounts>* consumed) const;
  bool has_counters(const Asked& asked, const Offer& offer);
  Result<bool> selects(Asked& asked, std::size_t offer);
  Result<bool> matches(const Asked& asked, const Offer& offer) const;
  bool agrees(const Asked& asked, const Offer& offer) const;

  const std::vector<ClaimAsk>& claims_;
  const DeviceWorld& world_;
  const HeldDevices& taken_;
  const NodeFacts& node_;
  std::vector<Offer> offers_;
  std::string growing_, invalid_;  // a pool whose slices are not all there; one with a name twice
  std::vector<std::vector<std::vector<Asked>>> asked_;  // by claim and request: the alternatives
  std::vector<std::vector<DeviceChoice>> chosen_;       // by claim
  // Of pools with counters: what was left when the search began.
  std::map<const DeviceWorld::Pool*, std::map<std::string, Amounts>> counters_;
  const std::size_t steps_max_;
  std::size_t steps_ = 0;
};

}  // namespace coracle::scheduler
