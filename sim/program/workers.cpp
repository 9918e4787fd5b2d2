#include "program/workers.hpp"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/check.hpp"

namespace coracle::sim {

size_t core_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<size_t>(std::max(1, CPU_COUNT(&set)));
}

void run_in_processes(const std::vector<std::function<int()>>& pieces, size_t at_once,
                      const std::function<bool(size_t piece, int code)>& done) {
  std::map<pid_t, size_t> running;
  size_t next = 0;
  bool more = true;
  while (!running.empty() || (more && next < pieces.size())) {
    if (more && next < pieces.size() && running.size() < at_once) {
      std::fflush(nullptr);
      const pid_t child = fork();
      CHECK_MSG(child >= 0, "no process can be made");
      if (child == 0) {
        const int code = pieces[next]();
        std::fflush(nullptr);
        _exit(code);
      }
      running[child] = next++;
      continue;
    }
    int status = 0;
    const pid_t ended = wait(&status);
    CHECK_MSG(ended > 0, "a child is missing");
    const auto found = running.find(ended);
    if (found == running.end()) continue;
    const size_t piece = found->second;
    running.erase(found);
    constexpr int kSignalled = 256;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
    more = done(piece, code) && more;
  }
}

}  // namespace coracle::sim
