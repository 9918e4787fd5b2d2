// Workers: pieces of work in processes of their own, so many at a time as there are cores. A piece
// that crashes takes nothing with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace coracle::sim {

// The cores this process may use.
size_t core_count();

// Runs each piece in a child of fork(); its exit code is what it returns (256 and more: it was
// killed by that signal). `done` is told in the order in which they end; false: start no more.
// The caller must have one thread.
void run_in_processes(const std::vector<std::function<int()>>& pieces, size_t at_once,
                      const std::function<bool(size_t piece, int code)>& done);

}  // namespace coracle::sim
