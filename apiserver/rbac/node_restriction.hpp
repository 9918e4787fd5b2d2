// NodeRestriction: what a kubelet's writes may hold. The Node authoriser has let them through.
// Pure.
#pragma once

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver::rbac {

// "" or why not. `old` is null on create.
std::string node_write_refusal(const std::string& node, const Context& c, const json::value& next,
                               const json::value* old);

}  // namespace coracle::apiserver::rbac
