#include "framework/profile.hpp"

#include <algorithm>

namespace coracle::scheduler {

bool Profile::runs(Point point, const Plugin* plugin) const {
  const auto& there = at(point);
  return std::find(there.begin(), there.end(), plugin) != there.end();
}

}  // namespace coracle::scheduler
