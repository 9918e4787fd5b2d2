// field_manager: server-side apply, for appliers among themselves: each manager's last
// configuration is remembered as fieldsV1 in metadata.managedFields; what it stops to name and
// nobody else applied goes; what another applier set differently is a conflict unless forced. Pure.
// Ownership by plain updates is not tracked.
#pragma once

#include <string>

#include "api/catalog.hpp"
#include "apiserver/chain/outcome.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

struct ApplyRequest {
  json::value config;  // decoded, with apiVersion and kind
  std::string manager;
  bool force = false;
  std::string time;
  std::string subresource;
};

// 409 with a FieldManagerConflict cause for each field.
Outcome<json::value> apply_configuration(const api::ResourceInfo& info, const json::value& current,
                                         const ApplyRequest& request);

}  // namespace coracle::apiserver
