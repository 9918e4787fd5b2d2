// The arguments of the plugins that score resources. Pure.
#pragma once

#include "api/field_error.hpp"
#include "config/object_reader.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

void read_fit(ObjectReader& in, const api::FieldPath& path, FormErrors& form,
              api::FieldErrors& errors, FitArgs* args);
void read_balanced(ObjectReader& in, const api::FieldPath& path, FormErrors& form,
                   api::FieldErrors& errors, std::vector<ResourceWeight>* resources);

}  // namespace coracle::scheduler
