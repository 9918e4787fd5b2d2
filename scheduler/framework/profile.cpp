#include "framework/profile.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::scheduler {

bool Profile::runs(Point point, const Plugin* plugin) const {
  const auto& there = at(point);
  return std::find(there.begin(), there.end(), plugin) != there.end();
}

std::shared_ptr<const Plugin> Profile::owner_of(const Plugin* plugin) const {
  const auto found = std::find_if(plugins.begin(), plugins.end(),
                                  [plugin](const auto& owner) { return owner.get() == plugin; });
  CHECK(found != plugins.end());
  return *found;
}

}  // namespace coracle::scheduler
