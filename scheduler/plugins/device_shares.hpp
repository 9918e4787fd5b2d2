// DeviceShares: parts of devices. Counters that the devices of a pool share (a GPU and what it can
// be cut into), and capacities of a device that several allocations share. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugins/device_search.hpp"

namespace coracle::scheduler {

// What an allocation would take of the device's capacities, by full names: of each that is asked
// for so much, as the device's requestPolicy rounds it up; of each other its default, or all of it.
// Nothing: the device does not have that, or its policy does not allow it.
std::optional<Amounts> capacities_for(const Device& device, std::string_view driver,
                                      const std::map<std::string, api::Quantity>& requests);

// Whether that is left of a shared device, others having what they have.
bool is_left(const Device& device, std::string_view driver, const Amounts& wanted,
             const std::vector<const Amounts*>& others);

// The counters of a pool that none of the devices `held` and `taken` says take.
std::map<std::string, Amounts> counters_left(const DeviceWorld::Pool& pool, const HeldDevices& held,
                                             const HeldDevices& taken);

// A UUID for a result of an allocation of a claim.
std::string share_id(std::string_view claim_uid, std::size_t result);

}  // namespace coracle::scheduler
