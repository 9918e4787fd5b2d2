// Macros that are written as calls of members: all, exists, map, cel.bind, optMap...
#pragma once

#include "api/cel/ast.hpp"

namespace coracle::api::cel {

// The node of the macro, without its receiver as first kid; nullptr when this is no macro. `args`
// are taken only then. `error` is set when a macro is used wrongly.
NodePtr expand_macro(const Node& target, std::string_view name, std::vector<NodePtr>& args,
                     std::string& error);

}  // namespace coracle::api::cel
