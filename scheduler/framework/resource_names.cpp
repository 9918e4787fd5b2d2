#include "framework/resource_names.hpp"

#include <string>

#include "api/object.hpp"

namespace coracle::scheduler {

// Its name in a quota, "requests.example.com/gpu", must be one too.
bool is_vendor_resource(std::string_view name) {
  return name.find('/') != std::string_view::npos &&
         name.find("kubernetes.io/") == std::string_view::npos && !name.starts_with("requests.") &&
         api::check_qualified_name("requests." + std::string(name)).empty();
}

}  // namespace coracle::scheduler
