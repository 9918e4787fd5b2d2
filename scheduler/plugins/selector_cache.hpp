// SelectorCache: compiled expressions of claims and device classes, by their text. A compiled
// expression says nothing but its text, so that what is kept makes no decision another.
//
// Bound: kMax expressions; the longest unused goes. Errors: InvalidArgument, of a text that does
// not compile; nothing is kept of it. One strand.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/devices/selector.hpp"

namespace coracle::scheduler {

using SelectorPtr = std::shared_ptr<const api::devices::DeviceSelector>;

class SelectorCache {
 public:
  static constexpr std::size_t kMax = 100;

  Result<SelectorPtr> get(std::string_view expression);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    SelectorPtr selector;
    std::uint64_t used = 0;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t uses_ = 0;
};

}  // namespace coracle::scheduler
