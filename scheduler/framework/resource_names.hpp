// Which names of resources are a vendor's. Pure.
#pragma once

#include <string_view>

namespace coracle::scheduler {

// What upstream calls an extended resource: example.com/gpu; not hugepages-2Mi, not
// kubernetes.io/x.
bool is_vendor_resource(std::string_view name);

}  // namespace coracle::scheduler
