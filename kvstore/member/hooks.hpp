// MemberHooks: what a member tells the watch service, which sets them before the strand runs.
// Thread: called on the strand.
#pragma once

#include <functional>

#include "mvcc/watch_types.hpp"

namespace coracle::store {

struct MemberHooks {
  std::function<void(mvcc::Deliveries)> deliver = [](mvcc::Deliveries) {};  // responses to send
  std::function<void()> on_tick = [] {};
  std::function<void()> on_stop = [] {};  // the strand has run for the last time
};

}  // namespace coracle::store
