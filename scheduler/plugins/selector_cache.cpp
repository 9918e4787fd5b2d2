#include "plugins/selector_cache.hpp"

#include <algorithm>

namespace coracle::scheduler {

Result<SelectorPtr> SelectorCache::get(std::string_view expression) {
  auto found = entries_.find(expression);
  if (found == entries_.end()) {
    auto compiled = api::devices::DeviceSelector::compile(expression);
    if (!compiled.ok()) return compiled.status();
    if (entries_.size() >= kMax) {
      entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
        return a.second.used < b.second.used;
      }));
    }
    auto selector = std::make_shared<const api::devices::DeviceSelector>(*std::move(compiled));
    found = entries_.emplace(std::string(expression), Entry{std::move(selector)}).first;
  }
  found->second.used = ++uses_;
  return found->second.selector;
}

}  // namespace coracle::scheduler
