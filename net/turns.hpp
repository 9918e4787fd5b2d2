// run_turns: AsioExecutor::run() for whoever wants a say after each batch of what was ready, say to
// write down at once what many requests asked for.
#pragma once

#include <functional>

namespace coracle::net {

class AsioExecutor;

inline constexpr int kTurnMax = 512;  // pieces of work in a turn

// Until the executor's stop().
void run_turns(AsioExecutor& executor, const std::function<void()>& end_of_turn);

}  // namespace coracle::net
