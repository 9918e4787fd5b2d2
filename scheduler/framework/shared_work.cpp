#include "framework/shared_work.hpp"

#include <algorithm>

namespace coracle::scheduler {
namespace {

// Never 0. Shapes that differ elsewhere may share one: only memory is lost by it.
std::uint64_t hash_of(const PodShape& shape) {
  std::uint64_t hash = 0x9e37'79b9'7f4a'7c15;
  const auto mix = [&hash](std::uint64_t value) {
    hash = (hash ^ value) * 0xff51'afd7'ed55'8ccd;
    hash ^= hash >> 32;
  };
  mix(static_cast<std::uint64_t>(shape.requests.cpu_milli));
  mix(static_cast<std::uint64_t>(shape.requests.memory));
  mix(static_cast<std::uint64_t>(shape.requests.ephemeral_storage));
  for (const auto& [name, amount] : shape.requests.scalars) mix(static_cast<std::uint64_t>(amount));
  mix(shape.tolerations.size() << 32 | shape.host_ports.size());
  mix(std::hash<std::string>()(shape.node_name));
  return hash | 1;
}

}  // namespace

bool SharedWork::shares(const PodShape& shape) {
  const std::uint64_t hash = hash_of(shape);
  if (std::find(seen_.begin(), seen_.end(), hash) != seen_.end()) return true;
  seen_[seen_next_++ % seen_.size()] = hash;
  return false;
}

size_t SharedWork::shapes_max(size_t slots) {
  return std::clamp<size_t>((size_t{1} << 20) / std::max<size_t>(slots, 1), 4, 64);
}

template <class Work>
Work& SharedWork::find(std::vector<std::unique_ptr<Work>>& all, const PodShape& shape,
                       const Plugins& plugins, size_t max, std::int64_t priority) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& kept) {
    return kept->priority == priority && kept->plugins == plugins && kept->shape == shape;
  });
  if (found != all.end()) {
    (*found)->used = ++uses_;
    return **found;
  }
  while (all.size() >= max) {
    all.erase(std::min_element(all.begin(), all.end(),
                               [](const auto& a, const auto& b) { return a->used < b->used; }));
  }
  all.push_back(std::make_unique<Work>());
  all.back()->shape = shape;
  all.back()->plugins = plugins;
  all.back()->priority = priority;
  all.back()->used = ++uses_;
  return *all.back();
}

SharedWork::Filtered& SharedWork::filtered(const PodShape& shape, const Plugins& plugins,
                                           size_t slots) {
  Filtered& kept = find(filtered_, shape, plugins, shapes_max(slots));
  kept.stamps.resize(slots);
  kept.fits.resize(slots);
  kept.verdicts.resize(slots * plugins.size());
  return kept;
}

SharedWork::Scored& SharedWork::scored(const PodShape& shape, const Plugins& plugin, size_t slots) {
  // Several scorers a shape.
  Scored& kept = find(scored_, shape, plugin, 4 * shapes_max(slots));
  kept.stamps.resize(slots);
  kept.raw.resize(slots);
  return kept;
}

SharedWork::Preempted& SharedWork::preempted(const PodShape& shape, std::int64_t priority,
                                             const Plugins& plugins, size_t slots) {
  Preempted& kept = find(preempted_, shape, plugins, kPreemptedMax, priority);
  kept.stamps.resize(slots);
  kept.runs.resize(slots);
  return kept;
}

}  // namespace coracle::scheduler
