// -o custom-columns=NAME:.metadata.name,... and its file form. Pure.
#pragma once

#include "kubectl/output.hpp"

namespace coracle::kubectl {

// format.name: custom-columns (argument: SPEC,SPEC) or custom-columns-lines (two lines: headers,
// paths).
Result<std::unique_ptr<ObjectPrinter>> make_custom_columns_printer(const OutputFormat& format);

}  // namespace coracle::kubectl
