#include "config/extender_config.hpp"

#include <algorithm>

namespace coracle::scheduler {

bool ExtenderConfig::is_interested(const PodInfo& pod) const {
  return managed_resources.empty() ||
         std::any_of(pod.resource_names.begin(), pod.resource_names.end(),
                     [this](const std::string& name) { return managed_resources.contains(name); });
}

}  // namespace coracle::scheduler
