// `extenders` of the file, read and checked as upstream does it. Pure.
#pragma once

#include <vector>

#include "api/field_error.hpp"
#include "config/extender_config.hpp"
#include "config/object_reader.hpp"

namespace coracle::scheduler {

std::vector<ExtenderConfig> read_extenders(ObjectReader& document, FormErrors& form,
                                           api::FieldErrors& errors);

}  // namespace coracle::scheduler
