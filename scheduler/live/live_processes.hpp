// LiveProcesses: the live ProcessPort: programs that are started with the scheduler, watched, and
// started again after a back-off (kRestartFirst, doubled up to kRestartMax; a question that was
// answered resets it).
//
// Strand: the executor's. Bounds: one question at a time for each program (its caller waits); an
// answer of kAnswerBytesMax; of what it says on its standard error, which goes to the log,
// kLoggedLinesMax lines a life. A program that does not answer in time, answers a line too long,
// speaks unasked or ends is killed with all it started, and named in the log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "driver/processes.hpp"
#include "net/asio_executor.hpp"

namespace coracle::scheduler {

inline constexpr Duration kRestartFirst = std::chrono::seconds(1);
inline constexpr Duration kRestartMax = std::chrono::seconds(60);
inline constexpr int kLoggedLinesMax = 1000;

class LiveProcesses final : public ProcessPort {
 public:
  // Starts them, in `directory`. NotFound: the program of one is not there; names it.
  static Result<std::unique_ptr<LiveProcesses>> create(net::AsioExecutor& executor,
                                                       const std::vector<Profile>& profiles,
                                                       const std::string& directory);
  ~LiveProcesses() override;  // ends them

  Task<Result<std::uint64_t>> ready(const ProcessSpec& spec) override;
  Task<Result<std::string>> exchange(const ProcessSpec& spec, std::string line,
                                     Duration timeout) override;
  void discard(const ProcessSpec& spec, const Status& why) override;

 private:
  struct Program;
  LiveProcesses() = default;
  std::map<std::string, std::unique_ptr<Program>> programs_;  // by ProcessSpec::key
};

}  // namespace coracle::scheduler
