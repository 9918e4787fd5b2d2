// MemberHooks: what a member tells its services, which set them before the strand runs.
// Thread: called on the strand.
#pragma once

#include <functional>

#include "mvcc/watch_types.hpp"

namespace coracle::store {

struct MemberHooks {
  std::function<void(mvcc::Deliveries)> deliver = [](mvcc::Deliveries) {};  // responses to send
  std::function<void()> on_tick = [] {};
  // The state is about to be replaced or closed: nobody may read it any more when this returns.
  std::function<void()> on_state_goes = [] {};
  std::function<void()> on_stop = [] {};  // the strand has run for the last time
};

}  // namespace coracle::store
