// field_manager: who owns which field of an object: recorded for every write in
// metadata.managedFields, and what server-side apply makes of it. Pure.
//
// A plain write takes the fields it changes from everybody else. An apply owns what its
// configuration names; what it no longer names, and nobody else owns, goes; what it would change
// of others' is a conflict unless forced.
#pragma once

#include <string>

#include "api/catalog.hpp"
#include "apiserver/chain/outcome.hpp"
#include "base/json.hpp"

namespace coracle::apiserver {

// Who writes, and through which door.
struct FieldWriter {
  const api::Catalog& catalog;
  const api::ResourceInfo& info;     // the version written in
  const api::ResourceInfo& storage;  // the version of the objects given here
  std::string manager;
  std::string subresource;
  std::string time;
};

// Sets the owners of `next`. `current` is nullptr for a create. An object without owners gets none
// by an update (upstream: nobody asked for them); a create always has them.
void track_update(const FieldWriter& writer, const json::value* current, json::value& next);

struct ApplyRequest {
  json::value config;  // as sent: nulls and all
  bool force = false;
  std::string ns, name;  // for errors
};

// The object after the apply, in the version written in; owners are set. `current` is in that
// version too, nullptr for a create. 400 and 500 for configurations that do not fit, 409 with a
// FieldManagerConflict cause for each field.
Outcome<json::value> apply_configuration(const FieldWriter& writer, const json::value* current,
                                         const ApplyRequest& request);

}  // namespace coracle::apiserver
