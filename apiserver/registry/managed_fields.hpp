// managed_fields: metadata.managedFields as a list of owners, and the rules about the list. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/field_set.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

inline constexpr size_t kFieldManagerMax = 128;  // bytes of a manager's name

struct FieldOwner {
  std::string manager;
  bool applier = false;     // operation Apply, else Update
  std::string api_version;  // of the fields
  std::string subresource;
  std::string time;
  api::FieldSet fields;

  // One entry each: appliers are the same in every version.
  bool same_as(const FieldOwner& other) const;
  // As upstream names an owner inside: the order of conflicts follows it.
  std::string id() const;
  // `"kubectl"`, `"kubelet" with subresource "status" using v1`
  std::string text() const;
};
using FieldOwners = std::vector<FieldOwner>;

// nullopt when the list is not one upstream would understand.
std::optional<FieldOwners> parse_owners(const json::value& object);
// The wish to forget all owners: a list with one empty entry.
bool is_owner_reset(const json::value& object);
// Empty ones are left out, plain updaters beyond ten are joined, then upstream's order.
void store_owners(json::value& object, FieldOwners owners);

// The name of who writes: the first part of the User-Agent, printable and not too long.
std::string manager_of_agent(std::string_view user_agent);

}  // namespace coracle::apiserver
