// NodeAffinityArgs: addedAffinity, read and checked as upstream does it. Pure.
#pragma once

#include "api/field_error.hpp"
#include "config/object_reader.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

void read_node_affinity(ObjectReader& in, const api::FieldPath& path, FormErrors& form,
                        api::FieldErrors& errors, NodeAffinityArgs* args);

}  // namespace coracle::scheduler
