// 'text %d'.format([1]): CEL's printf. Clauses: %s %d %f %e %b %x %X %o %%, precision for f and e.
#pragma once

#include "api/cel/functions.hpp"

namespace coracle::api::cel {

Value format_text(Args args, Budget& budget);

}  // namespace coracle::api::cel
