// GpuShareArgs: the arguments of all plugins about GPUs (docs/formats/gpu-sharing.md). Pure.
#pragma once

#include "api/field_error.hpp"
#include "config/object_reader.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

void read_gpu(ObjectReader& in, const api::FieldPath& path, FormErrors& form,
              api::FieldErrors& errors, GpuArgs* args);

}  // namespace coracle::scheduler
