// scale_owners: server-side apply through /scale. Who owns the replicas of an object is shown as
// who owns the Scale's, and what the apply makes of it goes back into the object. Pure.
#pragma once

#include "apiserver/registry/field_manager.hpp"

namespace coracle::apiserver {

// The object (in the storage version, as `current`) with the replicas of the applied Scale.
// `writer` is for the object; the errors are apply_configuration's, told in terms of the Scale.
Outcome<json::value> apply_scale_configuration(const FieldWriter& writer,
                                               const json::value& current,
                                               const ApplyRequest& request);

}  // namespace coracle::apiserver
