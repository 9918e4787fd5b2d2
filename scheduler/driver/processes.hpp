// Processes: the step of a decision that plugins which are programs take part in: asked one after
// the other, in the order of the profile, about all nodes that fit by then, in one message each.
//
// Strand: the Executor's. Bounds: one question at a time (the decision waits, and all after it);
// what a program is to remember of nodes, a node each. Failures: the program's of `onFailure:
// stop` breaks the decision; of skip, the decision goes on without it, and says so in its notes.
// What a program answers is input: the same answers, the same decisions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "cycle/cycle.hpp"
#include "external/messages.hpp"

namespace coracle::scheduler {

// How programs are run and reached. Owned by the driver; null where there are none. Live:
// live/live_processes.hpp; where time is not real: programs/waiting_processes.hpp.
class ProcessPort {
 public:
  virtual ~ProcessPort() = default;
  // Which of its lives it is in (from 1, never the same again): a new one knows nothing yet.
  // Unavailable: it does not run; why, and when it is started next.
  virtual Task<Result<std::uint64_t>> ready(const ProcessSpec& spec) = 0;
  // One line for one line, without the line ends. Any failure has ended this life of it.
  virtual Task<Result<std::string>> exchange(const ProcessSpec& spec, std::string line,
                                             Duration timeout) = 0;
  // It answered nonsense: this life ends, the next begins after its back-off.
  virtual void discard(const ProcessSpec& spec, const Status& why) = 0;
};

class Processes {
 public:
  explicit Processes(ProcessPort* port) : port_(port) {}

  // Between the cycle's filter and what follows; false: the decision is broken. All arguments
  // outlive it.
  Task<bool> ask_all(const Profile& profile, const json::value& pod, Cycle& cycle,
                     const Snapshot& world);

 private:
  // What is between us and one program.
  struct Talk {
    std::uint64_t life = 0;  // 0: none yet
    std::uint64_t questions = 0;
    KnownNodes known;
  };
  Task<Result<ProcessAnswer>> ask(const ProcessSpec& spec, Wanted wanted, const json::value& pod,
                                  std::vector<std::string> names, const Snapshot& world);
  Task<Status> greet(const ProcessSpec& spec, Wanted wanted);

  ProcessPort* const port_;
  std::map<std::string, Talk> talks_;  // by ProcessSpec::key
};

}  // namespace coracle::scheduler
